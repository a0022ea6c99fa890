// package: jsdom@26
// kind: parser
// cannot: it reads files beside its own code; use `npm:linkedom`
import { JSDOM } from "npm:jsdom@26";

export default async function run(): Promise<unknown> {
  return { works: new JSDOM("<p>a</p>").window.document.querySelector("p")?.textContent === "a" };
}
