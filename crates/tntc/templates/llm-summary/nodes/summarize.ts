import type { Context } from "tentacular";
import type { Story } from "./collect.ts";

interface Completion {
  choices: { message: { content: string } }[];
}

export default async function run(ctx: Context, stories: Story[]): Promise<{ summary: string }> {
  const llm = ctx.dependency("llm");
  if (llm.fetch === undefined) throw new Error("llm is no HTTP dependency");
  if (stories.length === 0) return { summary: "" };
  const headlines = stories.map(({ title, points }) => `${title} (${points} points)`);
  const response = await llm.fetch("/v1/chat/completions", {
    method: "POST",
    headers: { authorization: `Bearer ${llm.secret}`, "content-type": "application/json" },
    body: JSON.stringify({
      model: ctx.config["model"],
      messages: [
        { role: "system", content: ctx.config["instructions"] },
        { role: "user", content: headlines.join("\n") },
      ],
    }),
  });
  if (!response.ok) throw new Error(`the model answered ${response.status}`);
  const { choices }: Completion = await response.json();
  const summary = choices[0]?.message.content.trim();
  if (!summary) throw new Error("the model said nothing");
  return { summary };
}
