import { deepEqual, equal, throws } from "node:assert/strict";
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

Deno.test("merge keys fill in what the mapping does not say", () => {
  deepEqual(parseYaml("x: &x {a: 1, b: 2}\ny: {b: 3, <<: *x}\nz: {'<<': 1}"), {
    x: { a: 1, b: 2 },
    y: { b: 3, a: 1 },
    z: { "<<": 1 },
  });
  deepEqual(parseYaml("%YAML 1.2\n---\na: 1\n"), { a: 1 });
  deepEqual(parseYaml("\uFEFFa: 1\n"), { a: 1 });
});

Deno.test("what aliases add has an end", () => {
  const levels = Array.from({ length: 9 }, (_, n) => {
    const items = n === 0 ? "x, x" : Array(9).fill(`*a${n - 1}`).join(", ");
    return `a${n}: &a${n} [${items}]\n`;
  });
  throws(() => parseYaml(levels.join("")), /aliases add more than 10000 values/);
  throws(() => parseYaml("a: &a {b: [*a]}"), /within the value of its own anchor/);
  const keys = Array.from({ length: 1000 }, (_, n) => `k${n}: 1`).join(", ");
  const merges = Array.from({ length: 20 }, (_, n) => `m${n}: {<<: *base}\n`).join("");
  throws(() => parseYaml(`base: &base {${keys}}\n${merges}`), SyntaxError);
});

Deno.test("lists within lists go as deep as tntc validate lets them", () => {
  const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
  equal(Array.isArray(parseYaml(nested(256))), true);
  throws(() => parseYaml(nested(300)), SyntaxError);
});
