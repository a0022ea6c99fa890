// package: luxon@3
// kind: data
import { DateTime } from "npm:luxon@3";

export default async function run(): Promise<unknown> {
  return { works: DateTime.fromISO("2026-01-01").isValid };
}
