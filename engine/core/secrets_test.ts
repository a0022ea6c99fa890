import { deepEqual, equal, throws } from "node:assert/strict";
import {
  lookUp,
  mergeSecrets,
  missingSecrets,
  parseService,
  readSecrets,
  secretTexts,
} from "./secrets.ts";

Deno.test("a service is a JSON object, or else one value", () => {
  deepEqual(parseService('{"token": "t"}'), { token: "t" });
  deepEqual(parseService("plain\n"), { value: "plain" });
  deepEqual(parseService('"quoted"'), { value: '"quoted"' });
  deepEqual(parseService("[1]"), { value: "[1]" });
  deepEqual(parseService(""), { value: "" });
});

Deno.test("a file of secrets is a map of services", () => {
  deepEqual(readSecrets({ a: { k: 1 }, b: "text" }), { a: { k: 1 }, b: { value: "text" } });
  deepEqual(readSecrets({ a: '{"k": 1}', b: null, c: "", d: { e: null, f: "" } }), {
    a: { k: 1 },
    d: {},
  });
  deepEqual(readSecrets(null), {});
  throws(() => readSecrets({ a: "$shared.a" }), /a refers to the shared pool/);
  throws(() => readSecrets({ a: { k: "$shared.a" } }), /a\.k refers to the shared pool/);
  throws(() => readSecrets([1]), /expected a map of services/);
});

Deno.test("what has no value wins over nothing", () => {
  deepEqual(mergeSecrets({ a: { x: 1 } }, { a: { x: "", y: null } }), { a: { x: 1 } });
});

Deno.test("a later source wins, key by key", () => {
  deepEqual(mergeSecrets({ a: { x: 1, y: 1 }, b: { z: 1 } }, { a: { y: 2 }, c: {} }), {
    a: { x: 1, y: 2 },
    b: { z: 1 },
    c: {},
  });
});

Deno.test("a value is looked up as text", () => {
  const secrets = { s: { text: "t", number: 12, none: null, empty: "", map: { a: 1 } } };
  equal(lookUp(secrets, "s", "text"), "t");
  equal(lookUp(secrets, "s", "number"), "12");
  equal(lookUp(secrets, "s", "map"), '{"a":1}');
  equal(lookUp(secrets, "s", "none"), undefined);
  equal(lookUp(secrets, "s", "empty"), undefined);
  equal(lookUp(secrets, "s", "toString"), undefined);
  equal(lookUp(secrets, "toString", "name"), undefined);
});

Deno.test("a number is looked up as it was written, and is a number all the same", () => {
  const service = parseService('{"a": {"b": 1.10, "c": 1.10}, "b": 2.50, "c": 3, "d": 1e400}');
  const merged = mergeSecrets({ s: service }, { s: parseService('{"b": "", "c": 4.0}') });
  const texts = ["b", "c", "d"].map((key) => lookUp(merged, "s", key));
  deepEqual(texts, ["2.50", "4.0", "1e400"]);
  equal(service["b"], 2.5);
  deepEqual(Object.keys(service), ["a", "b", "c", "d"]);
  equal(lookUp(mergeSecrets(merged, { s: { b: "x", d: 1 } }), "s", "b"), "x");
  deepEqual(secretTexts({ s: parseService('{"k": 1.10}') }), ["1.10", "1.1"]);
});

Deno.test("missing secrets are named once, in order", () => {
  const dependency = (key: string) => ({
    protocol: "https",
    host: "h",
    port: 1,
    auth: { type: "t", service: "s", key },
  });
  const dependencies = new Map([["a", dependency("z")], ["b", dependency("y")], [
    "c",
    dependency("z"),
  ]]);
  deepEqual(missingSecrets({ dependencies, triggers: [] }, { s: {} }), ["s.y", "s.z"]);
  deepEqual(missingSecrets({ dependencies, triggers: [] }, { s: { y: 1, z: 1 } }), []);
});

Deno.test("every text among the secrets is known, however deep", () => {
  deepEqual(secretTexts({ a: { b: "x", c: [1, { d: "y" }], e: true, f: null } }), ["x", "1", "y"]);
});

Deno.test("a JSON object and a text may begin with a byte-order mark", () => {
  deepEqual(parseService('\uFEFF{"token": "t"}'), { token: "t" });
  deepEqual(parseService("\uFEFFtext"), { value: "text" });
});
