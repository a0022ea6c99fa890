/** What the nodes hand to each other. */

export interface Tokens {
  /** In the order of the text, in lower case. */
  words: string[];
  lines: number;
  characters: number;
}

export interface Frequency {
  word: string;
  count: number;
}

export interface Statistics {
  words: number;
  distinctWords: number;
  lines: number;
  characters: number;
  /** Of a word, in characters, to two decimals. */
  averageLength: number;
  longestWord: string;
}

/** Characters as readers count them: an emoji is one, whatever it takes to store it. */
export function countCharacters(text: string): number {
  return [...new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text)].length;
}
