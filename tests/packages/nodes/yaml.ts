// package: yaml@2
// kind: parser
import { parse } from "npm:yaml@2";

export default async function run(): Promise<unknown> {
  return { works: parse("a: 1").a === 1 };
}
