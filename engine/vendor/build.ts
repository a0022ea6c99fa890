/**
 * Bundles each of `sources/*.ts` into one module beside this file, so that the engine needs no
 * package at run time. Versions are pinned in the sources, and their content in `sources/deno.lock`.
 *
 *     deno task vendor          writes the bundles
 *     deno task vendor:check    fails when they are not what the sources give
 */

const here = import.meta.dirname ?? ".";
const sources = `${here}/sources`;

async function deno(...args: string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), { args, cwd: sources, stderr: "piped" });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(`deno ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/**
 * For `browser` where that will do: what is bundled for `deno` imports `node:module`, and the layer
 * for Node's modules that comes with it trebles the start of the engine.
 */
async function bundle(name: string, platform: "browser" | "deno"): Promise<string> {
  const code = await deno("bundle", "--quiet", "--platform", platform, "--minify", `${name}.ts`);
  return `// Made by build.ts from sources/${name}.ts; licences in LICENSES.txt.\n` +
    `// @ts-self-types="./${name}.d.ts"\n// deno-fmt-ignore-file\n// deno-lint-ignore-file\n${code}`;
}

/**
 * The client takes its listeners off a socket that it gives up, and an error that comes after that,
 * such as the reset of a server that has refused it, would be nobody's.
 */
function expectingResets(code: string): string {
  const removed = ".removeAllListeners()";
  if (!code.includes(removed)) throw new Error("the NATS client no longer needs expectingResets");
  return code.replaceAll(removed, `${removed}.on("error",()=>{})`);
}

/** The licence texts of everything that is bundled, which travel with it. */
async function licences(): Promise<string> {
  const lock = JSON.parse(await Deno.readTextFile(`${sources}/deno.lock`));
  const { npmCache } = JSON.parse(await deno("info", "--json"));
  const texts = Object.keys(lock.npm).sort().map((id) => licence(npmCache, id));
  return (await Promise.all(texts)).join("\n");
}

async function licence(npmCache: string, id: string): Promise<string> {
  const [, name, version] = /^(.+)@(.+)$/.exec(id) ?? [];
  for await (const registry of Deno.readDir(npmCache)) {
    const directory = `${npmCache}/${registry.name}/${name}/${version}`;
    const files = await Array.fromAsync(Deno.readDir(directory)).catch(() => []);
    const file = files.find((it) => /^licen[cs]e/i.test(it.name));
    if (file === undefined) continue;
    const text = await Deno.readTextFile(`${directory}/${file.name}`);
    return `${"=".repeat(80)}\n${name} ${version}\n${"=".repeat(80)}\n${text.trim()}\n`;
  }
  throw new Error(`${id} has no licence file`);
}

async function write(file: string, content: string): Promise<void> {
  await Deno.writeTextFile(`${here}/${file}`, content);
}

async function check(file: string, content: string): Promise<void> {
  if (await Deno.readTextFile(`${here}/${file}`) === content) return;
  throw new Error(`vendor/${file} is not what its sources give: run deno task vendor`);
}

const put = Deno.args.includes("--check") ? check : write;
await put("yaml.js", await bundle("yaml", "browser"));
await put("nats.js", expectingResets(await bundle("nats", "deno")));
await put("telemetry.js", await bundle("telemetry", "browser"));
await put("LICENSES.txt", await licences());
