/** NATS subjects: tokens between dots, where `*` is any token and a final `>` is any rest. */

/** Whether some subject matches both. */
export function overlap(a: string, b: string): boolean {
  return tokensOverlap(a.split("."), b.split("."));
}

function tokensOverlap(a: readonly string[], b: readonly string[]): boolean {
  const [left, ...leftRest] = a;
  const [right, ...rightRest] = b;
  if (left === undefined || right === undefined) return left === right;
  if (left === ">" || right === ">") return true;
  return (left === "*" || right === "*" || left === right) && tokensOverlap(leftRest, rightRest);
}

/** Whether `all` matches everything that `some` does. */
export function covers(all: string, some: string): boolean {
  return tokensCover(all.split("."), some.split("."));
}

function tokensCover(all: readonly string[], some: readonly string[]): boolean {
  const [left, ...leftRest] = all;
  const [right, ...rightRest] = some;
  if (left === undefined || right === undefined) return left === right;
  if (left === ">") return true;
  if (right === ">") return false;
  return (left === "*" || left === right) && tokensCover(leftRest, rightRest);
}

/** What decides where the dead letters of a trigger go. */
export interface DeadLettering {
  readonly subject: string;
  readonly durable: boolean;
  readonly dlq: string;
}

/** Where a message of `subject` goes when it is given up. */
export function deadLetterSubject({ dlq }: DeadLettering, subject: string): string {
  return `${dlq}.${subject}`;
}

/**
 * The first trigger whose dead letters come back to it, by way of other triggers or at once: a
 * message that always fails would go round for ever. A trigger that only handles the dead letters
 * of another is none. The result lists the triggers on the way, from the one to itself.
 */
export function deadLetterCycle<T extends DeadLettering>(triggers: readonly T[]): T[] | undefined {
  for (const first of triggers) {
    const way = wayBack(triggers, first, first, new Set());
    if (way !== undefined) return [first, ...way];
  }
  return undefined;
}

function wayBack<T extends DeadLettering>(
  triggers: readonly T[],
  from: T,
  to: T,
  seen: Set<T>,
): T[] | undefined {
  if (!from.durable) return undefined;
  const letters = deadLetterSubject(from, from.subject);
  for (const next of triggers.filter((it) => overlap(it.subject, letters))) {
    if (next === to) return [to];
    if (seen.has(next)) continue;
    seen.add(next);
    const rest = wayBack(triggers, next, to, seen);
    if (rest !== undefined) return [next, ...rest];
  }
  return undefined;
}

/** What the inboxes of NATS' clients begin with. */
const INBOX = "_INBOX";

/**
 * Whether a result may be published on a message's reply subject. Whoever sends a message chooses
 * it, and would otherwise make the engine publish anywhere with its own permissions: on the subject
 * of another workflow, or on `$JS.API.STREAM.PURGE.orders`.
 */
export function mayReplyTo(subject: string, prefix: string | undefined): boolean {
  if (/[*>\s]/.test(subject)) return false;
  return [INBOX, ...(prefix === undefined ? [] : [prefix])].some((it) =>
    subject.startsWith(`${it}.`)
  );
}
