/** Whatever was thrown, as text. Nodes may throw anything. */

/** The surroundings do not let the engine start: a port, a file, a permission. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** One line that says what went wrong, for `errors` of a run's result. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return withCause(thrown.message || thrown.name, thrown.cause);
  if (typeof thrown === "string") return thrown;
  return stringify(thrown);
}

/**
 * Where it was thrown: the stack's lines in files under `root` (a URL ending in `/`), relative to
 * it. Deno has mapped them to the lines of the source already.
 */
export function framesOf(thrown: unknown, root: string): string[] {
  if (!(thrown instanceof Error) || typeof thrown.stack !== "string") return [];
  const lines = thrown.stack.split("\n").map((line) => line.trim());
  return lines.filter((line) => line.startsWith("at ") && line.includes(root))
    .map((line) => line.replaceAll(root, ""));
}

/** The name of its kind. */
export function typeOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : typeof thrown;
}

/** `fetch failed` alone helps nobody: the cause has the address. */
function withCause(message: string, cause: unknown): string {
  if (cause === undefined) return message;
  const reason = messageOf(cause);
  return message.includes(reason) ? message : `${message} (${reason})`;
}

function stringify(thrown: unknown): string {
  try {
    return JSON.stringify(thrown) ?? String(thrown);
  } catch {
    return Object.prototype.toString.call(thrown);
  }
}
