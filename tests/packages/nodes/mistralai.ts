// package: @mistralai/mistralai@1
// kind: LLM
import { Mistral } from "npm:@mistralai/mistralai@1";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  return { works: new Mistral({ apiKey: "k", serverURL: url }).chat !== undefined };
}
