// package: ky@1
// kind: http
import ky from "npm:ky@1";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  return { works: (await ky(url).json<{ ok: boolean }>()).ok };
}
