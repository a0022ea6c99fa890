// package: @elastic/elasticsearch@9
// kind: database
import { Client } from "npm:@elastic/elasticsearch@9";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  return { works: new Client({ node: url }).search !== undefined };
}
