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

/** Whether the trigger would be given its own dead letters, for ever. */
export function eatsItsDeadLetters(trigger: DeadLettering): boolean {
  return trigger.durable && overlap(trigger.subject, deadLetterSubject(trigger, trigger.subject));
}
