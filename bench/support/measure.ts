/** What the benchmarks share: running commands, timing and medians, and the workflow that is deployed. */

/** Runs a command to its end; its stdout. */
export async function command(name: string, ...args: string[]): Promise<string> {
  const output = await new Deno.Command(name, { args, stdin: "null" }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!output.success) throw new Error(`${name} ${args.join(" ")}: ${text(output.stderr)}`);
  return text(output.stdout);
}

export const tntc = (...args: string[]): Promise<string> => command("tntc", ...args);
export const kubectl = (...args: string[]): Promise<string> => command("kubectl", ...args);

/** Milliseconds that something takes. */
export async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

/** The middle one, or NaN of none. */
export function median(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** Reports a figure that is past its bound; with `--check` the run has failed then. */
export function within(name: string, value: number, most: number): void {
  if (value <= most) return;
  console.error(`${name}: ${value.toFixed(2)}, which is past the bound of ${most}`);
  if (Deno.args.includes("--check")) Deno.exitCode = 1;
}

/** Writes a workflow whose one node answers with this text. */
export async function writeEcho(dir: string, name: string, said: string): Promise<void> {
  await Deno.mkdir(`${dir}/nodes`, { recursive: true });
  const workflow = {
    name,
    version: "1.0",
    triggers: [{ type: "manual" }],
    nodes: { only: { path: "nodes/only.ts" } },
    contract: { version: "1", dependencies: {} },
  };
  await Deno.writeTextFile(`${dir}/workflow.yaml`, JSON.stringify(workflow));
  await Deno.writeTextFile(
    `${dir}/nodes/only.ts`,
    `export default function run() { return ${JSON.stringify(said)}; }\n`,
  );
}

/** The pod of `tntc run`, as kubectl makes and attaches to one. */
export function kubectlRun(namespace: string, name: string): Promise<string> {
  const url = `http://${name}.${namespace}.svc.cluster.local:8080/run`;
  const curl = [
    "curl",
    "-sS",
    "--connect-timeout",
    "0.5",
    "--retry",
    "5",
    "--retry-connrefused",
    "--retry-delay",
    "1",
  ];
  const overrides = {
    metadata: { labels: { "tentacular.dev/role": "trigger" } },
    spec: {
      terminationGracePeriodSeconds: 0,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65534,
        seccompProfile: { type: "RuntimeDefault" },
      },
      containers: [{
        name: "call",
        image: "curlimages/curl:latest",
        imagePullPolicy: "IfNotPresent",
        stdin: true,
        stdinOnce: true,
        command: [...curl, "--data-binary", "{}", url],
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ["ALL"] },
          readOnlyRootFilesystem: true,
        },
      }],
    },
  };
  return kubectl(
    "run",
    "call",
    "-n",
    namespace,
    "--image=curlimages/curl:latest",
    "--restart=Never",
    "--rm",
    "--attach",
    "--quiet",
    `--overrides=${JSON.stringify(overrides)}`,
  );
}
