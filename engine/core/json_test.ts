import { deepEqual, equal, notEqual, throws } from "node:assert/strict";
import { copyJson, NotJsonError } from "./json.ts";

function refused(value: unknown, message: RegExp): void {
  throws(
    () => copyJson(value),
    (error) => error instanceof NotJsonError && message.test(error.message),
  );
}

Deno.test("JSON is copied, and the copy shares nothing", () => {
  const value = { a: [1, "x", true, null, { b: [] }], c: {} };
  const copy = copyJson(value);
  deepEqual(copy, value);
  notEqual(copy, value);
  value.a.push("later");
  deepEqual(copy, { a: [1, "x", true, null, { b: [] }], c: {} });
});

Deno.test("what JSON has no form for is refused, with the place", () => {
  refused(undefined, /^returned undefined, which JSON cannot carry$/);
  refused(() => 1, /^returned a function,/);
  refused(1n, /^returned a bigint,/);
  refused(Symbol("s"), /^returned a symbol,/);
  refused({ a: [0, { b: NaN }] }, /^returned the number NaN at a\.1\.b,/);
  refused([-Infinity], /^returned the number -Infinity at 0,/);
  refused([undefined], /^returned undefined at 0,/);
  refused({ f: () => {} }, /a function at f,/);
});

Deno.test("what JSON would silently turn into an empty object is refused", () => {
  refused(new Map([["a", 1]]), /^returned a Map,/);
  refused({ s: new Set([1]) }, /a Set at s,/);
  refused(new Error("x"), /a Error,/);
  refused(new Uint8Array(2), /a Uint8Array,/);
  refused({ p: Promise.resolve() }, /a Promise at p,/);
});

Deno.test("a cyclic object is told from one that is merely deep", () => {
  const ring: Record<string, unknown> = {};
  ring["self"] = { ring };
  refused(ring, /^returned a cyclic object at self\.ring\.self,/);
  let deep: unknown = 1;
  for (let level = 0; level < 100_000; level++) deep = [deep];
  refused(deep, /nested over 1000 levels deep/);
});

Deno.test("an object reached twice without a cycle is copied twice", () => {
  const shared = { n: 1 };
  deepEqual(copyJson([shared, shared]), [{ n: 1 }, { n: 1 }]);
});

Deno.test("as in JSON.stringify, toJSON is heeded and undefined properties are left out", () => {
  deepEqual(copyJson({ at: new Date(0), no: undefined }), { at: "1970-01-01T00:00:00.000Z" });
  deepEqual(copyJson(new URL("http://a/")), "http://a/");
});

Deno.test("an instance of a class is its data", () => {
  class Point {
    constructor(readonly x: number) {}
    double(): number {
      return this.x * 2;
    }
  }
  deepEqual(copyJson(new Point(2)), { x: 2 });
});

Deno.test("a key named __proto__ stays a key", () => {
  const copy = copyJson(JSON.parse('{"__proto__": {"admin": true}}')) as Record<string, unknown>;
  equal(copy["admin"], undefined);
  equal(JSON.stringify(copy), '{"__proto__":{"admin":true}}');
});

Deno.test("what would silently become an empty object is refused", () => {
  const lost: object[] = [
    new Headers({ a: "b" }),
    new URLSearchParams("a=b"),
    new FormData(),
    new Blob(["x"]),
    [1].values(),
    new Map([[1, 2]]).entries(),
    Object(5),
    new WeakMap(),
    Promise.resolve(1),
    /x/,
  ];
  for (const value of lost) {
    throws(() => copyJson({ at: value }), (error) => {
      return error instanceof NotJsonError && /at at/.test(error.message);
    }, String(value));
  }
  class Row {
    constructor(readonly id: number) {}
    method(): number {
      return this.id;
    }
  }
  deepEqual(copyJson(new Row(1)), { id: 1 });
  deepEqual(copyJson({}), {});
  deepEqual(copyJson(Object.create(null)), {});
});

Deno.test("toJSON is asked once, as JSON.stringify does", () => {
  const itself: Record<string, unknown> = { a: 1 };
  itself["toJSON"] = () => itself;
  throws(() => copyJson(itself), /a function at toJSON/);
  deepEqual(copyJson({ toJSON: () => ({ a: 1 }) }), { a: 1 });
});
