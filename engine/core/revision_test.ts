import { deepEqual, equal, notEqual } from "node:assert/strict";
import { hashFiles, hashSecrets, revisionMismatch, SALT } from "./revision.ts";

function files(texts: Readonly<Record<string, string>>): Map<string, Uint8Array> {
  const encoder = new TextEncoder();
  return new Map(Object.entries(texts).map(([path, text]) => [path, encoder.encode(text)]));
}

Deno.test("the hash is the tool's own, whatever the order", async () => {
  // The same value stands in the tool's tests: crates/tntc-core/src/manifests/loaded.rs.
  const expected = "577d24dd69490500";
  equal(await hashFiles(files({ "workflow.yaml": "name: w\n", "nodes/a.ts": "\u00e4" })), expected);
  equal(await hashFiles(files({ "nodes/a.ts": "\u00e4", "workflow.yaml": "name: w\n" })), expected);
});

Deno.test("a path cannot be taken for content", async () => {
  notEqual(await hashFiles(files({ a: "bc" })), await hashFiles(files({ ab: "c" })));
});

Deno.test("secrets without a salt are never hashed", async () => {
  deepEqual(
    await Promise.all([
      hashSecrets(files({})),
      hashSecrets(files({ github: "hunter2" })),
    ]),
    ["none", "unsalted"],
  );
  const salted = files({ github: "hunter2", [SALT]: "7" });
  equal(await hashSecrets(salted), await hashFiles(salted));
});

Deno.test("a gauge shows whether the files are those of the deployment", async () => {
  const gauge = (revision: string) =>
    revisionMismatch(() => ({ revision, expected: "a", secrets: "none" })).read();
  deepEqual([await gauge("a"), await gauge("b")], [[["", 0]], [["", 1]]]);
});
