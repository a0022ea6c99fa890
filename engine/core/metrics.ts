/** What happened, in numbers, for `GET /metrics` in the text format of Prometheus. */

import type { RunObserver } from "./run.ts";

/** Upper bounds in seconds: from a node that adds two numbers to one that waits for a person. */
const BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30, 120, 600];

type Samples = Iterable<readonly [labels: string, value: number]>;

/** A value that is asked for when somebody looks. */
export interface Gauge {
  readonly name: string;
  readonly help: string;
  /** `gauge` when absent. */
  readonly type?: "counter" | "gauge";
  /** By the text of its labels, as in `subject="a.b"`; the empty text is none. */
  readonly read: () => Samples | Promise<Samples>;
}

export class Metrics implements RunObserver {
  readonly #runs = new Map([["success", 0], ["failure", 0]]);
  readonly #runSeconds = new Histogram();
  readonly #nodeSeconds = new Map<string, Histogram>();
  readonly #nodeFailures = new Map<string, number>();
  readonly #attemptFailures = new Map<string, number>();
  readonly #gauges: Gauge[] = [];

  watch(gauge: Gauge): void {
    this.#gauges.push(gauge);
  }

  runEnded(result: { readonly success: boolean }, milliseconds: number): void {
    increment(this.#runs, result.success ? "success" : "failure");
    this.#runSeconds.observe(milliseconds / 1000);
  }

  nodeEnded(node: string, milliseconds: number, failed: boolean): void {
    let histogram = this.#nodeSeconds.get(node);
    if (histogram === undefined) this.#nodeSeconds.set(node, histogram = new Histogram());
    histogram.observe(milliseconds / 1000);
    if (failed) increment(this.#nodeFailures, node);
  }

  attemptFailed({ node }: { readonly node: string }): void {
    increment(this.#attemptFailures, node);
  }

  /** The whole exposition. */
  async render(): Promise<string> {
    const gauges = await Promise.all(this.#gauges.map(gauge));
    return [
      ...counter("tentacular_runs_total", "Runs that ended.", "result", this.#runs),
      ...head("tentacular_run_duration_seconds", "How long runs took.", "histogram"),
      ...this.#runSeconds.render("tentacular_run_duration_seconds", ""),
      ...head(
        "tentacular_node_duration_seconds",
        "How long nodes took, retries included.",
        "histogram",
      ),
      ...[...this.#nodeSeconds].flatMap(([node, it]) =>
        it.render("tentacular_node_duration_seconds", label("node", node))
      ),
      ...counter(
        "tentacular_node_failures_total",
        "Nodes that failed or were aborted.",
        "node",
        this.#nodeFailures,
      ),
      ...counter(
        "tentacular_attempt_failures_total",
        "Attempts that failed.",
        "node",
        this.#attemptFailures,
      ),
      ...gauges.flat(),
      "",
    ].join("\n");
  }
}

class Histogram {
  readonly #counts = new Array<number>(BUCKETS.length + 1).fill(0);
  #sum = 0;

  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < BUCKETS.length && seconds > (BUCKETS[bucket] ?? 0)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += seconds;
  }

  /** Buckets are cumulative in the exposition, and here they are not. */
  render(name: string, labels: string): string[] {
    let total = 0;
    const buckets = this.#counts.map((count, index) => {
      total += count;
      const le = label("le", String(BUCKETS[index] ?? "+Inf"));
      return sample(`${name}_bucket`, [labels, le].filter(Boolean).join(","), total);
    });
    return [
      ...buckets,
      sample(`${name}_sum`, labels, this.#sum),
      sample(`${name}_count`, labels, total),
    ];
  }
}

function counter(
  name: string,
  help: string,
  by: string,
  values: ReadonlyMap<string, number>,
): string[] {
  const samples = [...values].map(([value, count]) => sample(name, label(by, value), count));
  return [...head(name, help, "counter"), ...samples];
}

async function gauge({ name, help, type = "gauge", read }: Gauge): Promise<string[]> {
  return [
    ...head(name, help, type),
    ...[...await read()].map(([labels, it]) => sample(name, labels, it)),
  ];
}

function head(name: string, help: string, type: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function sample(name: string, labels: string, value: number): string {
  return `${name}${labels === "" ? "" : `{${labels}}`} ${value}`;
}

/** `name="value"`, with the escapes of the format. */
export function label(name: string, value: string): string {
  const escaped = value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  return `${name}="${escaped}"`;
}

function increment(values: Map<string, number>, key: string): void {
  values.set(key, (values.get(key) ?? 0) + 1);
}
