import { deepEqual, throws } from "node:assert/strict";
import { parseYaml } from "./yaml.ts";

Deno.test("values are those of the core schema", () => {
  const text = "a: yes\nb: 0o17\nc: 1.5\nd: 2026-01-01\ne: ~\nf: true\ng: &x [1]\nh: *x";
  deepEqual(parseYaml(text), {
    a: "yes",
    b: 15,
    c: 1.5,
    d: "2026-01-01",
    e: null,
    f: true,
    g: [1],
    h: [1],
  });
});

Deno.test("what is wrong is told with its line and column, and shown", () => {
  throws(
    () => parseYaml("a: 1\nb: 2\na: 3\n"),
    /^SyntaxError: duplicated mapping key at line 3, column 1\n.*a: 3/s,
  );
  throws(() => parseYaml("a: [1"), /at line 1, column \d/);
  throws(() => parseYaml("a: *none"), /alias "none" at line 1/);
  throws(() => parseYaml("a: !!js/function x"), SyntaxError);
  throws(() => parseYaml("a: 1\n---\nb: 2"), SyntaxError);
});
