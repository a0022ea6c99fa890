import { deepEqual, equal } from "node:assert/strict";
import { Deadlines } from "./deadlines.ts";
import { FakeClock } from "./testdata/fake_clock.ts";

Deno.test("deadlines of one length share a timer and expire in order", () => {
  const clock = new FakeClock();
  const deadlines = new Deadlines(clock);
  const expired: string[] = [];
  deadlines.set(100, clock.monotonic(), () => expired.push("first"));
  clock.advance(40);
  deadlines.set(100, clock.monotonic(), () => expired.push("second"));
  equal(clock.timers, 1);
  clock.advance(60);
  deepEqual(expired, ["first"]);
  clock.advance(40);
  deepEqual(expired, ["first", "second"]);
  equal(clock.timers, 0);
});

Deno.test("a shorter deadline does not wait for a longer one", () => {
  const clock = new FakeClock();
  const deadlines = new Deadlines(clock);
  const expired: string[] = [];
  deadlines.set(1000, clock.monotonic(), () => expired.push("long"));
  deadlines.set(10, clock.monotonic(), () => expired.push("short"));
  clock.advance(10);
  deepEqual(expired, ["short"]);
});

Deno.test("a deadline that was taken back does not expire, and the ones behind it do", () => {
  const clock = new FakeClock();
  const deadlines = new Deadlines(clock);
  const expired: string[] = [];
  const first = deadlines.set(100, clock.monotonic(), () => expired.push("first"));
  deadlines.set(100, clock.monotonic(), () => expired.push("second"));
  first.cancel();
  first.cancel();
  clock.advance(100);
  deepEqual(expired, ["second"]);
});

Deno.test("a deadline set after all others were taken back still expires", () => {
  const clock = new FakeClock();
  const deadlines = new Deadlines(clock);
  let expired = 0;
  deadlines.set(100, clock.monotonic(), () => expired++).cancel();
  clock.advance(70);
  deadlines.set(100, clock.monotonic(), () => expired++);
  clock.advance(99);
  equal(expired, 0);
  clock.advance(1);
  equal(expired, 1);
});
