// package: js-yaml@4
// kind: parser
import yaml from "npm:js-yaml@4";

export default async function run(): Promise<unknown> {
  return { works: (yaml.load("a: 1") as { a: number }).a === 1 };
}
