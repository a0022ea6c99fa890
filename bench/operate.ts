/**
 * Wall time of the commands that operate a workflow, beside kubectl asking the API server for the same.
 *
 * Both sides of a row alternate, so that a machine that slows down slows both. Times are of whole processes, in
 * milliseconds.
 */

import { kubectl, kubectlRun, median, timed, tntc, within } from "./support/measure.ts";

const ROUNDS = Number(Deno.env.get("ROUNDS") ?? 7);
const IMAGE = "tentacular-engine:bench";
const SIZES = [1_000, 10_000];

/** What is measured, and how much of its peer's time it may take. */
interface Pair {
  name: string;
  most: number;
  ours: () => Promise<unknown>;
  theirs: () => Promise<unknown>;
}

/** Prints one row of the table. */
async function measure({ name, most, ours, theirs }: Pair): Promise<void> {
  const times: [number[], number[]] = [[], []];
  await ours(); // Whatever is cached is cached now.
  await theirs();
  for (let round = 0; round < ROUNDS; round++) {
    times[0].push(await timed(ours));
    times[1].push(await timed(theirs));
  }
  const [a, b] = [median(times[0]), median(times[1])];
  console.log(
    `| ${name} | ${a.toFixed(0)} | ${b.toFixed(0)} | ${(a / b).toFixed(2)} | ${most} |`,
  );
  within(name, a / b, most);
}

/** A workflow directory; without a contract there is no policy that keeps the API server's proxy out. */
async function workflow(name: string, contract: string): Promise<string> {
  const dir = await Deno.makeTempDir();
  await Deno.mkdir(`${dir}/nodes`);
  const head = `name: ${name}\nversion: "1.0"\ntriggers: [{type: manual}]\n`;
  await Deno.writeTextFile(
    `${dir}/workflow.yaml`,
    `${head}nodes: {only: {path: nodes/only.ts}}\n${contract}`,
  );
  await Deno.writeTextFile(
    `${dir}/nodes/only.ts`,
    "export default function run() { return 1; }\n",
  );
  return dir;
}

/**
 * When the parts of a `tntc run` were over, in milliseconds from its start, as the API server and the pod itself saw it.
 * Kubernetes tells whole seconds only, so the moments are those at which a watch shows them.
 */
async function phases(
  run: () => Promise<unknown>,
  namespace: string,
): Promise<Map<string, number>> {
  const args = [
    "get",
    "pods",
    "-n",
    namespace,
    "-l",
    "tentacular.dev/role=trigger",
    "--watch",
    "-o",
    "json",
  ];
  const watch = new Deno.Command("kubectl", {
    args: [...args, "--output-watch-events"],
    stdout: "piped",
  }).spawn();
  const seen = new Map<string, number>();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const start = performance.now();
  const note = (what: string) => seen.has(what) || seen.set(what, performance.now() - start);
  const reading = (async () => {
    let text = "";
    for await (
      const chunk of watch.stdout.pipeThrough(new TextDecoderStream())
    ) {
      text += chunk;
      if (text.includes('"type":"ADDED"')) note("pod made");
      if (text.includes('"nodeName":')) note("scheduled");
      if (text.includes('"running":{')) note("running, says the kubelet");
      if (text.includes('"type":"DELETED"')) note("pod gone");
    }
  })();
  await run();
  note("process over");
  await new Promise((resolve) => setTimeout(resolve, 500));
  watch.kill("SIGTERM");
  await reading;
  await watch.status;
  return seen;
}

async function runs(
  namespace: string,
  sealed: string,
  open: string,
): Promise<void> {
  for (const dir of [sealed, open]) {
    await tntc("deploy", dir, "-n", namespace, "--image", IMAGE, "--wait");
  }
  await measure({
    name: "run",
    most: 1.1,
    ours: () => tntc("run", "sealed", "-n", namespace),
    theirs: () => kubectlRun(namespace, "sealed"),
  });
  // The API server's proxy takes a GET of the engine's health from kubectl; a POST it could not make.
  const health = `/api/v1/namespaces/${namespace}/services/open:8080/proxy/health`;
  await measure({
    name: "run --via proxy",
    most: 0.5,
    ours: () => tntc("run", "open", "-n", namespace, "--via", "proxy"),
    theirs: () => kubectl("get", "--raw", health),
  });
  const get = () => kubectl("get", "deployment", "sealed", "-n", namespace);
  await measure({
    name: "cluster check",
    most: 1,
    ours: () => tntc("cluster", "check", "-n", namespace),
    theirs: get,
  });
  const audit = () => tntc("audit", sealed, "-n", namespace, "--image", IMAGE);
  await measure({ name: "audit", most: 1, ours: audit, theirs: get });
}

async function phasesOfARun(namespace: string): Promise<void> {
  const sides: [string, () => Promise<unknown>][] = [
    ["tntc run", () => tntc("run", "sealed", "-n", namespace)],
    ["kubectl run", () => kubectlRun(namespace, "sealed")],
  ];
  console.log("\n| one run, ms from its start | when |\n|---|---|");
  for (const [name, run] of sides) {
    for (const [phase, at] of await phases(run, namespace)) {
      console.log(`| ${name}: ${phase} | ${at.toFixed(0)} |`);
    }
  }
}

/** A Deployment as tntc labels it, paused and without replicas: nothing comes of it but itself. */
function deployment(number: number): unknown {
  const name = `workflow-${number}`;
  const labels = {
    "app.kubernetes.io/managed-by": "tentacular",
    "app.kubernetes.io/name": name,
    "app.kubernetes.io/version": "1.0",
  };
  return {
    metadata: { name, labels },
    spec: {
      paused: true,
      replicas: 0,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: "engine", image: IMAGE }] },
      },
    },
  };
}

/** Creates Deployments, sixteen at a time. */
async function create(
  namespace: string,
  from: number,
  to: number,
): Promise<void> {
  const proxy = new Deno.Command("kubectl", {
    args: ["proxy", "--port=0"],
    stdout: "piped",
  }).spawn();
  const lines = proxy.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const address = (await lines.read()).value?.trim().split(" ").at(-1);
  const url = `http://${address}/apis/apps/v1/namespaces/${namespace}/deployments`;
  let next = from;
  const worker = async () => {
    while (next < to) {
      const body = JSON.stringify(deployment(next++));
      const response = await fetch(url, {
        method: "POST",
        body,
        headers: { "content-type": "application/json" },
      });
      const answer = await response.text();
      if (!response.ok) throw new Error(answer);
    }
  };
  try {
    await Promise.all(Array.from({ length: 16 }, worker));
  } finally {
    proxy.kill("SIGTERM");
    await lines.cancel();
    await proxy.status;
  }
}

/** Deletes them in one request: a namespace alone would take many minutes. */
const clear = (namespace: string) =>
  kubectl(
    "delete",
    "--raw",
    `/apis/apps/v1/namespaces/${namespace}/deployments?propagationPolicy=Background`,
  );

async function lists(namespace: string): Promise<void> {
  let there = 0;
  for (const size of SIZES) {
    await create(namespace, there, size);
    there = size;
    await measure({
      name: `list of ${size}`,
      most: 0.4,
      ours: () => tntc("list", "-n", namespace),
      theirs: () =>
        kubectl(
          "get",
          "deployments",
          "-n",
          namespace,
          "-l",
          "app.kubernetes.io/managed-by=tentacular",
        ),
    });
  }
}

const namespace = "bench-operate";
const contract = 'contract: {version: "1", dependencies: {}}\n';
const dirs = [
  await workflow("sealed", contract),
  await workflow("open", ""),
] as const;
await kubectl("create", "namespace", namespace);
try {
  await tntc("build", dirs[0], "--tag", IMAGE);
  console.log(
    `median of ${ROUNDS} rounds\n\n| what | tntc, ms | kubectl, ms | ratio | at most |\n|---|---|---|---|---|`,
  );
  await runs(namespace, ...dirs);
  await phasesOfARun(namespace);
  console.log(
    "\n| what | tntc, ms | kubectl, ms | ratio | at most |\n|---|---|---|---|---|",
  );
  await lists(namespace);
} finally {
  await clear(namespace);
  await kubectl("delete", "namespace", namespace, "--wait=false");
  for (const dir of dirs) await Deno.remove(dir, { recursive: true });
}
