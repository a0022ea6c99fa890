import { deepEqual } from "node:assert/strict";
import { differences } from "./diff.ts";

Deno.test("the order of keys is no difference", () => {
  deepEqual(differences({ a: 1, b: [{ c: 2, d: 3 }] }, { b: [{ d: 3, c: 2 }], a: 1 }), []);
});

Deno.test("a difference is told where it is, and nothing around it", () => {
  const expected = { a: { b: [1, { c: "x" }] }, "odd key": 1 };
  const actual = { a: { b: [1, { c: "y" }] }, "odd key": 2 };
  deepEqual(differences(expected, actual), [
    { path: "a.b[1].c", expected: "x", actual: "y" },
    { path: '["odd key"]', expected: 1, actual: 2 },
  ]);
});

Deno.test("null is a value, and not the same as nothing", () => {
  deepEqual(differences({ a: null }, {}), [{ path: "a", expected: null }]);
  deepEqual(differences({}, { a: null }), [{ path: "a", actual: null }]);
  deepEqual(differences([null], []), [{ path: "[0]", expected: null }]);
});

Deno.test("an item put into a list is one difference", () => {
  deepEqual(differences([1, 2, 3], [1, 9, 2, 3]), [{ path: "[1]", actual: 9 }]);
  deepEqual(differences([1, 1, 1], [1, 1]), [{ path: "[2]", expected: 1 }]);
  deepEqual(differences([], [1]), [{ path: "[0]", actual: 1 }]);
});

Deno.test("values of different kinds are told whole", () => {
  deepEqual(differences([1], { 0: 1 }), [{ path: "", expected: [1], actual: { 0: 1 } }]);
  deepEqual(differences("1", 1), [{ path: "", expected: "1", actual: 1 }]);
});

Deno.test("a key that every object has by birth is only there when it is its own", () => {
  deepEqual(differences({ constructor: 1 }, {}), [{ path: "constructor", expected: 1 }]);
});
