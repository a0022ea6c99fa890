import { deepEqual, equal, match } from "node:assert/strict";
import { type EngineOptions, RunningEngine } from "./harness.ts";
import { jetstream, jetstreamManager } from "../vendor/nats.js";
import { NatsServer, TOKEN } from "./nats_server.ts";

const ECHO = "export default (_ctx, input) => input;";

interface Queue {
  readonly server: NatsServer;
  readonly triggers: readonly object[];
  readonly node?: string;
  readonly token?: string;
}

function options({ server, triggers, node = ECHO, token = TOKEN }: Queue): EngineOptions {
  return {
    nodes: { n: node },
    workflow: { triggers, config: { nats_url: server.url } },
    secrets: { nats: { token } },
    net: [server.url],
    args: ["--instance", "ns/tested"],
  };
}

async function startEngine(queue: Queue): Promise<RunningEngine> {
  const engine = await RunningEngine.start(options(queue));
  await engine.line(/subscribed to/);
  return engine;
}

const decoder = new TextDecoder();

Deno.test("a message with a reply subject gets the result, and a JSON object the trigger's name", async () => {
  await using server = await NatsServer.start();
  const triggers = [{ type: "queue", subject: "in.*", name: "incoming" }, {
    type: "queue",
    subject: "bare",
  }];
  await using _engine = await startEngine({ server, triggers });
  const client = await server.client();
  const ask = async (subject: string, payload: string): Promise<unknown> => {
    const { data } = await client.request(subject, payload, { timeout: 20_000 });
    const { success, outputs } = JSON.parse(decoder.decode(data));
    equal(success, true);
    return outputs.n;
  };
  deepEqual(await ask("in.a", '{"x": 1}'), { x: 1, trigger: "incoming" });
  deepEqual(await ask("bare", '{"x": 1}'), { x: 1, trigger: "bare" });
  deepEqual(await ask("in.a", "[1, 2]"), [1, 2]);
  deepEqual(await ask("in.a", '"text"'), "text");
  deepEqual(await ask("in.a", "not { json"), { data: "not { json" });
  deepEqual(await ask("in.a", ""), { trigger: "incoming" });
  await client.close();
});

Deno.test("a failed run is an answer, and a bad message does not end the subscription", async () => {
  await using server = await NatsServer.start();
  const node =
    "export default (_ctx, input) => { if (input.bad) throw new Error('bad'); return 1; };";
  await using _engine = await startEngine({
    server,
    triggers: [{ type: "queue", subject: "in" }],
    node,
  });
  const client = await server.client();
  const bad = await client.request("in", '{"bad": true}', { timeout: 20_000 });
  deepEqual(JSON.parse(decoder.decode(bad.data)).errors, ["node n threw: bad"]);
  const good = await client.request("in", "{}", { timeout: 20_000 });
  equal(JSON.parse(decoder.decode(good.data)).success, true);
  await client.close();
});

Deno.test("a result too large for the server's limit is an answer that says so", async () => {
  await using server = await NatsServer.start();
  const node = "export default () => 'x'.repeat(2 * 1024 * 1024);";
  await using _engine = await startEngine({
    server,
    triggers: [{ type: "queue", subject: "in" }],
    node,
  });
  const client = await server.client();
  const { data } = await client.request("in", "{}", { timeout: 20_000 });
  const { success, errors } = JSON.parse(decoder.decode(data));
  equal(success, false);
  match(errors[0], /the result could not be sent/);
  await client.close();
});

Deno.test("two engines of one deployment share its messages, each once", async () => {
  await using server = await NatsServer.start();
  const triggers = [{ type: "queue", subject: "in" }];
  const node = `export default async (ctx, input) => {
    ctx.log.info("handled", input.i); await new Promise((r) => setTimeout(r, 2)); return input.i; };`;
  await using first = await startEngine({ server, triggers, node });
  await using second = await startEngine({ server, triggers, node });
  const client = await server.client();
  const asked = Array.from(
    { length: 200 },
    (_, i) => client.request("in", `{"i": ${i}}`, { timeout: 20_000 }),
  );
  const answers = (await Promise.all(asked)).map(({ data }) =>
    JSON.parse(decoder.decode(data)).outputs.n
  );
  deepEqual(answers, answers.map((_, i) => i));
  const handled = (engine: RunningEngine): number =>
    engine.lines.filter((line) => line.includes("handled")).length;
  await client.flush();
  await Promise.all([first.stop("SIGINT"), second.stop("SIGINT")]);
  equal(handled(first) + handled(second), 200);
  equal(handled(first) > 0 && handled(second) > 0, true);
  await client.close();
});

Deno.test("an engine reconnects to a server that restarts, and doubles nothing", async () => {
  await using server = await NatsServer.start();
  const node =
    'export default (ctx, input) => { ctx.log.info("handled", input.i); return input; };';
  await using engine = await startEngine({
    server,
    triggers: [{ type: "queue", subject: "in" }],
    node,
  });
  const before = await server.client();
  await before.request("in", '{"i": 1}', { timeout: 20_000 });
  await before.close();
  await server.restart();
  await engine.line(/reconnected to NATS/);
  const after = await server.client();
  await after.request("in", '{"i": 2}', { timeout: 20_000 });
  await after.close();
  await engine.stop("SIGINT");
  const handled = engine.lines.filter((line) => line.includes("handled")).map((line) =>
    line.split(" ")[3]
  );
  deepEqual(handled, ["1", "2"]);
});

Deno.test("an engine that starts before its server connects when it is there", async () => {
  await using server = await NatsServer.start();
  await server.stop();
  const queue = { server, triggers: [{ type: "queue", subject: "in" }] };
  await using engine = await RunningEngine.start(options(queue));
  await engine.line(
    /ERROR queue trigger in is down: cannot connect to NATS at localhost:\d+, trying on/,
  );
  equal((await engine.run({})).success, true);
  await server.restart();
  await engine.line(/subscribed to/);
  const client = await server.client();
  await client.request("in", "{}", { timeout: 20_000 });
  await client.close();
});

Deno.test("a wrong token is a warning, and HTTP goes on", async () => {
  await using server = await NatsServer.start();
  const triggers = [{ type: "queue", subject: "in" }];
  await using engine = await RunningEngine.start(
    options({ server, triggers, token: "wrong-token" }),
  );
  match(await engine.line(/cannot connect to NATS/), /ERROR .*Authorization Violation/i);
  deepEqual((await engine.run({ a: 1 })).outputs, { n: { a: 1 } });
  equal(engine.lines.some((line) => line.includes("wrong-token")), false);
  equal(await engine.stop("SIGTERM"), 0);
});

Deno.test("without a server or a token queue triggers are off, and HTTP goes on", async () => {
  const triggers = [{ type: "queue", subject: "in" }];
  const cases: [Partial<EngineOptions>, RegExp][] = [
    [{ workflow: { triggers } }, /WARN config\.nats_url is not set: queue triggers are off/],
    [
      { workflow: { triggers, config: { nats_url: "localhost:4222" } } },
      /WARN the secret nats\.token is not provisioned: queue triggers are off/,
    ],
  ];
  for (const [change, warning] of cases) {
    await using engine = await RunningEngine.start({ nodes: { n: ECHO }, secrets: {}, ...change });
    await engine.line(warning);
    equal((await engine.run({})).success, true);
  }
});

Deno.test("with --triggers http no queue is listened to", async () => {
  await using server = await NatsServer.start();
  const queue = options({ server, triggers: [{ type: "queue", subject: "in" }] });
  await using engine = await RunningEngine.start({ ...queue, args: ["--triggers", "http"] });
  equal((await engine.run({})).success, true);
  equal(await engine.stop("SIGTERM"), 0);
  equal(engine.lines.some((line) => line.includes("NATS")), false);
});

Deno.test("on SIGTERM a message in flight is answered, and no other is taken", async () => {
  await using server = await NatsServer.start();
  const node = `export default async (ctx, input) => {
    ctx.log.info("waiting");
    for (let turn = 0; turn < 3000; turn++) {
      if (await Deno.stat(input.gate).then(() => true, () => false)) return "finished";
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };`;
  await using engine = await startEngine({
    server,
    triggers: [{ type: "queue", subject: "in" }],
    node,
  });
  const gate = `${engine.directory}/gate`;
  const client = await server.client();
  const answer = client.request("in", JSON.stringify({ gate }), { timeout: 30_000 });
  await engine.line(/waiting/);
  engine.signal("SIGTERM");
  await engine.line(/SIGTERM/);
  await drained(server, "in");
  await Deno.writeTextFile(gate, "");
  equal(JSON.parse(decoder.decode((await answer).data)).outputs.n, "finished");
  equal(await engine.ended(), 0);
  await client.close();
});

/** Resolves when nobody is subscribed to the subject. */
async function drained(server: NatsServer, subject: string): Promise<void> {
  const client = await server.client();
  for (let turn = 0; turn < 500; turn++) {
    const refused = await client.request(subject, '{"gate": "/"}', { timeout: 20_000 }).then(
      () => false,
      (error: Error) => error.name === "NoRespondersError" || /no responders/i.test(error.message),
    );
    if (refused) return await client.close();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${subject} is still subscribed to`);
}

Deno.test("concurrency bounds the runs in flight", async () => {
  await using server = await NatsServer.start();
  const node = `let now = 0, most = 0;
    export default async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now--;
      return most;
    };`;
  const triggers = [{ type: "queue", subject: "in", concurrency: 3 }];
  await using _engine = await startEngine({ server, triggers, node });
  const client = await server.client();
  const asked = Array.from({ length: 30 }, () => client.request("in", "{}", { timeout: 20_000 }));
  const most = (await Promise.all(asked)).map(({ data }) =>
    JSON.parse(decoder.decode(data)).outputs.n
  );
  equal(Math.max(...most), 3);
  await client.close();
});

Deno.test("TLS is used when the server asks for it, with a CA of the system's store", async () => {
  const pki = await makePki();
  const tls = ["--tls", "--tlscert", `${pki}/server.pem`, "--tlskey", `${pki}/server.key`];
  await using server = await NatsServer.start(...tls);
  for (const scheme of ["", "tls://"]) {
    const base = options({ server, triggers: [{ type: "queue", subject: "in" }] });
    const engine = await RunningEngine.start({
      ...base,
      workflow: { ...base.workflow, config: { nats_url: `${scheme}${server.url}` } },
      // SSL_CERT_FILE stands in for the system's store, which a test had better leave alone.
      env: { DENO_TLS_CA_STORE: "system,mozilla", SSL_CERT_FILE: `${pki}/ca.pem` },
    });
    await using _ = engine;
    await engine.line(/connected to NATS/);
  }
});

Deno.test("a certificate that no known CA signed is refused, with a warning", async () => {
  const pki = await makePki();
  const tls = ["--tls", "--tlscert", `${pki}/server.pem`, "--tlskey", `${pki}/server.key`];
  await using server = await NatsServer.start(...tls);
  const queue = options({ server, triggers: [{ type: "queue", subject: "in" }] });
  await using engine = await RunningEngine.start(queue);
  match(await engine.line(/cannot connect to NATS/), /certificate|UnknownIssuer|tls/i);
});

/** A CA and a certificate for localhost, in a directory that every user may read. */
async function makePki(): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "pki-" });
  await Deno.chmod(directory, 0o755);
  globalThis.addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));
  const script = `set -e; cd "$1"
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-ca -keyout ca.key -out ca.pem
    openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr
    echo subjectAltName=DNS:localhost,IP:127.0.0.1 > extensions
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
      -extfile extensions -out server.pem
    chmod 644 *`;
  const command = new Deno.Command("sh", {
    args: ["-c", script, "sh", directory],
    stderr: "piped",
  });
  const { success, stderr } = await command.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return directory;
}

Deno.test("a result is published on inboxes and the trigger's own prefix only", async () => {
  await using server = await NatsServer.start("-js");
  const triggers = [{ type: "queue", subject: "in", reply_prefix: "answers" }];
  await using engine = await startEngine({ server, triggers });
  const client = await server.client();
  const manager = await jetstreamManager(client);
  await manager.streams.add({ name: "KEPT", subjects: ["kept"] });
  await jetstream(client).publish("kept", "1");
  const received: string[] = [];
  for (const subject of ["victim.trigger", "answers.>"]) {
    client.subscribe(subject, { callback: (_, it) => void received.push(it.subject) });
  }
  for (const reply of ["kept", "victim.trigger", "answers.1"]) {
    client.publish("in", "{}", { reply });
  }
  await client.request("in", "{}", { timeout: 20_000 });
  await engine.line(/not replying on kept/);
  await engine.line(/not replying on victim\.trigger/);
  deepEqual(received, ["answers.1"]);
  equal((await manager.streams.info("KEPT")).state.messages, 1);
  await client.close();
});

Deno.test("a burst that there is no room for is dropped and counted, and ends nothing", async () => {
  await using server = await NatsServer.start();
  const triggers = [{ type: "queue", subject: "in", concurrency: 1 }];
  const node = "export default () => new Promise((resolve) => setTimeout(() => resolve(1), 1));";
  await using engine = await startEngine({ server, triggers, node });
  const client = await server.client();
  for (let count = 0; count < 20_000; count++) client.publish("in", '{"text":"burst"}');
  await engine.line(/queue in: more messages than there is room for/);
  await client.flush();
  const metrics = await (await fetch(`${engine.url}/metrics`)).text();
  match(metrics, /# TYPE tentacular_queue_dropped_total counter/);
  const [, dropped] = /dropped_total\{subject="in"\} (\d+)/.exec(metrics) ?? [];
  equal(Number(dropped) > 0, true);
  equal((await engine.run({})).success, true);
  await client.close();
});
