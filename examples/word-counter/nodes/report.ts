import type { Context } from "tentacular";
import type { Frequency, Statistics } from "./text.ts";

interface Input {
  frequencies: Frequency[];
  statistics: Statistics;
}

interface Report extends Statistics {
  mostFrequent: Frequency[];
  summary: string;
}

export default function run(_ctx: Context, { frequencies, statistics }: Input): Report {
  const { words, lines, characters } = statistics;
  const top = frequencies.slice(0, 3).map(({ word, count }) => `${word} (${count})`).join(", ");
  return {
    ...statistics,
    mostFrequent: frequencies,
    summary:
      `${plural(words, "word")} in ${plural(lines, "line")}, ${plural(characters, "character")}` +
      (top === "" ? "" : `; most frequent: ${top}`),
  };
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
