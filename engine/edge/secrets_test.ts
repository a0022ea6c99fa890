import { deepEqual, doesNotMatch, equal, match, rejects } from "node:assert/strict";
import { readMount } from "./files.ts";
import { lookUp, type Secrets } from "../core/secrets.ts";
import table from "../../tests/conformance/secrets.json" with { type: "json" };
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
  deepEqual(await loadSecrets(workflow, `${root}/own.yaml`), { b: { y: "2" } });
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

async function loaded(files: Readonly<Record<string, string>>): Promise<Secrets> {
  return await loadSecrets(`${await directory(files)}/workflow.yaml`);
}

Deno.test("a scalar of .secrets.yaml is what was written", async () => {
  for (const { written, text } of table.yaml) {
    const atKey = await loaded({ ".secrets.yaml": `api:\n  token: ${written}\n` });
    equal(lookUp(atKey, "api", "token"), text ?? undefined, `at a key: ${written}`);
    const atService = await loaded({ ".secrets.yaml": `api: ${written}\n` });
    equal(lookUp(atService, "api", "value"), text ?? undefined, `at a service: ${written}`);
  }
});

Deno.test("a file of a directory is what is in it, and JSON keeps its types", async () => {
  for (const { content, key, text } of table.files) {
    const secrets = await loaded({ ".secrets/api": content });
    equal(lookUp(secrets, "api", key), text ?? undefined, content);
    const inMount = await loadSecrets(
      "/nowhere/workflow.yaml",
      `${await directory({ api: content })}`,
    );
    equal(lookUp(inMount, "api", key), text ?? undefined, content);
  }
  const { api } = await loaded({ ".secrets/api": '{"a": 1.10, "b": true, "c": null}' });
  deepEqual({ ...api }, { ...api, a: 1.1, b: true, c: null });
});

Deno.test("what an editor leaves is no secret", async () => {
  const files = {
    ".secrets/a": "x",
    ".secrets/a~": "y",
    ".secrets/#a#": "y",
    ".secrets/a.swp": "",
  };
  deepEqual(await loaded(files), { a: { value: "x" } });
});

Deno.test("a broken file says where and shows nothing", async () => {
  for (
    const text of [
      "a:\n  hidden: x\n  hidden: y\n",
      "a: !hidden x\n",
      "a: *hidden\n",
      'a: "hidden',
      "a:\n\thidden: x\n",
    ]
  ) {
    await rejects(loaded({ ".secrets.yaml": text }), (error: Error) => {
      match(error.message, /\.secrets\.yaml: .+ at line \d+, column \d+$/);
      doesNotMatch(error.message, /hidden/);
      return true;
    });
  }
});
