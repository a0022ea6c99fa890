// package: undici@7
// kind: http
import { request } from "npm:undici@7";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  return { works: (await (await request(url)).body.json() as { ok: boolean }).ok };
}
