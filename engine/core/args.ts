/** The command line of the engine. */

import { parseDuration } from "./duration.ts";

export interface Options {
  /** Path of workflow.yaml. */
  readonly workflow: string;
  readonly port: number;
  /** Where webhooks arrive, when there are any: the port after `port`. */
  readonly webhookPort: number;
  /** A listener for metrics alone, when somebody may read them who may not run the workflow. */
  readonly metricsPort?: number;
  readonly host: string;
  /** `<namespace>/<name>` of this deployment; local runs have none. */
  readonly instance?: string;
  /** What the hash of the files should be; the real one is given back in every result. */
  readonly revision?: string;
  /** From the signal to the exit. */
  readonly graceMs: number;
  /** `http` leaves queues alone. */
  readonly triggers: "all" | "http";
  /** Where the engine notes what it is in the middle of, for the engine after it. */
  readonly journal?: string;
  /** The only source of secrets, when given. */
  readonly secrets?: string;
  readonly watch: boolean;
}

/** The command line makes no sense; the message says what would. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const USAGE = `usage: --workflow <file> [options]

  --workflow <file>               workflow.yaml; its directory holds the nodes
  --port <number>                 port to listen on (8080); webhooks arrive at the next one
  --metrics-port <number>         another port, for GET /metrics alone
  --host <address>                address to listen on (0.0.0.0)
  --instance <namespace>/<name>   which deployment this is
  --revision <hash>               what the hash of the files should be
  --grace <duration>              from the signal to the exit (30s)
  --triggers all|http             http: subscribe to no queue (all)
  --journal <directory>           notes what it is doing, and reads what an engine died of
  --secrets <path>                file or directory; no other secrets are read then
  --watch                         reload when the workflow changes`;

const TAKES_VALUE = [
  "workflow",
  "port",
  "metrics-port",
  "host",
  "instance",
  "revision",
  "grace",
  "triggers",
  "journal",
  "secrets",
] as const;

type Name = typeof TAKES_VALUE[number];
type Values = { [name in Name]?: string } & { watch?: boolean };

export function parseArgs(args: readonly string[]): Options {
  const values = split(args);
  const port = parsePort(values.port ?? "8080", "port");
  const metricsPort = values["metrics-port"];
  return {
    workflow: values.workflow ?? fail("--workflow <file> is missing"),
    port,
    webhookPort: port === 0 ? 0 : port + 1,
    host: values.host ?? "0.0.0.0",
    graceMs: parseDuration(values.grace ?? "30s") ??
      fail(`--grace ${values.grace}: not a duration`),
    triggers: parseTriggers(values.triggers ?? "all"),
    watch: values.watch ?? false,
    ...(metricsPort === undefined ? {} : { metricsPort: parsePort(metricsPort, "metrics-port") }),
    ...(values.instance === undefined ? {} : { instance: values.instance }),
    ...(values.revision === undefined ? {} : { revision: values.revision }),
    ...(values.journal === undefined ? {} : { journal: values.journal }),
    ...(values.secrets === undefined ? {} : { secrets: values.secrets }),
  };
}

/** Both `--name value` and `--name=value`; the last one counts, so that callers can append. */
function split(args: readonly string[]): Values {
  const values: Values = {};
  for (let index = 0; index < args.length; index++) {
    const [, name, inline] = /^--([a-z-]+)(?:=([^]*))?$/.exec(args[index] ?? "") ?? [];
    if (name === "watch" && inline === undefined) values.watch = true;
    else if (isName(name)) values[name] = inline ?? args[++index] ?? fail(`--${name} has no value`);
    else fail(`unknown argument ${args[index]}`);
  }
  return values;
}

function isName(text: string | undefined): text is Name {
  return (TAKES_VALUE as readonly (string | undefined)[]).includes(text);
}

function parsePort(text: string, name: string): number {
  const port = Number(text);
  return /^\d+$/.test(text) && port <= 65535 ? port : fail(`--${name} ${text}: not a port`);
}

function parseTriggers(text: string): Options["triggers"] {
  return text === "all" || text === "http" ? text : fail(`--triggers ${text}: not all or http`);
}

function fail(problem: string): never {
  throw new UsageError(problem);
}
