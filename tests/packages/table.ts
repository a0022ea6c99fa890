/**
 * Runs every node of `nodes/` by `tntc run --local`, asks `tntc deploy --dry-run` what would be delivered, and writes the
 * table of docs/packages.md. Takes the path of `tntc`, the file to write, and packages when only some are to be run,
 * which prints their rows and writes nothing.
 */

const [tntc = "tntc", file = "docs/packages.md", ...only] = Deno.args;
const DIR = new URL(".", import.meta.url).pathname;
const MARKS = [
  "<!-- packages: written by scripts/packages-table -->",
  "<!-- end of the packages -->",
] as const;
const LIMIT = { timeout: 120_000 };

interface Package {
  readonly file: string;
  readonly code: string;
  readonly package: string;
  readonly kind: string;
  readonly needs?: string;
  readonly cannot?: string;
}

async function packages(): Promise<Package[]> {
  const found: Package[] = [];
  for await (const { name } of Deno.readDir(`${DIR}nodes`)) {
    const code = await Deno.readTextFile(`${DIR}nodes/${name}`);
    const header = Object.fromEntries(
      [...code.matchAll(/^\/\/ (\w+): (.*)$/gm)].map(([, key, text]) => [key, text]),
    );
    found.push({ ...header, file: name, code } as Package);
  }
  return found.sort((a, b) => a.kind.localeCompare(b.kind) || a.package.localeCompare(b.package));
}

async function servers(): Promise<{ ports: Record<string, number>; stop: () => void }> {
  const args = ["run", "--quiet", "--no-lock", "--allow-all", `${DIR}servers.ts`];
  const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    return { ports: JSON.parse(text), stop: () => child.kill() };
  }
  throw new Error("the servers have ended");
}

async function run(...args: string[]): Promise<Record<string, unknown>> {
  const signal = AbortSignal.timeout(LIMIT.timeout);
  const { stdout } = await new Deno.Command(tntc, { args: [...args, "-o", "json"], signal })
    .output();
  return JSON.parse(new TextDecoder().decode(stdout) || "{}");
}

// deno-lint-ignore no-explicit-any
type Anything = any;

/** A row, and what is wrong with it when it does not say what its file does. */
async function row(
  it: Package,
  ports: Record<string, number>,
): Promise<{ row: string; problem?: string }> {
  const dir = await Deno.makeTempDir({ prefix: "packages-" });
  try {
    const dependency = (name: string, protocol: string): unknown => ({
      protocol,
      host: "127.0.0.1",
      port: ports[name],
    });
    await Deno.mkdir(`${dir}/nodes`);
    await Deno.writeTextFile(`${dir}/nodes/a.ts`, it.code);
    await Deno.writeTextFile(
      `${dir}/workflow.yaml`,
      JSON.stringify({
        ...{ name: "packages", version: "1.0", triggers: [{ type: "manual" }] },
        config: { timeout: "20s" },
        nodes: { a: { path: "nodes/a.ts" } },
        contract: {
          version: "1",
          dependencies: {
            http: dependency("http", "http"),
            mysql: dependency("mysql", "mysql"),
            mongo: dependency("mongo", "mongodb"),
          },
        },
      }),
    );
    const answer: Anything = await run("run", "--local", dir);
    const works = answer.execution?.outputs?.a?.works === true;
    const told = works ? "" : answer.execution?.errors?.[0] ?? answer.summary ?? "no answer";
    const size = works ? await delivered(dir) : "";
    const verdict = it.cannot === undefined ? works ? "yes" : "no" : "no";
    const note = it.cannot ?? it.needs ?? "";
    const problem = works === (it.cannot !== undefined);
    return {
      row: `| \`${it.package}\` | ${it.kind} | ${verdict} | ${size} | ${note} |`,
      ...(problem && { problem: `${it.package}: ${told}` }),
    };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** What its ConfigMap would hold, in KiB. */
async function delivered(dir: string): Promise<string> {
  const answer: Anything = await run("deploy", dir, "--dry-run", "--warn", "--image", "engine");
  const map = answer.manifests?.find((it: Anything) => it.kind === "ConfigMap");
  if (map === undefined) return "too large";
  const text = Object.values<string>(map.data ?? {}).reduce((sum, it) => sum + it.length, 0);
  const binary = Object.values<string>(map.binaryData ?? {}).reduce(
    (sum, it) => sum + it.length * 3 / 4,
    0,
  );
  return `${Math.ceil((text + binary) / 1024)}${binary > 0 ? ", compressed" : ""}`;
}

const { ports, stop } = await servers();
const rows: string[] = [];
const problems: string[] = [];
for (const it of await packages()) {
  if (only.length > 0 && !only.some((name) => it.package.startsWith(name))) continue;
  const { row: line, problem } = await row(it, ports);
  console.log(line);
  if (problem) problems.push(problem);
  rows.push(line);
}
stop();
if (only.length === 0) {
  const [begin, end] = MARKS;
  const text = await Deno.readTextFile(file);
  const head =
    "| package | for | works | KiB | what it needs, or why it does not work |\n|---|---|---|---|---|";
  const [before, after] = [text.slice(0, text.indexOf(begin)), text.slice(text.indexOf(end))];
  await Deno.writeTextFile(file, `${before}${begin}\n\n${head}\n${rows.join("\n")}\n\n${after}`);
}
for (const problem of problems) console.error(problem);
Deno.exit(problems.length > 0 ? 1 : 0);
