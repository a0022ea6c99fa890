/**
 * What the engine is held against: a server that does nothing but parse, and answer the JSON that
 * the engine would answer. `nodes` are called one after another in between when there are any,
 * which is all that a workflow is good for when nobody schedules, times, retries or isolates it.
 *
 *     deno run --allow-net --allow-read bare.ts <port> [<module of a node> <count> chain|parallel]
 */

const [port, module, count = "3", shape = "chain"] = Deno.args;
const names = Array.from({ length: Number(count) }, (_, index) => `n${index}`);

type Node = (ctx: unknown, input: unknown) => Promise<unknown>;

const node: Node | undefined = module === undefined
  ? undefined
  : (await import(new URL(module, `file://${Deno.cwd()}/`).href)).default;

async function outputs(input: unknown): Promise<Record<string, unknown>> {
  const call = node;
  if (call === undefined) return Object.fromEntries(names.map((name) => [name, {}]));
  if (shape === "parallel") {
    const values = await Promise.all(names.map(() => call({}, input)));
    return Object.fromEntries(names.map((name, index) => [name, values[index]]));
  }
  const results: Record<string, unknown> = {};
  for (const name of names) results[name] = input = await call({}, input);
  return results;
}

function timing(): { startedAt: string; durationMs: number } {
  return { startedAt: new Date().toISOString(), durationMs: 0 };
}

Deno.serve({ port: Number(port), hostname: "0.0.0.0", onListen: () => {} }, async (request) => {
  if (request.method === "GET") return Response.json({ status: "ok" });
  const input: unknown = await request.json();
  const nodes = Object.fromEntries(names.map((name) => [name, { ...timing(), attempts: 1 }]));
  return Response.json({
    success: true,
    outputs: await outputs(input),
    errors: [],
    timing: { ...timing(), nodes },
    runId: crypto.randomUUID(),
    revision: "bench",
  });
});
