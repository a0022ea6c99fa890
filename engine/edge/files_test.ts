import { deepEqual, equal } from "node:assert/strict";
import { mountedVersion, readMount } from "./files.ts";

Deno.test("of a mount, the files of the current version are read, by their own paths", async () => {
  const root = await Deno.makeTempDir();
  globalThis.addEventListener("unload", () => Deno.removeSync(root, { recursive: true }));
  equal(await mountedVersion(root), undefined);
  await Deno.mkdir(`${root}/..2026/nodes`, { recursive: true });
  await Deno.writeTextFile(`${root}/..2026/workflow.yaml`, "w");
  await Deno.writeTextFile(`${root}/..2026/.salt`, "s");
  await Deno.writeTextFile(`${root}/..2026/nodes/a.ts`, "a");
  await Deno.symlink("..2026", `${root}/..data`);
  for (const name of ["workflow.yaml", ".salt", "nodes"]) {
    await Deno.symlink(`..data/${name}`, `${root}/${name}`);
  }
  const files = [...await readMount(root)].map((
    [path, it],
  ) => [path, new TextDecoder().decode(it)]);
  deepEqual(files.sort(), [[".salt", "s"], ["nodes/a.ts", "a"], ["workflow.yaml", "w"]]);
  equal(await mountedVersion(root), "..2026");
});
