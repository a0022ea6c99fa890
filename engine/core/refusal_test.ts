import { equal, ok } from "node:assert/strict";
import { messageOf } from "./errors.ts";
import { explain, isRefusal } from "./refusal.ts";

function refused(access: string): string {
  const kind = access.split(" ")[0];
  return `Requires ${access}, run again with the --allow-${kind} flag`;
}

const NET = 'net access to "api.github.com:443"';
const GITHUB = "api.github.com:443 is not in the contract; add to workflow.yaml: " +
  "contract.dependencies.github: {protocol: https, host: api.github.com}";

Deno.test("a host that is refused is told with the line to add", () => {
  const told = (host: string): string => explain(refused(`net access to "${host}"`));
  equal(told("api.github.com:443"), GITHUB);
  equal(
    told("db.data.svc.cluster.local:5432"),
    "db.data.svc.cluster.local:5432 is not in the contract; add to workflow.yaml: contract." +
      "dependencies.db: {protocol: postgresql, host: db.data.svc.cluster.local, " +
      "database: <database>, user: <user>}",
  );
  equal(
    told("10.0.0.1:6379"),
    "10.0.0.1:6379 is not in the contract; add to workflow.yaml: " +
      "contract.dependencies.NAME: {protocol: tcp, host: 10.0.0.1, port: 6379}",
  );
  equal(
    told("[fd00::1]:80"),
    "[fd00::1]:80 is not in the contract; add to workflow.yaml: " +
      'contract.dependencies.NAME: {protocol: http, host: "fd00::1"}',
  );
});

Deno.test("a host of the pod itself is no entry of a contract", () => {
  equal(
    explain(refused('net access to "localhost:6379"')),
    "localhost:6379 is not in the contract; in a pod it is the pod itself: " +
      "use host and port of ctx.dependency(NAME)",
  );
});

Deno.test("a name that node:dns was refused is told like any other", () => {
  const told = explain("queryA: getaddrinfo EPERM smtp.example.com");
  ok(told.startsWith("queryA: smtp.example.com is not in the contract"), told);
});

Deno.test("what a library has put around a refusal stays", () => {
  equal(explain(`Error: ${refused(NET)}undefined (3 tries)`), `Error: ${GITHUB} (3 tries)`);
  equal(explain("timed out after 30 s"), "timed out after 30 s");
});

Deno.test("no permission is left in words about flags", () => {
  const kinds = [
    'read access to "/etc/passwd"',
    'write access to "/etc/x"',
    'env access to "TOKEN"',
    "env access",
    'run access to "ls"',
    'sys access to "inspector"',
    'ffi access to "/x.node"',
    'import access to "esm.sh:443"',
    "read access to <CWD>",
  ];
  for (const kind of kinds) {
    const told = explain(refused(kind));
    ok(!told.includes("--allow"), told);
    ok(!told.includes("undefined"), told);
  }
});

Deno.test("messages of errors explain what their causes were refused", () => {
  const cause = new Error(refused(NET));
  equal(messageOf(new Error("Connection error.", { cause })), `Connection error. (${GITHUB})`);
});

Deno.test("a refusal is known below whatever a library has put around it", () => {
  const refusal = Object.assign(new Error("x"), { name: "NotCapable" });
  ok(isRefusal(refusal));
  ok(isRefusal(new Error("Connection error.", { cause: refusal })));
  ok(isRefusal(new Error(`request failed: ${refused(NET)}`)));
  ok(!isRefusal(new Error("ECONNRESET")));
  ok(!isRefusal("NotCapable"));
  const ring = new Error("a");
  ring.cause = ring;
  ok(!isRefusal(ring));
});

Deno.test("an import by a variable is told with what to write", () => {
  for (
    const [text, name] of [
      [
        "JSR package manifest for '@std/a' failed to load. A remote specifier was requested: " +
        '"https://jsr.io/@std/a/meta.json", but --no-remote is specified.',
        "https://jsr.io/@std/a/meta.json",
      ],
      [
        'A remote specifier was requested: "https://a.b/x", but --no-remote is specified.',
        "https://a.b/x",
      ],
      ["npm specifiers were requested; but --no-npm is specified", "a package of npm"],
      ['Import "ms" not a dependency and not in import map from "file:///app/a.ts"', "ms"],
    ] as const
  ) {
    const told = explain(text);
    ok(told.startsWith(`${name} cannot be imported while a node runs`), told);
    ok(!told.includes("--no-"), told);
  }
});
