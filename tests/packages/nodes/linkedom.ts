// package: linkedom@0.18
// kind: parser
import { parseHTML } from "npm:linkedom@0.18";

export default async function run(): Promise<unknown> {
  return { works: parseHTML("<p>a</p>").document.querySelector("p")?.textContent === "a" };
}
