/**
 * Real engines, in processes of their own, as a pod runs them: the image's layout, exactly the
 * flags that a deployment derives, no right to write to the code or to Deno's cache, and user 65534
 * where the tests may choose (as root).
 */

import type { RunResult } from "../core/run.ts";

const ENGINE = new URL("..", import.meta.url).pathname;
const NOT_SHIPPED = /(_test\.ts|^testdata|^tests|^sources|^build\.ts|\.md)$/;

/** Nothing listens there: whatever wants to download fails. */
const NO_NETWORK = { HTTP_PROXY: "http://127.0.0.1:9", HTTPS_PROXY: "http://127.0.0.1:9" };

/** Long enough for a busy machine; reached only when a test fails. */
const PATIENCE_MS = 30_000;

export interface EngineOptions {
  /** Code by node name; each becomes nodes/<name>.ts. */
  readonly nodes: Readonly<Record<string, string>>;
  /** Other files, by path in the workflow's directory. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Merged over a workflow that has the nodes and an empty contract. */
  readonly workflow?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, unknown>>;
  /** `host:port` of dependencies and NATS servers. */
  readonly net?: readonly string[];
  /** Paths besides the workflow's directory and its secrets. */
  readonly readable?: readonly string[];
  /** Any free one when absent. */
  readonly port?: number;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Instead of those that a deployment derives. */
  readonly flags?: (app: string) => readonly string[];
}

let image: Promise<string> | undefined;

/** The image's `/app`, made once: the shipped files, and the cache that `deno cache` leaves. */
export function imageDirectory(): Promise<string> {
  return image ??= (async () => {
    const app = await Deno.makeTempDir({ prefix: "engine-image-" });
    globalThis.addEventListener("unload", () => Deno.removeSync(app, { recursive: true }));
    await copyShipped(ENGINE, `${app}/engine`);
    for (const file of ["deno.json", "deno.lock"]) {
      await Deno.copyFile(`${ENGINE}${file}`, `${app}/${file}`);
    }
    const args = ["cache", "--quiet", "--lock=deno.lock", "engine/main.ts"];
    const env = { ...cacheOf(app), ...NO_NETWORK };
    await succeed(new Deno.Command(Deno.execPath(), { args, cwd: app, env }));
    await Deno.chmod(app, 0o755);
    return app;
  })();
}

async function copyShipped(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (NOT_SHIPPED.test(name)) continue;
    if (isDirectory) await copyShipped(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

async function succeed(command: Deno.Command): Promise<void> {
  const { success, stderr } = await command.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

function cacheOf(app: string): { DENO_DIR: string } {
  return { DENO_DIR: `${app}/deno-dir` };
}

/** As a deployment derives them, but for the port: 0 lets tests run side by side. */
export function derivedFlags(
  app: string,
  readable: readonly string[],
  net: readonly string[],
  port: number,
): string[] {
  const hosts = [...net, `0.0.0.0:${port}`].sort();
  return [
    "--no-lock",
    "--unstable-net",
    "--no-prompt",
    "--no-remote",
    "--no-npm",
    "--ignore-env",
    `--allow-net=${hosts.join(",")}`,
    `--allow-read=${[`${app}/engine`, ...readable, "/var/run/secrets"].join(",")}`,
    "--allow-write=/tmp",
    "--allow-env=DENO_DIR,HOME",
  ];
}

/** Writes a workflow into the image's directory and gives the path of its workflow.yaml. */
export async function writeWorkflow(app: string, options: EngineOptions): Promise<string> {
  const directory = await Deno.makeTempDir({ dir: app, prefix: "workflow-" });
  const nodes = Object.keys(options.nodes).map((name) => [name, { path: `nodes/${name}.ts` }]);
  const workflow = {
    name: "tested",
    version: "1.0",
    triggers: [{ type: "manual" }],
    nodes: Object.fromEntries(nodes),
    contract: { version: "1", dependencies: {} },
    ...options.workflow,
  };
  const code = Object.entries(options.nodes).map(([name, text]) => [`nodes/${name}.ts`, text]);
  const files = { "workflow.yaml": JSON.stringify(workflow), ...Object.fromEntries(code) };
  await writeFiles(directory, { ...files, ...options.files });
  if (options.secrets !== undefined) {
    const mount = mountOf(directory);
    await Deno.mkdir(mount);
    const services = Object.entries(options.secrets);
    const texts = services.map(([service, keys]) => [service, JSON.stringify(keys)]);
    await writeFiles(mount, Object.fromEntries(texts));
  }
  return `${directory}/workflow.yaml`;
}

/** Where the secrets of the workflow in `directory` are: beside it, as in a pod. */
function mountOf(directory: string): string {
  return `${directory}-secrets`;
}

/** Readable by everyone, whatever the umask. */
export async function writeFiles(
  directory: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  await Deno.chmod(directory, 0o755);
  for (const [path, content] of Object.entries(files)) {
    const file = `${directory}/${path}`;
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true, mode: 0o755 });
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(file, bytes, { mode: 0o644 });
  }
}

/** The command of a pod, up to and with the workflow. */
export async function command(
  entry: "main.ts" | "local.ts",
  workflow: string,
  options: EngineOptions,
  port = 0,
): Promise<Deno.Command> {
  const app = await imageDirectory();
  const directory = workflow.slice(0, workflow.lastIndexOf("/"));
  const mount = mountOf(directory);
  const secrets = options.secrets === undefined ? [] : ["--secrets", mount];
  const flags = options.flags?.(app) ??
    derivedFlags(app, [directory, mount, ...options.readable ?? []], options.net ?? [], port);
  const listening = entry === "main.ts" ? ["--port", String(port)] : [];
  const args = [
    ...["run", ...flags, `engine/${entry}`],
    ...["--workflow", workflow, ...listening, ...secrets, ...(options.args ?? [])],
  ];
  const asNobody = ["--reuid=65534", "--regid=65534", "--clear-groups", Deno.execPath(), ...args];
  const [program, given] = Deno.uid() === 0 ? ["setpriv", asNobody] : [Deno.execPath(), args];
  const env = { ...cacheOf(app), HOME: "/", NO_COLOR: "1", ...options.env };
  return new Deno.Command(program, {
    args: given,
    cwd: app,
    env,
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs to the end, with `input` on standard input. */
export async function runToEnd(command: Deno.Command, input = ""): Promise<Ended> {
  const child = command.spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** An engine that serves; `await using` ends it. */
export class RunningEngine implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly workflow: string;
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  #wake: () => void = () => {};
  #port = 0;

  private constructor(child: Deno.ChildProcess, workflow: string) {
    this.#child = child;
    this.workflow = workflow;
    this.#reading = this.#read(child.stderr);
  }

  static async start(options: EngineOptions): Promise<RunningEngine> {
    const workflow = await writeWorkflow(await imageDirectory(), options);
    const child = (await command("main.ts", workflow, options, options.port)).spawn();
    await child.stdin.close();
    await child.stdout.cancel();
    const engine = new RunningEngine(child, workflow);
    const line = await engine.line(/listening on [\d.]+:\d+/);
    engine.#port = Number(line.split(":").at(-1));
    return engine;
  }

  get directory(): string {
    return this.workflow.replace(/\/workflow\.yaml$/, "");
  }

  get port(): number {
    return this.#port;
  }

  /** Of the listener for webhooks. */
  get webhookUrl(): string {
    const line = this.lines.find((it) => /listening for webhooks on/.test(it)) ?? "";
    return `http://127.0.0.1:${line.split(":").at(-1)}`;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The first line that matches, waiting for it; `from` skips lines seen before. */
  async line(pattern: RegExp, from = 0): Promise<string> {
    const [first = ""] = await this.matching(pattern, 1, from);
    return first;
  }

  /** The lines that match, waiting until there are so many. */
  async matching(pattern: RegExp, count: number, from = 0): Promise<string[]> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const found = this.lines.slice(from).filter((line) => pattern.test(line));
      if (found.length >= count) return found;
      if (Date.now() > deadline) {
        throw new Error(`fewer than ${count} lines ${pattern} in:\n${this.lines.join("\n")}`);
      }
      await this.#next(deadline - Date.now());
    }
  }

  async #next(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, milliseconds);
    await promise;
    clearTimeout(timer);
  }

  async #read(stderr: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    for await (const text of stderr.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      this.lines.push(...lines);
      this.#wake();
    }
    this.lines.push(rest || "(end)");
    this.#wake();
  }

  async post(
    path: string,
    body: BodyInit,
    headers: HeadersInit = {},
    url = this.url,
  ): Promise<Response> {
    return await fetch(`${url}${path}`, { method: "POST", body, headers });
  }

  /** The body of the answer to `POST /run`. */
  async run(input: unknown): Promise<RunResult> {
    return await (await this.post("/run", JSON.stringify(input))).json();
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** The exit status; the log is complete then. */
  async ended(): Promise<number> {
    const { code } = await this.#child.status;
    await this.#reading;
    return code;
  }

  async stop(signal: Deno.Signal): Promise<number> {
    this.signal(signal);
    return await this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.ended();
  }
}
