/**
 * Wall time of tntc's commands on the test cluster, beside kubectl doing the same with the same objects.
 *
 * Both sides of a pair alternate, each round in fresh namespaces, so that a machine that slows down slows both. Times
 * are of whole processes, in milliseconds.
 */

import { kubectl, kubectlRun, median, timed, tntc, within, writeEcho } from "./support/measure.ts";

const ROUNDS = Number(Deno.env.get("ROUNDS") ?? 7);
const IMAGE = "tentacular-engine:bench";
const WORKFLOW = "bench-echo";

/** The most that a command's median may be, as a share of kubectl's. */
const BOUNDS: Readonly<Record<string, number>> = {
  "deploy, first": 0.7,
  "deploy, unchanged": 0.5,
  run: 0.9,
  list: 0.3,
  "edit to new answer": 1.15,
};

/** What one side of a pair does, in its own namespace and workflow directory. */
interface Side {
  namespace: string;
  dir: string;
  apply(): Promise<unknown>;
}

function tntcSide(namespace: string, dir: string): Side {
  return { namespace, dir, apply: () => tntc("deploy", dir, "-n", namespace, "--image", IMAGE) };
}

/** kubectl applies the manifests that tntc prints; printing them is not timed. */
async function kubectlSide(
  namespace: string,
  dir: string,
): Promise<Side & { print(): Promise<void> }> {
  const file = `${dir}/manifests.yml`;
  const print = async () =>
    Deno.writeTextFile(
      file,
      await tntc("deploy", dir, "-n", namespace, "--image", IMAGE, "--dry-run"),
    );
  await print();
  return { namespace, dir, print, apply: () => kubectl("apply", "--server-side", "-f", file) };
}

async function address(namespace: string): Promise<string> {
  const ip = await kubectl(
    "get",
    "service",
    WORKFLOW,
    "-n",
    namespace,
    "-o",
    "jsonpath={.spec.clusterIP}",
  );
  return `http://${ip}:8080/run`;
}

/** Asks each 10 ms until the workflow answers with this text; ten thousand times at most. */
async function answers(url: string, said: string): Promise<void> {
  for (let tries = 0; tries < 10_000; tries++) {
    try {
      const response = await fetch(url, {
        method: "POST",
        body: "{}",
        signal: AbortSignal.timeout(500),
      });
      const result = await response.json();
      if (result.outputs?.only === said) return;
    } catch {
      // Not there yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${url} never said ${said}`);
}

const rows = new Map<string, [ours: number[], theirs: number[]]>();

async function measure(
  name: string,
  ours: () => Promise<unknown>,
  theirs: () => Promise<unknown>,
): Promise<void> {
  const row = rows.get(name) ?? [[], []];
  rows.set(name, row);
  row[0].push(await timed(ours));
  row[1].push(await timed(theirs));
}

async function round(number: number): Promise<void> {
  const dirs = [await Deno.makeTempDir(), await Deno.makeTempDir()] as const;
  const namespaces = [`bench-t${number}`, `bench-k${number}`] as const;
  try {
    for (const name of namespaces) await kubectl("create", "namespace", name);
    for (const dir of dirs) await writeEcho(dir, WORKFLOW, "before");
    const ours = tntcSide(namespaces[0], dirs[0]);
    const theirs = await kubectlSide(namespaces[1], dirs[1]);
    await measure("deploy, first", ours.apply, theirs.apply);
    const urls = [await address(ours.namespace), await address(theirs.namespace)] as const;
    for (const url of urls) await answers(url, "before");
    await measure("deploy, unchanged", ours.apply, theirs.apply);
    await measure(
      "run",
      () => tntc("run", WORKFLOW, "-n", ours.namespace),
      () => kubectlRun(theirs.namespace, WORKFLOW),
    );
    await measure(
      "list",
      () => tntc("list", "-n", ours.namespace),
      () => kubectl("get", "deployments", "-n", theirs.namespace),
    );
    for (const dir of dirs) await writeEcho(dir, WORKFLOW, "after");
    await theirs.print();
    const edited = (side: Side, url: string) => async () => {
      await side.apply();
      await answers(url, "after");
    };
    await measure("edit to new answer", edited(ours, urls[0]), edited(theirs, urls[1]));
  } finally {
    for (const name of namespaces) await kubectl("delete", "namespace", name, "--wait=false");
    for (const dir of dirs) await Deno.remove(dir, { recursive: true });
  }
}

const built = await Deno.makeTempDir();
await writeEcho(built, WORKFLOW, "before");
await tntc("build", built, "--tag", IMAGE);
for (let number = 0; number < ROUNDS; number++) await round(number);

console.log(`median of ${ROUNDS} rounds, ms`);
console.log("what                   tntc  kubectl  ratio");
for (const [name, [ours, theirs]] of rows) {
  const [a, b] = [median(ours), median(theirs)];
  console.log(
    `${name.padEnd(20)} ${a.toFixed(0).padStart(6)} ${b.toFixed(0).padStart(8)}  ${
      (a / b).toFixed(2).padStart(5)
    }`,
  );
  within(name, a / b, BOUNDS[name] ?? 1);
}
