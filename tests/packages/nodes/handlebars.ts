// package: handlebars@4
// kind: data
import handlebars from "npm:handlebars@4";

export default async function run(): Promise<unknown> {
  return { works: handlebars.compile("{{a}}")({ a: 1 }) === "1" };
}
