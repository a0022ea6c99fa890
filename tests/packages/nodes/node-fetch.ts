// package: node-fetch@3
// kind: http
import fetch from "npm:node-fetch@3";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  return { works: (await (await fetch(url)).json() as { ok: boolean }).ok };
}
