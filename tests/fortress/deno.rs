//! What a node tries against the permissions of the engine that runs it: on this machine, in a pod, and on gVisor.

use serde_json::Value;

use super::attack::Layer::{Deno, Engine, Pod};
use super::attack::Outcome::{Blocked, Contained, Limit};
use super::attack::{Attack, Outcome, answered, judge, tested};
use super::scene::Scene;
use crate::support::tntc;

const fn denied(name: &'static str, what: &'static str) -> Attack {
    answered(name, what, Blocked(Deno), "denied")
}

const OWN_PERMISSIONS: &str = "it has the permissions of the node that made it";
const SAME: Outcome = Contained("it gets the same answer on every machine");
const HOST: &str = "tests/fortress/local.rs";
const CONSOLE: &str = "engine/tests/console_test.ts";
const SEAL: &str = "engine/tests/seal_test.ts";

/// Those of `attacks/deno.ts`.
pub const ATTACKS: &[Attack] = &[
    answered(
        "net-declared",
        "a declared host, to know that the others could be reached",
        Contained("this is what the contract is for"),
        "reached 307",
    ),
    denied("net-name", "fetches from a Service of the cluster by name"),
    denied("net-port", "fetches from another port of a declared host"),
    denied("net-integer-address", "writes an address as one number"),
    denied(
        "net-mapped-address",
        "writes an IPv4 address as one of IPv6",
    ),
    denied(
        "net-redirect",
        "follows a redirect from a declared to another host",
    ),
    denied(
        "net-dependency-redirect",
        "the same by `ctx.dependency(…).fetch`",
    ),
    denied("net-websocket", "opens a WebSocket to another port"),
    denied("net-websocket-stream", "opens a WebSocketStream"),
    answered(
        "net-event-source",
        "opens an EventSource",
        Blocked(Deno),
        "denied | Error: error",
    ),
    denied("net-connect", "opens a TCP connection"),
    denied("net-connect-tls", "opens a TLS connection"),
    denied("net-node", "opens a TCP connection by `node:net`"),
    denied("net-node-tls", "opens a TLS connection by `node:tls`"),
    denied("net-node-http", "asks by `node:http`"),
    denied("net-node-http2", "asks by `node:http2`"),
    denied(
        "net-node-lookup",
        "lets a declared name stand for another address by a `lookup` of its own",
    ),
    denied("net-proxy", "asks an HTTP proxy to connect"),
    denied("net-proxy-tcp", "asks a TCP proxy to connect"),
    denied("net-proxy-unix", "asks Docker's socket as a proxy"),
    denied("net-quic", "opens a QUIC connection"),
    denied("net-quic-listen", "opens a QUIC endpoint"),
    denied("net-webtransport", "opens a WebTransport"),
    denied("net-metadata", "asks the cloud's metadata service"),
    denied("net-metadata-ipv6", "asks it by IPv6"),
    denied("net-api-server", "asks the Kubernetes API server"),
    denied("net-own-run", "starts runs of its own engine by 0.0.0.0"),
    denied("net-own-loopback", "starts runs of it by 127.0.0.1"),
    denied("net-own-localhost", "connects to it by `localhost`"),
    answered(
        "net-fronting",
        "names another site to a declared host",
        Limit("a declared host is trusted as a whole"),
        "reached",
    ),
    denied("dns-resolve", "sends data out in a name that it looks up"),
    denied("dns-own-server", "looks a name up at a server of its own"),
    denied("dns-lookup", "looks a name up by `node:dns`"),
    answered(
        "dns-node",
        "resolves a name by `node:dns`",
        Blocked(Deno),
        "denied | Error: queryA",
    ),
    denied("dns-node-servers", "sets name servers by `node:dns`"),
    denied("dns-by-connecting", "looks a name up by connecting to it"),
    denied("listen-tcp", "listens on a port"),
    denied("listen-any-port", "listens on any port"),
    denied("listen-serve", "serves HTTP on a port"),
    denied("listen-node", "serves HTTP by `node:http`"),
    denied(
        "listen-beside-the-engine",
        "shares the engine's port, to take its requests",
    ),
    denied("udp-listen", "listens for UDP on the engine's port"),
    denied("udp-send", "sends UDP to a declared host and port"),
    answered(
        "udp-node",
        "sends UDP by `node:dgram`",
        Blocked(Deno),
        "denied | Error: came to nothing",
    ),
    denied("unix-docker", "connects to Docker's socket"),
    denied("unix-listen", "listens on a Unix socket in /tmp"),
    denied("unix-node", "connects to Docker's socket by `node:net`"),
    answered(
        "context-absolute",
        "passes the URL of another host to a dependency's `fetch`",
        Blocked(Engine),
        "TypeError: dependency \"declared\" is http://",
    ),
    answered(
        "context-slashes",
        "passes `//host` to a dependency's `fetch`",
        Blocked(Engine),
        "TypeError: dependency \"declared\" is http://",
    ),
    denied(
        "context-fetch",
        "passes the URL of another host to `ctx.fetch`",
    ),
    answered(
        "context-undeclared",
        "asks for a dependency that is not in the contract",
        Blocked(Engine),
        "Error: dependency \"undeclared\" is not in the contract",
    ),
    denied("read-passwd", "reads a file of the system"),
    denied("read-url", "fetches a `file:` URL"),
    denied("read-dots", "leaves the workflow by `..`"),
    denied("read-encoded-dots", "leaves the workflow by `%2e%2e`"),
    denied("read-node", "reads a file by `node:fs`"),
    answered(
        "read-require",
        "reads a file by `require`",
        Blocked(Deno),
        "denied | Error: Cannot find module",
    ),
    denied("read-import-text", "imports a file as text"),
    denied("read-import-json", "imports a file as JSON"),
    answered(
        "read-import-bytes",
        "imports a file as bytes",
        Blocked(Deno),
        "denied | TypeError: \"bytes\" is not a valid module type",
    ),
    denied("read-environ", "reads the environment from /proc"),
    denied("read-cmdline", "reads the arguments of process 1"),
    denied("read-memory", "opens the memory of its process"),
    denied("read-root-of-1", "reads through /proc/1/root"),
    denied("read-descriptors", "lists open files"),
    denied("read-directory", "lists the root directory"),
    denied("read-secrets", "lists the mounted secrets"),
    denied("read-secret", "reads a mounted secret"),
    denied("read-device", "opens a device"),
    denied("stat-passwd", "asks for a file's metadata"),
    denied("watch-etc", "watches a directory of the system"),
    answered(
        "token",
        "reads a token of a service account",
        Blocked(Pod),
        "NotFound | denied",
    ),
    denied(
        "link-and-read",
        "reads through a symbolic link that it makes",
    ),
    denied("hard-link", "makes a hard link to a file of the system"),
    denied("copy-out", "copies a file of the system"),
    denied("copy-in", "copies a file among the workflow's"),
    denied("rename-out", "renames a file over the engine's"),
    denied("write-code", "writes beside its own code"),
    denied("write-engine", "writes the engine"),
    denied("write-etc", "writes a file of the system"),
    denied("write-dots", "leaves /tmp by `..`"),
    denied("write-shared-memory", "writes /dev/shm"),
    denied("write-node", "writes by `node:fs`"),
    answered(
        "write-storage",
        "keeps something in `localStorage`",
        Blocked(Pod),
        "denied | Error | NotADirectory | NotFound | NotSupported | AlreadyExists | OperationError | TypeError",
    ),
    answered(
        "write-cache",
        "keeps something in `caches`",
        Blocked(Pod),
        "denied | Error | NotADirectory | NotFound | NotSupported | AlreadyExists | OperationError | TypeError",
    ),
    denied("sqlite-file", "opens a database outside /tmp"),
    answered(
        "sqlite-attach",
        "attaches a database outside /tmp",
        Blocked(Deno),
        "denied | Error: too many attached databases",
    ),
    denied("sqlite-extension", "loads an extension of SQLite"),
    denied("run-command", "runs a program"),
    answered(
        "run-deno",
        "runs Deno itself",
        Blocked(Deno),
        "denied | NotFound: Failed to spawn",
    ),
    answered(
        "run-node",
        "runs a program by `node:child_process`",
        Blocked(Deno),
        "denied | Error: spawn id ENOENT",
    ),
    denied("run-fork", "forks itself"),
    denied("run-script", "runs a script that it wrote to /tmp"),
    denied("kill-parent", "sends its parent a signal"),
    answered(
        "kill-init",
        "sends process 1 a signal, which in a pod is its own",
        Limit("other runs of that workflow end, and the pod is restarted"),
        "denied | reached nothing",
    ),
    denied("ffi-libc", "loads the C library"),
    denied("ffi-node", "loads a native module by `require`"),
    denied("ffi-process", "loads a native module by `process.dlopen`"),
    denied("ffi-raw-op", "calls FFI by `Deno[Deno.internal]`"),
    answered(
        "env-path",
        "reads a variable of the environment",
        Blocked(Deno),
        "reached nothing | denied",
    ),
    answered(
        "env-all",
        "lists the environment",
        Blocked(Deno),
        "reached [] | denied",
    ),
    answered(
        "env-node",
        "lists the environment by `process.env`",
        Blocked(Deno),
        "reached [] | denied",
    ),
    answered(
        "sys-hostname",
        "asks for the host's name",
        SAME,
        "reached localhost",
    ),
    answered(
        "sys-node-hostname",
        "asks for it by `node:os`",
        SAME,
        "reached localhost",
    ),
    answered(
        "sys-interfaces",
        "asks for network interfaces",
        SAME,
        "reached []",
    ),
    answered(
        "sys-release",
        "asks for the kernel's version",
        SAME,
        "reached 6.1.0",
    ),
    answered(
        "sys-user",
        "asks for the user's name",
        SAME,
        "reached nobody",
    ),
    answered(
        "sys-uid",
        "asks for the user's number",
        SAME,
        "reached 65534",
    ),
    answered(
        "sys-memory",
        "asks for the machine's memory",
        SAME,
        "reached {\"total\":536870912",
    ),
    answered(
        "ask-permission",
        "asks for a permission to read everything",
        Blocked(Deno),
        "reached denied",
    ),
    answered(
        "ask-net",
        "asks for a permission to reach every host",
        Blocked(Deno),
        "reached denied",
    ),
    answered(
        "ask-person",
        "asks the person at the terminal",
        Blocked(Deno),
        "reached nothing",
    ),
    denied("worker-read", "reads a file from a Worker"),
    denied("worker-net", "reaches a host from a Worker"),
    denied("worker-secrets", "reads the mounted secrets from a Worker"),
    denied("thread-read", "reads a file from a thread of Node"),
    answered(
        "import-https",
        "imports code by https while it runs",
        Blocked(Deno),
        "TypeError: A remote specifier was requested | denied",
    ),
    answered(
        "import-http",
        "imports code by http from another host",
        Blocked(Deno),
        "TypeError: A remote specifier was requested | denied",
    ),
    answered(
        "import-npm",
        "imports a package of npm while it runs",
        Blocked(Deno),
        "TypeError: npm specifiers were requested",
    ),
    answered(
        "import-jsr",
        "imports a package of JSR while it runs",
        Blocked(Deno),
        "TypeError: JSR package manifest",
    ),
    denied("import-data", "imports code from a `data:` URL"),
    denied("eval-read", "reads a file from `eval`"),
    denied("vm-read", "reads a file from `node:vm`"),
    answered(
        "wasm",
        "runs WebAssembly",
        Contained(OWN_PERMISSIONS),
        "reached []",
    ),
    denied("inspector", "opens the inspector's port"),
    answered(
        "end-deno",
        "ends the process by `Deno.exit`",
        Blocked(Engine),
        "Error: a node cannot end the engine",
    ),
    answered(
        "end-node",
        "ends the process by `process.exit`",
        Blocked(Engine),
        "Error: a node cannot end the engine",
    ),
    answered(
        "end-close",
        "ends the process by `close`",
        Blocked(Engine),
        "Error: a node cannot end the engine",
    ),
];

/// Those that have a test of their own.
pub const TESTED: &[Attack] = &[
    tested(
        "secrets-while-loading",
        "reads the mounted secrets while it is loaded",
        Blocked(Engine),
        SEAL,
        "a node reads no secrets from their files, neither while it is loaded nor later",
    ),
    tested(
        "globals",
        "breaks the globals and prototypes that the engine uses",
        Blocked(Engine),
        CONSOLE,
        "a node that breaks globals breaks nobody else's runs",
    ),
    tested(
        "console",
        "prints a secret, or a line that looks like the engine's",
        Blocked(Engine),
        CONSOLE,
        "a deployed node that prints from any file is masked, and marked with its run",
    ),
    tested(
        "thrown",
        "throws what cannot be described",
        Blocked(Engine),
        "engine/core/hostile_test.ts",
        "nothing that was thrown keeps its description from ending",
    ),
    tested(
        "output",
        "returns 500 MB",
        Blocked(Engine),
        "engine/tests/limits_test.ts",
        "an output of 500 MB ends its run alone",
    ),
    tested(
        "memory",
        "takes all memory, also by a snapshot of its heap",
        Contained("the pod is restarted, and `tntc` says why"),
        "tests/run_faults.rs",
        "an_engine_that_needs_too_much_memory_is_told_by_name",
    ),
    tested(
        "redirect-with-key",
        "is sent on to another declared host with its key",
        Blocked(Engine),
        HOST,
        "a_redirect_to_another_declared_host_carries_no_key",
    ),
    tested(
        "storage",
        "keeps something for the next local run",
        Blocked(super::attack::Layer::Tntc),
        HOST,
        "nothing_is_kept_from_one_run_to_the_next",
    ),
    tested(
        "user-environment",
        "reads the user's environment in a local run",
        Blocked(super::attack::Layer::Tntc),
        HOST,
        "no_node_sees_the_users_environment_whatever_the_contract",
    ),
    tested(
        "local-server",
        "reaches a server on the developer's machine",
        Blocked(Deno),
        HOST,
        "a_server_on_this_machine_is_out_of_reach_on_every_port",
    ),
    tested(
        "loop",
        "never comes to an end",
        Contained("the pod is restarted within a minute or so, whatever the grace period"),
        "tests/fortress/triggers.rs",
        "an_endless_loop_costs_a_restart_and_not_the_grace_period",
    ),
    tested(
        "end-by-flag",
        "ends the process by asking for what an unstable flag is needed for",
        Limit("other runs of that workflow end, and the pod is restarted"),
        "tests/fortress/pod.rs",
        "a_node_that_ends_the_process_costs_a_restart",
    ),
];

/// What the node says that tries them all, run on this machine.
fn on_this_machine(scene: &Scene) -> Value {
    let answer = tntc(["run", "--local", scene.workflow.path(), "--input", "-"])
        .stdin(&scene.input())
        .run()
        .exits(0);
    answer.json()["outputs"]["only"].clone()
}

#[test]
fn a_node_on_this_machine_is_held_by_its_permissions() {
    let scene = Scene::new();
    judge(ATTACKS, &on_this_machine(&scene), "this machine");
    scene.nothing_came_through();
}
