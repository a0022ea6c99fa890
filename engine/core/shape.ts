/**
 * Reading values of unknown shape, with errors that say where and what.
 *
 * The engine's reader is not the validator: `tntc validate` reports everything at once with lines
 * and columns. This one makes sure that whatever the engine goes on with has the shape it needs.
 */

/** Something in workflow.yaml that the engine cannot run with. */
export class WorkflowError extends Error {
  override readonly name = "WorkflowError";
}

/** A value and the path that led to it. */
export class Shape {
  constructor(readonly value: unknown, readonly path: string) {}

  /** Whether the key was left out, or has no value. */
  get absent(): boolean {
    return this.value === undefined || this.value === null;
  }

  get(key: string): Shape {
    const path = this.path === "" ? key : `${this.path}.${key}`;
    const object = this.object();
    return new Shape(Object.hasOwn(object, key) ? object[key] : undefined, path);
  }

  object(): Readonly<Record<string, unknown>> {
    const { value } = this;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
    return this.#expected("a map");
  }

  entries(): [string, Shape][] {
    return Object.keys(this.object()).map((key) => [key, this.get(key)]);
  }

  list(): Shape[] {
    if (!Array.isArray(this.value)) return this.#expected("a list");
    return this.value.map((item, index) => new Shape(item, `${this.path}[${index}]`));
  }

  string(): string {
    return typeof this.value === "string" ? this.value : this.#expected("a string");
  }

  boolean(): boolean {
    return typeof this.value === "boolean" ? this.value : this.#expected("true or false");
  }

  integer(least: number, most: number): number {
    const { value } = this;
    const fits = typeof value === "number" && Number.isInteger(value) && value >= least &&
      value <= most;
    return fits ? value : this.#expected(`a whole number from ${least} to ${most}`);
  }

  /** `read`'s result, or `undefined` when there is nothing to read. */
  optional<T>(read: (shape: Shape) => T): T | undefined {
    return this.absent ? undefined : read(this);
  }

  fail(problem: string): never {
    throw new WorkflowError(this.path === "" ? problem : `${this.path}: ${problem}`);
  }

  #expected(what: string): never {
    return this.fail(`expected ${what}, found ${describe(this.value)}`);
  }
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}
