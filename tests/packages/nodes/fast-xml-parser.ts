// package: fast-xml-parser@5
// kind: parser
import { XMLParser } from "npm:fast-xml-parser@5";

export default async function run(): Promise<unknown> {
  return { works: new XMLParser().parse("<a>1</a>").a === 1 };
}
