import { equal } from "node:assert/strict";
import { parseArgs } from "../core/args.ts";
import { createLogger } from "../core/log.ts";
import { engineFor, programFor } from "../core/testdata/engines.ts";
import { readCode, reloadOnChange } from "./reload.ts";

const noEvents: AsyncIterable<unknown> = {
  [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
};

Deno.test("a change is found without any file event, as under gVisor", async () => {
  const directory = await Deno.makeTempDir();
  await Deno.writeTextFile(`${directory}/workflow.yaml`, "name: one");
  const options = parseArgs(["--workflow", `${directory}/workflow.yaml`]);
  const engine = engineFor(() => 1);
  const replaced = Promise.withResolvers<void>();
  const parts = {
    engine,
    log: createLogger("engine", engine.program.log),
    load: () => Promise.resolve(programFor(() => 2)),
    replaced: () => Promise.resolve(replaced.resolve()),
  };
  const ending = new AbortController();
  const code = await readCode(options);
  const following = reloadOnChange(parts, options, code, ending.signal, noEvents);
  await Deno.writeTextFile(`${directory}/workflow.yaml`, "name: two");
  await replaced.promise;
  equal((await engine.run({})).outputs["n"], 2);
  ending.abort();
  await following;
  await Deno.remove(directory, { recursive: true });
});
