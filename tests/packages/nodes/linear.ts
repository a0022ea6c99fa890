// package: @linear/sdk@61
// kind: forge
import { LinearClient } from "npm:@linear/sdk@61";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  return { works: new LinearClient({ apiKey: "k", apiUrl: url }).client !== undefined };
}
