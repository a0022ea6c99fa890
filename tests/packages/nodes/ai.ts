// package: ai@5
// kind: LLM
import { generateText } from "npm:ai@5";
import { createOpenAI } from "npm:@ai-sdk/openai@2";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const openai = createOpenAI({ apiKey: "k", baseURL: url });
  const { text } = await generateText({ model: openai.chat("m"), prompt: "hi" });
  return { works: text === "hi" };
}
