/**
 * Servers that clients of packages talk to: HTTP of no particular API, MySQL as mysql2 serves it, MongoDB as far as its
 * driver must be answered. Takes the address to serve on, and prints the ports.
 */

import { deserialize, serialize } from "npm:bson@6";
import mysql from "npm:mysql2@3";

const [hostname = "127.0.0.1"] = Deno.args;
const BUCKETS = '<?xml version="1.0"?><ListAllMyBucketsResult><Buckets>' +
  "<Bucket><Name>first</Name></Bucket></Buckets></ListAllMyBucketsResult>";

/** Bodies by the end of the path, where a client insists on more than some JSON. */
const ANSWERS: Record<string, unknown> = {
  "/chat/completions": {
    id: "1",
    object: "chat.completion",
    model: "m",
    choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "hi" } }],
  },
  "/v1/messages": {
    id: "1",
    type: "message",
    role: "assistant",
    model: "m",
    content: [{ type: "text", text: "hi" }],
    usage: { input_tokens: 1, output_tokens: 1 },
  },
  "/users/@me": { id: "1", username: "bot" },
};

async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  await request.arrayBuffer();
  const isS3 = request.headers.has("x-amz-date") && !request.headers.has("x-amz-target");
  if (pathname === "/" && isS3) {
    return new Response(BUCKETS, { headers: { "content-type": "application/xml" } });
  }
  const known = Object.entries(ANSWERS).find(([end]) => pathname.endsWith(end));
  return Response.json(known?.[1] ?? { ok: true, user: "bot", result: { id: 1 }, path: pathname });
}

function serveHttp(): number {
  return (Deno.serve({ hostname, port: 0, onListen() {} }, answer).addr as Deno.NetAddr).port;
}

// deno-lint-ignore no-explicit-any
type Anything = any;

async function serveMysql(): Promise<number> {
  const server: Anything = (mysql as Anything).createServer((connection: Anything) => {
    connection.serverHandshake({
      protocolVersion: 10,
      serverVersion: "8.0.0",
      connectionId: 1,
      statusFlags: 2,
      characterSet: 8,
      capabilityFlags: 0xffffff & ~0x800,
      authCallback: (_: unknown, done: (...args: unknown[]) => void) => done(null),
    });
    connection.on("query", () =>
      connection.writeTextResult([{ answer: 42 }], [{
        ...{ catalog: "def", schema: "", table: "", orgTable: "", name: "answer" },
        ...{ orgName: "answer", characterSet: 63, columnLength: 2, columnType: 3, flags: 0 },
        decimals: 0,
      }]));
    connection.on("error", () => {});
  });
  await new Promise<void>((resolve) => server._server.listen(0, hostname, resolve));
  return server._server.address().port;
}

const HELLO = {
  helloOk: true,
  ismaster: true,
  isWritablePrimary: true,
  maxBsonObjectSize: 16_777_216,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  minWireVersion: 0,
  maxWireVersion: 21,
  ok: 1,
};
const OP_QUERY = 2004;
const OP_MSG = 2013;

function serveMongo(): number {
  const listener = Deno.listen({ hostname, port: 0 });
  (async () => {
    for await (const connection of listener) speakMongo(connection).catch(() => {});
  })();
  return (listener.addr as Deno.NetAddr).port;
}

async function speakMongo(connection: Deno.Conn): Promise<void> {
  let bytes = new Uint8Array();
  for await (const chunk of connection.readable) {
    bytes = new Uint8Array([...bytes, ...chunk]);
    for (;;) {
      const length = bytes.length < 4 ? Infinity : view(bytes).getInt32(0, true);
      if (bytes.length < length) break;
      await connection.write(reply(bytes.slice(0, length)));
      bytes = bytes.slice(length);
    }
  }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset);
}

function reply(message: Uint8Array): Uint8Array {
  const [id, code] = [view(message).getInt32(4, true), view(message).getInt32(12, true)];
  const command: Anything = code === OP_MSG ? deserialize(message.subarray(21)) : {};
  const isHello = code === OP_QUERY || command.hello || command.ismaster;
  const found = { cursor: { firstBatch: [{ answer: 42 }], id: 0n, ns: "t.c" }, ok: 1 };
  const body = serialize(isHello ? HELLO : command.find ? found : { ok: 1 });
  const [head, operation] = code === OP_QUERY ? [36, 1] : [21, OP_MSG];
  const answer = new Uint8Array(head + body.length);
  const header = view(answer);
  header.setInt32(0, answer.length, true);
  header.setInt32(8, id, true);
  header.setInt32(12, operation, true);
  if (code === OP_QUERY) header.setInt32(32, 1, true);
  answer.set(body, head);
  return answer;
}

const ports = { http: serveHttp(), mysql: await serveMysql(), mongo: serveMongo() };
console.log(JSON.stringify(ports));
