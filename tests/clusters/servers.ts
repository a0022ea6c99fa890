// Servers and proxies on loopback, for the table of kubeconfigs. Prints one line of JSON with their ports.
//
// The proxies know the host `cluster.test`, which nobody else does: what arrives there came through one of them.
// Those that want a login take `ada` with the password `p@ss:word`.

const [dir, cluster] = Deno.args;
const tls = {
  cert: Deno.readTextFileSync(`${dir}/tls.pem`),
  key: Deno.readTextFileSync(`${dir}/tls.key`),
};
const LOGIN = `Basic ${btoa("ada:p@ss:word")}`;
const LIST = JSON.stringify({ kind: "DeploymentList", apiVersion: "apps/v1", metadata: {}, items: [] });
const json = { headers: { "content-type": "application/json" } };
let tunnels = 0;

function dial(host: string, port: number): Promise<Deno.TcpConn> {
  tunnels += 1;
  return Deno.connect({ hostname: host === "cluster.test" ? cluster : host, port });
}

type Tunnel = Deno.TcpConn | Deno.TlsConn;

async function copy(from: Tunnel, to: Tunnel): Promise<void> {
  const bytes = new Uint8Array(64 * 1024);
  try {
    for (let read = await from.read(bytes); read !== null; read = await from.read(bytes)) {
      for (let sent = 0; sent < read;) sent += await to.write(bytes.subarray(sent, read));
    }
    await to.closeWrite();
  } catch {
    // One of the two is gone; what the other still has to say goes its own way.
  }
}

async function join(one: Tunnel, other: Tunnel): Promise<void> {
  await Promise.all([copy(one, other), copy(other, one)]);
  other.close();
}

async function exactly(conn: Tunnel, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let have = 0; have < length;) {
    const read = await conn.read(bytes.subarray(have));
    if (read === null) throw new Error("the client is gone");
    have += read;
  }
  return bytes;
}

async function connect(conn: Tunnel, login: boolean): Promise<void> {
  let head = "";
  while (!head.endsWith("\r\n\r\n")) head += String.fromCharCode((await exactly(conn, 1))[0]);
  const say = (text: string) => conn.write(new TextEncoder().encode(text));
  const [, host, port] = /^CONNECT ([^ ]+):(\d+) /.exec(head) ?? [];
  if (!host) return void await say("HTTP/1.1 405 Method Not Allowed\r\n\r\n");
  if (login && !head.includes(`roxy-Authorization: ${LOGIN}\r\n`)) {
    return void await say("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
  }
  if (host === "forbidden.test") return void await say("HTTP/1.1 403 Forbidden\r\n\r\n");
  const target = await dial(host, Number(port));
  await say("HTTP/1.1 200 Connection established\r\n\r\n");
  await join(conn, target);
}

// RFC 1928 and 1929.
async function socks(conn: Tunnel, login: boolean): Promise<void> {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const short = async () => text(await exactly(conn, (await exactly(conn, 1))[0]));
  const [, methods] = await exactly(conn, 2);
  const method = login ? 2 : 0;
  const offered = await exactly(conn, methods);
  await conn.write(new Uint8Array([5, offered.includes(method) ? method : 255]));
  if (!offered.includes(method)) return;
  if (login) {
    await exactly(conn, 1);
    const known = `${await short()}:${await short()}` === "ada:p@ss:word";
    await conn.write(new Uint8Array([1, known ? 0 : 1]));
    if (!known) return;
  }
  const [, , , kind] = await exactly(conn, 4);
  const host = kind === 3 ? await short() : (await exactly(conn, 4)).join(".");
  const [high, low] = await exactly(conn, 2);
  const target = await dial(host, high * 256 + low);
  await conn.write(new Uint8Array([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
  await join(conn, target);
}

async function serve(listener: AsyncIterable<Tunnel>, each: (conn: Tunnel) => Promise<void>): Promise<void> {
  for await (const conn of listener) {
    each(conn).catch(() => {}).finally(() => {
      try {
        conn.close();
      } catch {
        // The other side was faster.
      }
    });
  }
}

function raw(each: (conn: Tunnel) => Promise<void>, secure = false): number {
  const at = { hostname: "127.0.0.1", port: 0 };
  const listener = secure ? Deno.listenTls({ ...at, ...tls }) : Deno.listen(at);
  serve(listener, each);
  return (listener.addr as Deno.NetAddr).port;
}

function http(answer: (request: Request) => Response, secure = false): number {
  const quiet = { hostname: "127.0.0.1", port: 0, onListen() {} };
  const server = Deno.serve(secure ? { ...quiet, ...tls } : quiet, answer);
  return (server.addr as Deno.NetAddr).port;
}

// `/want/<header in base64>/…` is answered to those alone who send it.
function wanting(request: Request): Response {
  const { pathname } = new URL(request.url);
  const [, wanted] = /\/want\/([^/]*)\//.exec(pathname) ?? [];
  const sent = request.headers.get("authorization") ?? "";
  const isWanted = wanted === undefined ? !pathname.startsWith("/anonymous/") || sent === "" : atob(wanted) === sent;
  if (isWanted) return new Response(LIST, json);
  const status = { kind: "Status", apiVersion: "v1", status: "Failure", code: 401, reason: "Unauthorized", message: "Unauthorized" };
  return new Response(JSON.stringify(status), { ...json, status: 401 });
}

const page = { headers: { "content-type": "text/html; charset=utf-8" } };
const ports = {
  plain: http(wanting),
  secure: http(wanting, true),
  page: http(() => new Response("<html>Log in</html>", page)),
  gateway: http(() => new Response("<html>Bad Gateway</html>", { ...page, status: 502 })),
  elsewhere: http(() => new Response(null, { status: 302, headers: { location: "http://127.0.0.1:1/" } })),
  nonsense: http(() => new Response("{\"kind\": ", json)),
  silent: raw(() => new Promise(() => {})),
  closing: raw(() => Promise.resolve()),
  proxy: raw((conn) => connect(conn, false)),
  proxyLogin: raw((conn) => connect(conn, true)),
  proxyTls: raw((conn) => connect(conn, false), true),
  proxyTlsLogin: raw((conn) => connect(conn, true), true),
  socks: raw((conn) => socks(conn, false)),
  socksLogin: raw((conn) => socks(conn, true)),
  tunnels: http(() => new Response(String(tunnels))),
};
console.log(JSON.stringify(ports));
