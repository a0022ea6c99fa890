import { equal } from "node:assert/strict";

Deno.test("the vendored modules are what their pinned sources give", async () => {
  const build = new URL("./build.ts", import.meta.url).pathname;
  const args = ["run", "--no-lock", "--allow-all", build, "--check"];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  equal(success, true, new TextDecoder().decode(stderr));
});
