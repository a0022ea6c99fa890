/** Small things for reports. */

export interface Flags {
  readonly rounds: number;
  readonly seconds: number;
  readonly write: boolean;
  readonly processor: string;
}

export function flagsOf(args: readonly string[]): Flags {
  const value = (name: string, fallback: number): number => {
    const at = args.indexOf(name);
    return at < 0 ? fallback : Number(args[at + 1]);
  };
  return {
    rounds: value("--rounds", 5),
    seconds: value("--seconds", 3),
    write: args.includes("--write"),
    processor: /model name\s*:\s*(.*)/.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1] ?? "?",
  };
}

export function ratio(value: number): string {
  return value.toFixed(2);
}
