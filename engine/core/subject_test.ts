import { equal, throws } from "node:assert/strict";
import { covers, eatsItsDeadLetters, overlap } from "./subject.ts";
import { readWorkflow } from "./workflow.ts";

Deno.test("subjects overlap when one message can match both", () => {
  const cases: [string, string, boolean][] = [
    ["a.b", "a.b", true],
    ["a.b", "a.c", false],
    ["a.*", "a.b", true],
    ["a.*", "*.b", true],
    ["a.*", "a.b.c", false],
    ["a.>", "a.b.c", true],
    ["a.>", "a", false],
    [">", "x", true],
    ["a.*.c", "a.>", true],
    ["*.b", "a.c", false],
  ];
  for (const [a, b, expected] of cases) {
    equal(overlap(a, b), expected, `${a} ${b}`);
    equal(overlap(b, a), expected, `${b} ${a}`);
  }
});

Deno.test("a subject covers another when it matches all that the other does", () => {
  const cases: [string, string, boolean][] = [
    ["a.b", "a.b", true],
    ["a.*", "a.b", true],
    ["a.b", "a.*", false],
    ["a.>", "a.*", true],
    ["a.*", "a.>", false],
    ["a.>", "a.>", true],
    ["a.>", "a", false],
    [">", "a.*.c", true],
    ["a.*", "a.b.c", false],
  ];
  for (const [all, some, expected] of cases) equal(covers(all, some), expected, `${all} ${some}`);
});

Deno.test("a trigger that would be given its own dead letters is refused", () => {
  const trigger = (subject: string, more: object = {}): unknown =>
    readWorkflow({
      name: "w",
      nodes: { n: { path: "n.ts" } },
      triggers: [{ type: "queue", subject, durable: true, ...more }],
    });
  for (const subject of [">", "*.>", "dlq.>"]) {
    throws(() => trigger(subject), /triggers\[0\]: the subject .* matches its own dead letters/);
  }
  throws(() => trigger("a.>", { dlq: "a.dead" }), /matches its own dead letters, a\.dead\.a\.>/);
  trigger(">", { durable: false });
  trigger("a.*", { dlq: "a.dead" });
  equal(eatsItsDeadLetters({ subject: "a.b", durable: true, dlq: "dlq" }), false);
});
