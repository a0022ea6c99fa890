// package: zod@4
// kind: data
import { z } from "npm:zod@4";

export default async function run(): Promise<unknown> {
  return { works: z.object({ a: z.number() }).safeParse({ a: 1 }).success };
}
