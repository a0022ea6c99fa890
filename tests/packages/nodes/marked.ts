// package: marked@16
// kind: parser
import { marked } from "npm:marked@16";

export default async function run(): Promise<unknown> {
  return { works: marked.parse("# a") === "<h1>a</h1>\n" };
}
