// package: openai@6
// kind: LLM
import OpenAI from "npm:openai@6";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const client = new OpenAI({ apiKey: "k", baseURL: url });
  const { choices } = await client.chat.completions.create({ model: "m", messages: [] });
  return { works: choices[0]?.message.content === "hi" };
}
