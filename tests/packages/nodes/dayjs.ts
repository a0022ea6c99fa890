// package: dayjs@1
// kind: data
import dayjs from "npm:dayjs@1";

export default async function run(): Promise<unknown> {
  return { works: dayjs("2026-01-31").add(1, "day").month() === 1 };
}
