import { equal, match } from "node:assert/strict";
import { label, Metrics } from "./metrics.ts";

Deno.test("runs, nodes and failures are counted, and durations fall into cumulative buckets", async () => {
  const metrics = new Metrics();
  metrics.nodeEnded("a", 0.4, false);
  metrics.nodeEnded("a", 30, false);
  metrics.nodeEnded("b", 700_000, true);
  metrics.attemptFailed({ node: "b" });
  metrics.attemptFailed({ node: "b" });
  metrics.runEnded({ success: true }, 2);
  metrics.runEnded({ success: false }, 2);
  const text = await metrics.render();
  const expected = [
    'tentacular_runs_total{result="success"} 1',
    'tentacular_runs_total{result="failure"} 1',
    'tentacular_run_duration_seconds_bucket{le="0.001"} 0',
    'tentacular_run_duration_seconds_bucket{le="0.005"} 2',
    'tentacular_run_duration_seconds_bucket{le="+Inf"} 2',
    "tentacular_run_duration_seconds_count 2",
    'tentacular_node_duration_seconds_bucket{node="a",le="0.001"} 1',
    'tentacular_node_duration_seconds_bucket{node="a",le="0.1"} 2',
    'tentacular_node_duration_seconds_bucket{node="b",le="600"} 0',
    'tentacular_node_duration_seconds_bucket{node="b",le="+Inf"} 1',
    'tentacular_node_duration_seconds_sum{node="b"} 700',
    'tentacular_node_failures_total{node="b"} 1',
    'tentacular_attempt_failures_total{node="b"} 2',
  ];
  for (const line of expected) equal(text.split("\n").includes(line), true, `${line} in\n${text}`);
  match(text, /\n$/);
});

Deno.test("gauges are read when somebody looks", async () => {
  const metrics = new Metrics();
  let waiting = 1;
  metrics.watch({ name: "lag", help: "Lag.", read: () => [[label("subject", "a.b"), waiting]] });
  waiting = 7;
  match(await metrics.render(), /# TYPE lag gauge\nlag\{subject="a\.b"\} 7\n/);
});

Deno.test("a label's value is escaped", () => {
  equal(label("a", 'x"y\\z\n'), 'a="x\\"y\\\\z\\n"');
});
