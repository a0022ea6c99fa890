/** Values that nodes should not throw or return, and do. Made anew for each use. */

type Make = () => unknown;

function throwing(): never {
  throw new Error("from a getter");
}

function withGetter(target: object, key: PropertyKey): object {
  return Object.defineProperty(target, key, { get: throwing, configurable: true });
}

function ring(length: number): Error {
  const errors = Array.from({ length }, (_, index) => new Error(`link ${index}`));
  errors.forEach((error, index) => error.cause = errors[(index + 1) % length]);
  return errors[0] ?? new Error("none");
}

function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

function everyTrap(target: object): unknown {
  return new Proxy(target, new Proxy({}, { get: () => throwing }));
}

function nested(depth: number): unknown {
  let value: unknown = [];
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

function cyclic(): unknown {
  const value: Record<string, unknown> = {};
  value["self"] = { value };
  return value;
}

function chain(length: number): Error {
  let error = new Error("the first");
  for (let index = 0; index < length; index++) error = new Error(`wrap ${index}`, { cause: error });
  return error;
}

class Odd extends Error {
  override get name(): string {
    return throwing();
  }
}

const VALUES: Readonly<Record<string, Make>> = {
  "undefined": () => undefined,
  "null": () => null,
  "an empty string": () => "",
  "half a surrogate pair": () => "\ud800",
  "control characters": () => "a\r\n[engine] INFO forged\u2028\u0085\u001b[2J\u202e",
  "a very long string": () => "x".repeat(10_000_000),
  "NaN": () => NaN,
  "a bigint": () => 2n ** 200n,
  "a symbol": () => Symbol("s"),
  "a function": () => throwing,
  "a class": () => Odd,
  "an error that is its own cause": () => ring(1),
  "a ring of two causes": () => ring(2),
  "a ring of a thousand causes": () => ring(1_000),
  "a chain of ten thousand causes": () => chain(10_000),
  "an error whose message throws": () => withGetter(new Error("x"), "message"),
  "an error whose stack throws": () => withGetter(new Error("x"), "stack"),
  "an error whose cause throws": () => withGetter(new Error("x"), "cause"),
  "an error whose name throws": () => new Odd("x"),
  "an error with a number as message": () =>
    Object.assign(new Error("x", { cause: "y" }), { message: 42 }),
  "an error with an object as stack": () => Object.assign(new Error("x"), { stack: {} }),
  "an error with a symbol as message": () => Object.assign(new Error("x"), { message: Symbol() }),
  "an error with a very long message": () => new Error("y".repeat(10_000_000)),
  "an error without a prototype": () => Object.setPrototypeOf(new Error("x"), null),
  "a frozen error": () => Object.freeze(new Error("x")),
  "an aggregate of itself": () => {
    const error = new AggregateError([], "all");
    error.errors = [error, error];
    return error;
  },
  "an aggregate whose errors throw": () => withGetter(new AggregateError([], "all"), "errors"),
  "an aggregate of ten thousand": () =>
    new AggregateError(Array.from({ length: 10_000 }, (_, it) => new Error(String(it)))),
  "a revoked proxy": () => revoked({}),
  "a revoked proxy of an error": () => revoked(new Error("x")),
  "a revoked proxy of a function": () => revoked(() => 1),
  "a revoked proxy of an array": () => revoked([]),
  "a proxy all of whose traps throw": () => everyTrap({}),
  "a proxy of an error all of whose traps throw": () => everyTrap(new Error("x")),
  "an object without a prototype": () => Object.create(null),
  "an object whose toString throws": () => ({ toString: throwing, toJSON: throwing }),
  "an object whose toPrimitive throws": () => ({ [Symbol.toPrimitive]: throwing }),
  "an object whose tag throws": () => withGetter({}, Symbol.toStringTag),
  "an object whose then throws": () => withGetter({}, "then"),
  "an object whose constructor throws": () => withGetter(new Map(), "constructor"),
  "an object whose toJSON is itself": () => {
    const value: Record<string, unknown> = {};
    value["toJSON"] = () => value;
    return value;
  },
  "an object that inspects itself badly": () => ({
    [Symbol.for("Deno.customInspect")]: throwing,
    [Symbol.for("nodejs.util.inspect.custom")]: throwing,
  }),
  "a cyclic object": cyclic,
  "a value nested a hundred thousand deep": () => nested(100_000),
  "a DOMException": () => new DOMException("x", "AbortError"),
  "a response": () => new Response("x"),
  "a typed array": () => new Uint8Array(1_000_000),
};

export function hostileValues(): [name: string, make: Make][] {
  return Object.entries(VALUES);
}
