// package: @google/genai@1
// kind: LLM
import { GoogleGenAI } from "npm:@google/genai@1";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const client = new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: url } });
  await client.models.generateContent({ model: "m", contents: "hi" });
  return { works: true };
}
