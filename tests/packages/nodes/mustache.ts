// package: mustache@4
// kind: data
import mustache from "npm:mustache@4";

export default async function run(): Promise<unknown> {
  return { works: mustache.render("{{a}}", { a: 1 }) === "1" };
}
