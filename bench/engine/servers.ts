/** The servers that are measured: the engine under the flags of a deployment, and the bare one. */

const HERE = import.meta.dirname ?? ".";
const ENGINE = new URL("../../engine", import.meta.url).pathname;

export interface Server extends AsyncDisposable {
  /** Of `POST /run`. */
  readonly url: string;
  residentMiB(): Promise<number>;
  /** Used so far, by all threads. */
  cpuSeconds(): Promise<number>;
}

/** A workflow of `count` empty nodes. */
export async function engineServer(
  count = 3,
  shape: "chain" | "parallel" = "chain",
): Promise<Server> {
  const directory = await Deno.makeTempDir({ prefix: "bench-" });
  await Deno.copyFile(`${HERE}/node.ts`, `${directory}/node.ts`);
  await Deno.writeTextFile(`${directory}/workflow.yaml`, JSON.stringify(workflow(count, shape)));
  const port = freePort();
  const args = [
    ...[
      "run",
      "--no-lock",
      "--unstable-net",
      "--no-prompt",
      "--no-remote",
      "--no-npm",
      "--ignore-env",
    ],
    ...[`--allow-net=0.0.0.0:${port}`, `--allow-read=${directory},${ENGINE}`],
    ...["--allow-write=/tmp", "--allow-env=DENO_DIR,HOME", `${ENGINE}/main.ts`],
    ...["--workflow", `${directory}/workflow.yaml`, "--port", String(port), "--revision", "bench"],
  ];
  return await serve(args, port, directory);
}

function workflow(count: number, shape: "chain" | "parallel"): object {
  const names = Array.from({ length: count }, (_, index) => `n${index}`);
  const chained = names.slice(1).map((to, index) => ({ from: names[index], to }));
  return {
    name: "bench",
    version: "1.0",
    triggers: [{ type: "manual" }],
    nodes: Object.fromEntries(names.map((name) => [name, { path: "node.ts" }])),
    edges: shape === "chain" ? chained : [],
    contract: { version: "1", dependencies: {} },
  };
}

/** Answers the same JSON; calls the same nodes when there is a `shape` to call them in. */
export async function bareServer(count: number, shape?: "chain" | "parallel"): Promise<Server> {
  const port = freePort();
  const nodes = shape === undefined ? [] : [`${HERE}/node.ts`, String(count), shape];
  const args = ["run", "--no-lock", "--allow-net", "--allow-read", `${HERE}/bare.ts`];
  return await serve([...args, String(port), ...nodes], port);
}

/** Milliseconds from the start of the process to its first answer. */
export async function startTime(start: () => Promise<Server>): Promise<number> {
  const server = await start();
  const { ready } = server as RunningServer;
  await server[Symbol.asyncDispose]();
  return ready;
}

async function serve(args: string[], port: number, directory?: string): Promise<RunningServer> {
  const began = performance.now();
  const command = new Deno.Command(Deno.execPath(), { args, stdout: "null", stderr: "null" });
  const child = command.spawn();
  await firstAnswer(port);
  return new RunningServer(child, port, performance.now() - began, directory);
}

async function firstAnswer(port: number): Promise<void> {
  for (let turn = 0; turn < 10_000; turn++) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/health`);
      await response.body?.cancel();
      if (response.ok) return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  throw new Error("the server does not start");
}

class RunningServer implements Server {
  readonly #child: Deno.ChildProcess;
  readonly #directory: string | undefined;
  readonly url: string;
  readonly ready: number;

  constructor(child: Deno.ChildProcess, port: number, ready: number, directory?: string) {
    this.#child = child;
    this.#directory = directory;
    this.url = `http://127.0.0.1:${port}/run`;
    this.ready = ready;
  }

  async residentMiB(): Promise<number> {
    const status = await Deno.readTextFile(`/proc/${this.#child.pid}/status`);
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
  }

  /** Fields 14 and 15 of proc(5)'s stat, in ticks of which Linux shows 100 a second. */
  async cpuSeconds(): Promise<number> {
    const stat = await Deno.readTextFile(`/proc/${this.#child.pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    if (this.#directory !== undefined) await Deno.remove(this.#directory, { recursive: true });
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}
