/** A real nats-server of a test's own, on a port that it keeps across restarts. */

import { connect, type NatsConnection } from "../vendor/nats.js";

export const TOKEN = "t0ken-of-the-tests";

/** Debian's, unless the test bed asks for another one. */
const PROGRAM = Deno.env.get("TNTC_NATS_SERVER") ?? "nats-server";

const PATIENCE_MS = 30_000;

export class NatsServer implements AsyncDisposable {
  readonly port: number;
  readonly #args: readonly string[];
  readonly #directory: string;
  #child: Deno.ChildProcess | undefined;
  #log: Promise<void> = Promise.resolve();
  #said = "";

  private constructor(port: number, directory: string, args: readonly string[]) {
    this.port = port;
    this.#directory = directory;
    this.#args = args;
  }

  static async start(...args: readonly string[]): Promise<NatsServer> {
    const directory = await Deno.makeTempDir({ prefix: "nats-" });
    const server = new NatsServer(freePort(), directory, args);
    await server.restart();
    return server;
  }

  /** Named, not numbered: the engine's permission is for the name. */
  get url(): string {
    return `localhost:${this.port}`;
  }

  /** A client of the test's own. */
  async client(options: { tls?: Record<string, unknown> } = {}): Promise<NatsConnection> {
    return await connect({ servers: this.url, token: TOKEN, maxReconnectAttempts: -1, ...options });
  }

  async restart(): Promise<void> {
    await this.stop();
    this.#said = "";
    const address = ["-a", "127.0.0.1", "-p", String(this.port)];
    const args = [...address, "--auth", TOKEN, "-sd", this.#directory, ...this.#args];
    const child = spawn(args);
    const ready = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => ready.reject(new Error("nats-server does not start")),
      PATIENCE_MS,
    );
    this.#log = follow(child.stderr, (text) => {
      this.#said += text;
      if (this.#said.includes("Server is ready")) ready.resolve();
    });
    this.#child = child;
    await ready.promise.finally(() => clearTimeout(timer));
  }

  /** Resolves when the server has logged so many matches of a global pattern. */
  async logged(pattern: RegExp, times: number): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    while ((this.#said.match(pattern)?.length ?? 0) < times) {
      if (Date.now() > end) throw new Error(`no ${times} of ${pattern} in:\n${this.#said}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async stop(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#child?.status;
    await this.#log;
    this.#child = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.#directory, { recursive: true });
  }
}

function spawn(args: string[]): Deno.ChildProcess {
  try {
    return new Deno.Command(PROGRAM, { args, stdout: "null", stderr: "piped" }).spawn();
  } catch (error) {
    throw new Error("these tests need nats-server (Debian: apt-get install nats-server)", {
      cause: error,
    });
  }
}

async function follow(
  stderr: ReadableStream<Uint8Array>,
  say: (text: string) => void,
): Promise<void> {
  for await (const text of stderr.pipeThrough(new TextDecoderStream())) say(text);
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}
