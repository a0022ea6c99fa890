import type { Context } from "tentacular";
import { countCharacters, type Statistics, type Tokens } from "./text.ts";

export default function run(_ctx: Context, { words, lines, characters }: Tokens): Statistics {
  const distinct = new Set(words);
  const lengths = new Map([...distinct].map((word) => [word, countCharacters(word)]));
  const length = (word: string): number => lengths.get(word) ?? 0;
  const total = words.reduce((sum, word) => sum + length(word), 0);
  return {
    words: words.length,
    distinctWords: distinct.size,
    lines,
    characters,
    averageLength: words.length === 0 ? 0 : Math.round((total / words.length) * 100) / 100,
    longestWord: words.reduce((best, word) => length(word) > length(best) ? word : best, ""),
  };
}
