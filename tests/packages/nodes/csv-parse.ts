// package: csv-parse@6
// kind: parser
import { parse } from "npm:csv-parse@6/sync";

export default async function run(): Promise<unknown> {
  return { works: parse("a,b").length === 1 };
}
