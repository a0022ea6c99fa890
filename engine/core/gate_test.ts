import { deepEqual } from "node:assert/strict";
import { Gate } from "./gate.ts";

/** Long enough for every promise that is about to settle. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

Deno.test("what runs alone waits for what is inside, and keeps the rest outside", async () => {
  const gate = new Gate();
  const seen: string[] = [];
  const alone = Promise.withResolvers<void>();
  await gate.enter();
  gate.join();
  const first = gate.alone(() => (seen.push("alone"), alone.promise));
  const entering = gate.enter().then(() => seen.push("entered"));
  gate.leave();
  await turns();
  deepEqual(seen, []);
  gate.leave();
  await turns();
  deepEqual(seen, ["alone"]);
  alone.resolve();
  await Promise.all([first, entering]);
  deepEqual(seen, ["alone", "entered"]);
});

Deno.test("two that run alone do so one after the other, also when the first throws", async () => {
  const gate = new Gate();
  const seen: string[] = [];
  const first = Promise.withResolvers<void>();
  const failing = gate.alone(() => (seen.push("first"), first.promise)).catch(() => {});
  const second = gate.alone(() => Promise.resolve(seen.push("second")));
  await turns();
  deepEqual(seen, ["first"]);
  first.reject(new Error("made to fail"));
  await Promise.all([failing, second]);
  deepEqual(seen, ["first", "second"]);
  await gate.enter();
});
