/**
 * What is said between `tntc test` and the process that runs nodes: JSON text sequences (RFC 7464), each with a word that
 * nodes do not know, so that whatever else ends up on standard output is told from an answer.
 */

import type { RunResult } from "../core/run.ts";
import type { Report } from "./stage.ts";

/** The first line on standard input. */
export interface Setup {
  /** workflow.yaml as JSON. */
  readonly workflow: Readonly<Record<string, unknown>>;
  /** Absolute path of the directory that holds the workflow's code. */
  readonly directory: string;
  /** Of every answer, so that what a node prints is never taken for one. */
  readonly word: string;
}

/** Every further line: one fixture of a node, or the whole workflow when there is no node. */
export interface Job {
  readonly id: number;
  readonly node?: string;
  readonly fixture: unknown;
}

/** One for each job, in their order. */
export interface Answer {
  readonly id: number;
  readonly report: Report;
  /** Of a job without a node. */
  readonly run?: RunResult;
}

/** Before the module of a node is loaded, and without a name after it: it may loop or wait for ever. */
export interface Loading {
  readonly loading: string | null;
}

export const RECORD_SEPARATOR = "\u001e";
