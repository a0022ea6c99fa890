// package: axios@1
// kind: http
import axios from "npm:axios@1";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  return { works: (await axios.get(url)).data.ok };
}
