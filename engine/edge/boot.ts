/** From a command line to an engine that is ready to run. */

import type { Options } from "../core/args.ts";
import { systemClock } from "../core/clock.ts";
import { messageOf, StartError } from "../core/errors.ts";
import { createLogger } from "../core/log.ts";
import { createProgram, type Program, type ProgramParts } from "../core/program.ts";
import { type Files, hashFiles, hashSecrets, type Loaded } from "../core/revision.ts";
import type { RunObserver, RunTracker } from "../core/run.ts";
import { missingSecrets, type Secrets } from "../core/secrets.ts";
import { WorkflowError } from "../core/shape.ts";
import { readWorkflow, type Workflow } from "../core/workflow.ts";
import { readCompressed } from "./compressed.ts";
import { dirname, mountedVersion, readMount } from "./files.ts";
import { logOptions } from "./log.ts";
import { Journal } from "./journal.ts";
import { fileUrl, importNodes } from "./modules.ts";
import { giveUpReading } from "./permissions.ts";
import { loadSecrets, MOUNT } from "./secrets.ts";
import { noteLoading, noteNodes } from "./watchdog.ts";
import { parseYaml } from "./yaml.ts";

/** Who is told of runs. */
export interface Hooks extends Pick<ProgramParts, "observer" | "tracing"> {
  /** For the files of the code, when they are known. */
  readonly trackerFor?: (files: Files | undefined) => Promise<RunTracker>;
  readonly journal?: Journal;
}

/**
 * With spans when telemetry is on. Deno registers itself with the global of OpenTelemetry's API
 * then, which can be seen without a permission to read the environment.
 */
export async function createHooks(observer?: RunObserver): Promise<Hooks> {
  const told = observer === undefined ? {} : { observer };
  if (!(Symbol.for("opentelemetry.js.api.1") in globalThis)) return told;
  const { OpenTelemetry } = await import("./telemetry.ts");
  return { ...told, tracing: new OpenTelemetry() };
}

/** Which loading of the code it is, counted from zero. */
export interface Generation {
  readonly number: number;
  /** Secrets can be read once only: later generations are given those of the first. */
  readonly secrets?: Secrets;
}

/**
 * Reads, compiles and imports everything, from an absolute path; throws the first thing that stands
 * in the way. No node is loaded while secrets can still be read.
 */
export async function loadProgram(
  options: Options,
  { trackerFor, journal = Journal.none, ...hooks }: Hooks = {},
  { number, secrets: known }: Generation = { number: 0 },
): Promise<Program> {
  const file = options.workflow;
  const directory = dirname(file);
  const version = await mountedVersion(directory);
  const mounted = await readMount(MOUNT);
  const files = options.revision === undefined ? undefined : await readMount(directory);
  const loaded = files && await identify(files, mounted, options.revision);
  const workflow = await readWorkflowFile(file);
  const secrets = known ?? await loadSecrets(file, options.secrets, mounted);
  if (workflow.sealed) await giveUpReading(options.secrets ?? MOUNT);
  noteNodes(workflow.nodes.map((it) => it.name));
  const log = createLogger("engine", logOptions((text) => text));
  const loading = { log, journal, begins: noteLoading };
  if (files) await readCompressed(files);
  const nodes = await importNodes(directory, workflow.nodes, loading, number);
  noteLoading(undefined);
  const tracker = await trackerFor?.(files);
  if (await mountedVersion(directory) !== version) {
    throw new StartError("the workflow's files were replaced while they were read");
  }
  const program = createProgram({
    workflow,
    nodes,
    secrets,
    ...(loaded && { loaded }),
    root: rootOf(options),
    log: logOptions((text) => text),
    clock: systemClock,
    fetch,
    ...hooks,
    ...(tracker && { tracker }),
  });
  warnOfMissingSecrets(program);
  return program;
}

/**
 * Hashes what is about to be loaded, and says so in the first line of the log, ahead of anything that
 * the workflow's own code could write there: `tntc` reads it.
 */
async function identify(
  files: Files,
  mounted: Files,
  expected = "",
): Promise<Loaded> {
  const revision = await hashFiles(files);
  const secrets = await hashSecrets(mounted);
  const log = createLogger("engine", logOptions((text) => text));
  log.info(`loading revision=${revision} secrets=${secrets}`);
  if (revision !== expected) {
    log.warn(
      `these files are not of the deployed revision ${expected}: deploy again to replace them`,
    );
  }
  return { revision, expected, secrets };
}

async function readWorkflowFile(file: string): Promise<Workflow> {
  try {
    return readWorkflow(parseYaml(await Deno.readTextFile(file)));
  } catch (error) {
    if (error instanceof WorkflowError || error instanceof SyntaxError) {
      throw new WorkflowError(`${file}: ${error.message}`);
    }
    if (error instanceof Deno.errors.NotFound) throw new WorkflowError(`${file} does not exist`);
    throw new StartError(`${file}: ${messageOf(error)}`);
  }
}

function warnOfMissingSecrets({ workflow, secrets, log }: Program): void {
  const missing = missingSecrets(workflow, secrets);
  if (missing.length === 0) return;
  createLogger("engine", log).warn(`secrets not provisioned: ${missing.join(", ")}`);
}

/** URL of the workflow's directory, ending in `/`. */
export function rootOf({ workflow }: Options): string {
  return `${fileUrl(dirname(workflow))}/`;
}

/** The options with absolute paths, as modules are imported by URL. */
export function resolveWorkflow(options: Options): Options {
  const { secrets } = options;
  const own = secrets === undefined ? {} : { secrets: absolute(secrets) };
  return { ...options, workflow: absolute(options.workflow), ...own };
}

function absolute(path: string): string {
  const joined = path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  return joined.replace(/\/(\.\/)+/g, "/");
}
