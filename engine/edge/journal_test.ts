import { deepEqual, equal } from "node:assert/strict";
import { Journal } from "./journal.ts";

Deno.test("what was begun and not ended is known to the next engine, once", async () => {
  const directory = `${await Deno.makeTempDir()}/journal`;
  const first = Journal.open(directory);
  first.begin("running a/b.7");
  first.begin("running a.8");
  first.end("running a.8");
  first.begin("loading n");
  const second = Journal.open(directory);
  deepEqual(second.left("running "), ["a/b.7"]);
  deepEqual([second.diedOf("loading n"), second.diedOf("running a.8")], [true, false]);
  deepEqual(Journal.open(directory).left(""), []);
});

Deno.test("without a directory, or with one that cannot be had, nothing is noted and nothing fails", () => {
  for (const directory of [undefined, "/proc/none"]) {
    const journal = Journal.open(directory);
    journal.begin("running");
    journal.end("running");
    equal(journal.directory, undefined);
  }
});
