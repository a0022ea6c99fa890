import type { Context } from "tentacular";

export interface Finding {
  healthy: boolean;
  message: string;
}

/** A site that cannot be reached at all makes this node fail, and so be tried again. */
export default async function run(ctx: Context): Promise<Finding> {
  const { path, status, slow_ms: slowMs } = ctx.config;
  const site = ctx.dependency("site");
  if (site.fetch === undefined) throw new Error("site is no HTTP dependency");
  const began = performance.now();
  const response = await site.fetch(String(path ?? "/"));
  await response.body?.cancel();
  const milliseconds = Math.round(performance.now() - began);
  if (response.status !== Number(status ?? 200)) {
    return { healthy: false, message: `${site.host} answered ${response.status}` };
  }
  if (milliseconds > Number(slowMs ?? Infinity)) {
    return { healthy: false, message: `${site.host} took ${milliseconds} ms to answer` };
  }
  return { healthy: true, message: `${site.host} is well` };
}
