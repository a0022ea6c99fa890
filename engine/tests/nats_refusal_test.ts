/** Servers that refuse the engine, in the ways that real ones have of breaking off. */

import { deepEqual, equal, match } from "node:assert/strict";
import { RunningEngine } from "./harness.ts";

const ECHO = "export default (_ctx, input) => input;";
const INFO = {
  "server_id": "S",
  version: "2.10.0",
  proto: 1,
  "auth_required": true,
  headers: true,
};

/** A server that refuses every token, and leaves what the client still says unread: the kernel answers with a reset. */
class ResettingServer implements AsyncDisposable {
  refused = 0;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #serving = this.#serve();

  get url(): string {
    return `localhost:${this.#listener.addr.port}`;
  }

  async #serve(): Promise<void> {
    for await (const client of this.#listener) this.#refuse(client).catch(() => {});
  }

  async #refuse(client: Deno.TcpConn): Promise<void> {
    await client.write(new TextEncoder().encode(`INFO ${JSON.stringify(INFO)}\r\n`));
    await client.read(new Uint8Array(8));
    await client.write(new TextEncoder().encode("-ERR 'Authorization Violation'\r\n"));
    client.close();
    this.refused++;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#serving;
  }
}

async function started(url: string): Promise<RunningEngine> {
  return await RunningEngine.start({
    nodes: { n: ECHO },
    workflow: { triggers: [{ type: "queue", subject: "in" }], config: { nats_url: url } },
    secrets: { nats: { token: "wrong-token" } },
    net: [url],
  });
}

/** The engine was refused several times by now, and has said so once; a reset may overtake the reason. */
async function wasRefusedQuietly(engine: RunningEngine): Promise<void> {
  deepEqual((await engine.run({ a: 1 })).outputs, { n: { a: 1 } });
  equal(await engine.stop("SIGTERM"), 0);
  const about = engine.lines.filter((line) => /NATS|nobody waited/.test(line));
  const repeated = about.filter((line, index) => line === about[index - 1]);
  deepEqual(repeated, []);
  match(
    about.join("\n"),
    /ERROR queue trigger in is down: cannot connect .*Authorization Violation/i,
  );
}

Deno.test("a server that refuses the token and resets the connection is reported once", async () => {
  await using server = new ResettingServer();
  await using engine = await started(server.url);
  await engine.line(/cannot connect to NATS/);
  while (server.refused < 3) await new Promise((resolve) => setTimeout(resolve, 20));
  await wasRefusedQuietly(engine);
});
