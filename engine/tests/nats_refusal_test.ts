/** A server that refuses the engine and resets its connections, as a real one does. */

import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { RunningEngine } from "./harness.ts";
import { connect } from "../vendor/nats.js";
import { NatsServer } from "./nats_server.ts";

Deno.test("a wrong token is one warning, however often the server refuses it", async () => {
  await using server = await NatsServer.start();
  await using engine = await RunningEngine.start({
    nodes: { n: "export default (_ctx, input) => input;" },
    workflow: { triggers: [{ type: "queue", subject: "in" }], config: { nats_url: server.url } },
    secrets: { nats: { token: "wrong-token" } },
    net: [server.url],
  });
  await engine.line(/cannot connect to NATS/);
  await server.logged(/authentication error/gi, 4);
  deepEqual((await engine.run({ a: 1 })).outputs, { n: { a: 1 } });
  equal(await engine.stop("SIGTERM"), 0);
  const about = engine.lines.filter((line) => /NATS|nobody waited/.test(line));
  equal(about.length, 1, about.join("\n"));
  match(about[0] ?? "", /cannot connect to NATS .*Authorization Violation/i);
});

/** Of 200 refusals about a dozen end in a reset that comes after the client has given its socket up. */
Deno.test("a client that is refused leaves no error that nobody waits for", async () => {
  await using server = await NatsServer.start();
  const stray: string[] = [];
  const note = (event: ErrorEvent) => {
    event.preventDefault();
    stray.push(event.message);
  };
  globalThis.addEventListener("error", note);
  for (let refused = 0; refused < 200; refused++) {
    const refusal = connect({ servers: server.url, token: "wrong-token" });
    await rejects(refusal, /Authorization Violation/i);
  }
  globalThis.removeEventListener("error", note);
  deepEqual(stray, []);
});
