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
  deepEqual(readSecrets(null), {});
  throws(() => readSecrets([1]), /expected a map of services/);
});

Deno.test("a later source wins, key by key", () => {
  deepEqual(mergeSecrets({ a: { x: 1, y: 1 }, b: { z: 1 } }, { a: { y: 2 }, c: {} }), {
    a: { x: 1, y: 2 },
    b: { z: 1 },
    c: {},
  });
});

Deno.test("a value is looked up as text", () => {
  const secrets = { s: { text: "t", number: 12, none: null, map: { a: 1 } } };
  equal(lookUp(secrets, "s", "text"), "t");
  equal(lookUp(secrets, "s", "number"), "12");
  equal(lookUp(secrets, "s", "map"), '{"a":1}');
  equal(lookUp(secrets, "s", "none"), undefined);
  equal(lookUp(secrets, "toString", "name"), undefined);
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
  deepEqual(missingSecrets(dependencies, { s: {} }), ["s.y", "s.z"]);
  deepEqual(missingSecrets(dependencies, { s: { y: 1, z: 1 } }), []);
});

Deno.test("every text among the secrets is known, however deep", () => {
  deepEqual(secretTexts({ a: { b: "x", c: [1, { d: "y" }], e: true, f: null } }), ["x", "1", "y"]);
});
