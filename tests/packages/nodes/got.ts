// package: got@14
// kind: http
import got from "npm:got@14";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  return { works: (await got(url).json<{ ok: boolean }>()).ok };
}
