// package: @langchain/openai@1
// kind: LLM
import { ChatOpenAI } from "npm:@langchain/openai@1";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const model = new ChatOpenAI({ apiKey: "k", model: "m", configuration: { baseURL: url } });
  return { works: (await model.invoke("hi")).content === "hi" };
}
