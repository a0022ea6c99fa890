import { deepEqual, rejects } from "node:assert/strict";
import { readMount } from "./files.ts";
import { loadSecrets } from "./secrets.ts";

async function directory(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await Deno.makeTempDir();
  globalThis.addEventListener("unload", () => Deno.removeSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    await Deno.mkdir(`${root}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${root}/${path}`, text);
  }
  return root;
}

Deno.test("secrets come from the directory, the file over it, and the mount over both", async () => {
  const root = await directory({
    ".secrets/a": '{"x": "dir", "y": "dir", "z": "dir"}',
    ".secrets/plain": "text\n",
    ".secrets.yaml": "a:\n  y: file\n  z: file\nshort: value\n",
    "mount/a": '{"z": "mount"}',
  });
  deepEqual(
    await loadSecrets(`${root}/workflow.yaml`, undefined, await readMount(`${root}/mount`)),
    {
      a: { x: "dir", y: "file", z: "mount" },
      plain: { value: "text" },
      short: { value: "value" },
    },
  );
});

Deno.test("an explicit source is the only one, be it a file or a directory", async () => {
  const root = await directory({
    ".secrets.yaml": "a: {x: 1}",
    "own.yaml": "b: {y: 2}",
    "own/c": "z",
  });
  const workflow = `${root}/workflow.yaml`;
  deepEqual(await loadSecrets(workflow, `${root}/own.yaml`), { b: { y: 2 } });
  deepEqual(await loadSecrets(workflow, `${root}/own`), { c: { value: "z" } });
});

Deno.test("in a mounted Secret dot-files are skipped and links followed", async () => {
  const root = await directory({ "..2026/github": '{"token": "t"}' });
  await Deno.symlink("..2026", `${root}/..data`);
  await Deno.symlink("..data/github", `${root}/github`);
  deepEqual(await loadSecrets("/nowhere/workflow.yaml", undefined, await readMount(root)), {
    github: { token: "t" },
  });
});

Deno.test("no secrets anywhere are no error; a broken file is one", async () => {
  deepEqual(
    await loadSecrets("/nowhere/workflow.yaml", undefined, await readMount("/nowhere/mount")),
    {},
  );
  const root = await directory({ ".secrets.yaml": "a: [" });
  await rejects(loadSecrets(`${root}/workflow.yaml`), /\.secrets\.yaml: .* at line 1/);
  const leaky = await directory({ ".secrets.yaml": "a: {token: correct-horse\nb: c" });
  await rejects(
    loadSecrets(`${leaky}/workflow.yaml`),
    (error) => error instanceof Error && !error.message.includes("horse"),
  );
});
