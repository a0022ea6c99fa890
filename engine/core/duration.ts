/** Durations as people write them: `250ms`, `30s`, `5m`, `1h`. */

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** The longest delay that a JavaScript timer takes (2^31 - 1 ms, about 24 days). */
export const LONGEST_MS = 2_147_483_647;

/** Milliseconds, or `undefined` when the text is no duration or one that no timer can hold. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+)(ms|s|m|h)$/.exec(text);
  const unit = UNITS[match?.[2] ?? ""];
  if (unit === undefined) return undefined;
  const milliseconds = Number(match?.[1]) * unit;
  return milliseconds > LONGEST_MS ? undefined : milliseconds;
}

/** The shortest exact form: 60000 is `1m`, 1500 is `1500ms`. */
export function formatDuration(milliseconds: number): string {
  for (const unit of ["h", "m", "s"]) {
    const size = UNITS[unit] ?? 1;
    if (milliseconds >= size && milliseconds % size === 0) return `${milliseconds / size}${unit}`;
  }
  return `${milliseconds}ms`;
}
