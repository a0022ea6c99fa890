/**
 * What Deno's permissions refuse, in the words of whoever writes a workflow: Deno advises flags, which
 * nobody can give to a pod.
 */

/** As Deno words it. Libraries add to the end of a message, such as the text of a missing code. */
const REFUSED =
  /Requires (\w+) access(?: to (?:"([^"]*)"|([^\s,]+)))?, run again with the --allow-[\w-]+ flag(?:undefined)?/g;

/** As `node:dns` words it, which has no better code for it. */
const NOT_LOOKED_UP = /getaddrinfo EPERM ([\w.:-]+)/g;

/** Modules that are imported while a node runs, as Deno words it. */
const NOT_IMPORTED = [
  /(?:JSR package manifest for '[^']*' failed to load\. )?A remote specifier was requested: "([^"]*)", but --no-remote is specified\.?/g,
  /npm specifiers were requested; but --no-npm is specified/g,
  /Import "([^"]*)" not a dependency and not in import map(?: from "[^"]*")?/g,
];

/** In front of what follows, for those who read no pattern. */
const SIGNS = [
  "run again with the --allow-",
  "getaddrinfo EPERM",
  "--no-remote is specified",
  "--no-npm is specified",
  "not a dependency and not in import map",
];

/** Causes of causes that are looked at. */
const MOST_CAUSES = 8;

/** Ports whose protocol a contract has a word for. */
const PROTOCOLS: ReadonlyMap<string, string> = new Map([
  ["80", "http"],
  ["443", "https"],
  ["4222", "nats"],
  ["5432", "postgresql"],
]);

/** What the protocol's entry needs besides a host. */
const MORE: ReadonlyMap<string, string> = new Map([
  ["nats", ", subject: <subject>"],
  ["postgresql", ", database: <database>, user: <user>"],
]);

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\]|0\.0\.0\.0)$/;

/** In a test nothing can be reached, whatever the contract says. */
let testing = false;

/** To be called by the process of `tntc test`. */
export function explainForTests(): void {
  testing = true;
}

/** The text with every refusal in it explained. */
export function explain(text: string): string {
  if (!isRefused(text)) return text;
  const imports = NOT_IMPORTED.reduce<string>(
    (told, pattern) => told.replace(pattern, (_, name?: unknown) => notImported(name)),
    text,
  );
  return imports
    .replace(REFUSED, (_, kind: string, quoted?: string, plain?: string) => {
      return reason(kind, quoted ?? plain ?? "");
    })
    .replace(NOT_LOOKED_UP, (_, host: string) => unreachable(host));
}

/** Whether the text has a refusal in Deno's words. */
export function isRefused(text: string): boolean {
  return SIGNS.some((sign) => text.includes(sign));
}

/**
 * Whether it was thrown because of a permission, itself or what caused it: nothing that another attempt
 * could change. Never throws.
 */
export function isRefusal(thrown: unknown): boolean {
  try {
    let error = thrown;
    for (let left = MOST_CAUSES; left > 0 && error instanceof Error; left--) {
      if (error.name === "NotCapable" || isRefused(error.message)) return true;
      error = error.cause;
    }
  } catch {
    // A getter of its own, which says nothing of permissions.
  }
  return false;
}

/** Explains a refusal in its place, so that it keeps its stack and its kind. Never throws. */
export function explainError(error: Error): void {
  try {
    const { stack } = error;
    error.message = explain(error.message);
    if (typeof stack === "string") error.stack = explain(stack);
  } catch {
    // It is frozen, and stays as it is.
  }
}

/** What replaces a pattern without a group is given a number. */
function notImported(name: unknown): string {
  const what = typeof name === "string" ? name : "a package of npm";
  return `${what} cannot be imported while a node runs, as its name was not known when the workflow was ` +
    'bundled: write import("NAME") with the name itself, or import it at the top of the file';
}

function reason(kind: string, what: string): string {
  switch (kind) {
    case "net":
      return unreachable(what);
    case "read":
      return `a node cannot read ${what || "files"}: only files of the workflow's directory`;
    case "write":
      return `a node cannot write ${what || "files"}: only below /tmp`;
    case "env":
      return `a node has no environment variable ${what}`.trimEnd() +
        ": use config of workflow.yaml, or a secret";
    case "run":
      return `a node cannot start a program${what && ` (${what})`}`;
    case "ffi":
      return `a node cannot load native code${
        what && ` (${what})`
      }: use a package without a native addon`;
    case "import":
      return `a node cannot import ${what} while it runs: import it at the top of its file by its name`;
    default:
      return `a node has no ${kind} access${what && ` to ${what}`}`;
  }
}

function unreachable(where: string): string {
  const { host, port } = split(where);
  if (testing) {
    return `${where} cannot be reached in a test: answer with mocks of the fixture, or try tntc run --local`;
  }
  if (LOOPBACK.test(host)) {
    return `${where} is not in the contract; in a pod it is the pod itself: ` +
      "use host and port of ctx.dependency(NAME)";
  }
  return `${where} is not in the contract; add to workflow.yaml: ` +
    `contract.dependencies.${nameFor(host)}: ${entry(host, port)}`;
}

function split(where: string): { host: string; port: string } {
  const [, host = where, port = ""] = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(where) ?? [];
  return { host, port };
}

function entry(host: string, port: string): string {
  const protocol = port === "" ? "https" : PROTOCOLS.get(port) ?? "tcp";
  const own = protocol === "tcp" ? `, port: ${port}` : "";
  const quoted = host.startsWith("[") ? `"${host.slice(1, -1)}"` : host;
  return `{protocol: ${protocol}, host: ${quoted}${own}${MORE.get(protocol) ?? ""}}`;
}

/** `api.github.com` may be called `github`. */
function nameFor(host: string): string {
  const labels = host.toLowerCase().replace(/\.$/, "").split(".");
  const inCluster = host.endsWith(".svc.cluster.local") || host.endsWith(".svc");
  const label = inCluster || labels.length === 1 ? labels[0] : labels.at(-2);
  return label !== undefined && /^[a-z][a-z0-9_-]*$/.test(label) ? label : "NAME";
}
