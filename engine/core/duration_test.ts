import { equal } from "node:assert/strict";
import { formatDuration, parseDuration } from "./duration.ts";

Deno.test("a duration is a whole number and a unit", () => {
  equal(parseDuration("250ms"), 250);
  equal(parseDuration("30s"), 30_000);
  equal(parseDuration("5m"), 300_000);
  equal(parseDuration("1h"), 3_600_000);
});

Deno.test("anything else is no duration", () => {
  for (const text of ["", "30", "s", "1.5s", "-1s", "30 s", "1d", "1h30m", " 1s"]) {
    equal(parseDuration(text), undefined, text);
  }
});

Deno.test("a duration that no timer can hold is refused", () => {
  equal(parseDuration("596h"), 596 * 3_600_000);
  equal(parseDuration("597h"), undefined);
});

Deno.test("a formatted duration reads back as itself, in its largest whole unit", () => {
  for (const text of ["1ms", "999ms", "1s", "90s", "2m", "3h", "1500ms"]) {
    equal(formatDuration(parseDuration(text) ?? 0), text);
  }
});
