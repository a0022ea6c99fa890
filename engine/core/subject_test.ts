import { equal, throws } from "node:assert/strict";
import { covers, mayReplyTo, overlap } from "./subject.ts";
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

type Written = readonly [subject: string, dlq?: string, durable?: boolean];

function read(...triggers: Written[]): unknown {
  return readWorkflow({
    name: "w",
    nodes: { n: { path: "n.ts" } },
    triggers: triggers.map(([subject, dlq, durable = true]) => ({
      type: "queue",
      subject,
      durable,
      ...(dlq === undefined ? {} : { dlq }),
    })),
  });
}

Deno.test("triggers whose dead letters come back to them are refused, alone or together", () => {
  const refused: Written[][] = [
    [[">"]],
    [["*.>"]],
    [["dlq.>"]],
    [["a.>", "a.dead"]],
    [["jobs.>", "retry"], ["retry.>", "jobs"]],
    [["other"], ["a.x", "b"], ["b.*.*", "c"], ["c.>", "a"], ["a.>", "b"]],
  ];
  for (const triggers of refused) {
    throws(() => read(...triggers), /triggers: the subject .* is given its own dead letters again/);
  }
});

Deno.test("a trigger may handle the dead letters of another", () => {
  read([">", "dlq", false]);
  read(["a.*", "a.dead"]);
  read(["jobs.>"], ["dlq.jobs.>", "lost"]);
  read(["jobs.>", "retry"], ["retry.>", "jobs", false]);
});

Deno.test("only inboxes and the declared prefix are replied to", () => {
  const cases: [string, string | undefined, boolean][] = [
    ["_INBOX.abc", undefined, true],
    ["_INBOX.abc.1", "answers", true],
    ["answers.team.1", "answers.team", true],
    ["_INBOX", undefined, false],
    ["_INBOXES.a", undefined, false],
    ["orders.created", undefined, false],
    ["answers.other", "answers.team", false],
    ["$JS.API.STREAM.PURGE.orders", undefined, false],
    ["$JS.ACK.a", "answers", false],
    ["_INBOX.>", undefined, false],
    ["_INBOX.a b", undefined, false],
  ];
  for (const [subject, prefix, expected] of cases) {
    equal(mayReplyTo(subject, prefix), expected, subject);
  }
});
