import type { Context } from "tentacular";
import { countCharacters, type Frequency, type Tokens } from "./text.ts";

/** The most frequent words, the more frequent first and the alphabet deciding between equals. */
export default function run(ctx: Context, { words }: Tokens): Frequency[] {
  const top = Number(ctx.config["top"] ?? 10);
  const shortest = Number(ctx.config["shortest"] ?? 1);
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts]
    .filter(([word]) => countCharacters(word) >= shortest)
    .map(([word, count]) => ({ word, count }))
    .sort((a, b) => b.count - a.count || (a.word < b.word ? -1 : 1))
    .slice(0, top);
}
