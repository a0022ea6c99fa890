/**
 * What a deploy adds to the cluster's own time, in milliseconds: until a first pod is Ready, and from an edit to the
 * new answer; how many requests fail on the way; and the phases of `tntc test --live`.
 *
 * The cluster's own time is what a watch sees: from the moment at which it shows the pod to that at which the pod is
 * Ready. What comes before and after is the tool's.
 */

import { kubectl, median, tntc, within, writeEcho } from "./support/measure.ts";

const ROUNDS = Number(Deno.env.get("ROUNDS") ?? 5);
const IMAGE = "tentacular-engine:bench";
const NAME = "bench-ready";

/** The most that a median may be. */
const BOUNDS: Readonly<Record<string, number>> = {
  "beyond the cluster's own, until Ready": 300,
  "beyond the cluster's own, until the answer": 600,
  "of them failed": 0,
  "test --live": 4_000,
};

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** When the newest pod of a namespace was shown and when it was shown Ready, from now on. */
class PodWatch implements AsyncDisposable {
  shown = NaN;
  ready = NaN;
  readonly #process: Deno.ChildProcess;
  readonly #reading: Promise<void>;

  constructor(namespace: string) {
    const columns =
      "jsonpath={.type} {.object.status.conditions[?(@.type=='Ready')].status}{'\\n'}";
    this.#process = new Deno.Command("kubectl", {
      args: [
        "get",
        "pods",
        "-n",
        namespace,
        "--watch",
        "--output-watch-events",
        "-o",
        columns,
      ],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#reading = this.#read();
  }

  async #read(): Promise<void> {
    const lines = this.#process.stdout.pipeThrough(new TextDecoderStream());
    for await (const text of lines) {
      if (text.includes("ADDED")) this.shown = performance.now();
      if (text.includes("True")) this.ready = performance.now();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#reading;
    await this.#process.status;
  }
}

/** How long `tntc deploy --wait` takes, and how long the cluster itself took for the pod. */
async function first(
  dir: string,
  namespace: string,
): Promise<[whole: number, own: number]> {
  await using watch = new PodWatch(namespace);
  await pause(1_000);
  const begun = performance.now();
  await tntc("deploy", dir, "-n", namespace, "--image", IMAGE, "--wait");
  const whole = performance.now() - begun;
  while (Number.isNaN(watch.ready)) await pause(1);
  return [whole, watch.ready - watch.shown];
}

/** Requests one after the other, all through a change: how many failed, and when the new answer came. */
async function edited(
  dir: string,
  namespace: string,
): Promise<{ answered: number; own: number; asked: number; failed: number }> {
  const ip = await kubectl(
    "get",
    "service",
    NAME,
    "-n",
    namespace,
    "-o",
    "jsonpath={.spec.clusterIP}",
  );
  let [asked, failed] = [0, 0];
  await writeEcho(dir, NAME, "after");
  await using watch = new PodWatch(namespace);
  await pause(1_000);
  const begun = performance.now();
  const deployed = tntc("deploy", dir, "-n", namespace, "--image", IMAGE);
  for (let said = ""; said !== "after"; await pause(5)) {
    asked++;
    try {
      const response = await fetch(`http://${ip}:8080/run`, {
        method: "POST",
        body: "{}",
      });
      said = (await response.json()).outputs.only;
    } catch {
      failed++;
    }
  }
  const answered = performance.now() - begun;
  await deployed;
  return { answered, own: watch.ready - watch.shown, asked, failed };
}

interface Phase {
  readonly name: string;
  readonly durationMs: number;
}

const columns = new Map<string, number[]>();

function note(name: string, value: number): void {
  columns.set(name, [...columns.get(name) ?? [], value]);
}

async function round(number: number): Promise<void> {
  const dir = await Deno.makeTempDir();
  const namespace = `bench-ready-${number}`;
  try {
    await kubectl("create", "namespace", namespace);
    await writeEcho(dir, NAME, "before");
    const [whole, own] = await first(dir, namespace);
    note("deploy --wait", whole);
    note("the cluster's own part of it", own);
    note("beyond the cluster's own, until Ready", whole - own);
    const edit = await edited(dir, namespace);
    note("edit to new answer", edit.answered);
    note("the cluster's own part of it, once more", edit.own);
    note(
      "beyond the cluster's own, until the answer",
      edit.answered - edit.own,
    );
    note("requests on the way", edit.asked);
    note("of them failed", edit.failed);
    await Deno.mkdir(`${dir}/.tentacular`, { recursive: true });
    await Deno.writeTextFile(
      `${dir}/.tentacular/config.yaml`,
      JSON.stringify({ environments: { dev: { namespace, image: IMAGE } } }),
    );
    const live = JSON.parse(
      await tntc("test", dir, "--live", "-o", "json"),
    );
    note("test --live", live.timing.durationMs);
    for (const phase of live.phases as Phase[]) {
      note(`test --live: ${phase.name}`, phase.durationMs);
    }
  } finally {
    await kubectl("delete", "namespace", namespace, "--wait=false");
    await Deno.remove(dir, { recursive: true });
  }
}

const built = await Deno.makeTempDir();
await writeEcho(built, NAME, "before");
await tntc("build", built, "--tag", IMAGE);
for (let number = 0; number < ROUNDS; number++) await round(number);

console.log(`| median of ${ROUNDS} rounds | ms |`);
console.log("|---|---|");
for (const [name, values] of columns) {
  console.log(`| ${name} | ${median(values).toFixed(0)} |`);
  within(name, median(values), BOUNDS[name] ?? Infinity);
}
