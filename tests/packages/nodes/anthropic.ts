// package: @anthropic-ai/sdk@0.68
// kind: LLM
import Anthropic from "npm:@anthropic-ai/sdk@0.68";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const client = new Anthropic({ apiKey: "k", baseURL: url });
  const { content } = await client.messages.create({
    model: "m",
    max_tokens: 1,
    messages: [{ role: "user", content: "hi" }],
  });
  return { works: content[0]?.type === "text" };
}
