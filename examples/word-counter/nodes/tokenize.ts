import type { Context } from "tentacular";
import { countCharacters, type Tokens } from "./text.ts";

/** Letters and digits of any script, with the apostrophes and hyphens inside a word. */
const WORD = /[\p{L}\p{N}]+(?:['\u2019-][\p{L}\p{N}]+)*/gu;

export default function run(ctx: Context, input: { text?: unknown }): Tokens {
  const { text } = input;
  if (typeof text !== "string") throw new TypeError('the input must be {"text": "..."}');
  const words = text.toLowerCase().match(WORD) ?? [];
  ctx.log.info(`found ${words.length} words`);
  return { words, lines: countLines(text), characters: countCharacters(text) };
}

/** A line that does not end counts as one; the empty text has none. */
function countLines(text: string): number {
  if (text === "") return 0;
  const ends = text.match(/\r\n|\r|\n/g)?.length ?? 0;
  return /[\r\n]$/.test(text) ? ends : ends + 1;
}
