// package: xml2js@0.6
// kind: parser
import xml2js from "npm:xml2js@0.6";

export default async function run(): Promise<unknown> {
  return { works: (await xml2js.parseStringPromise("<a>1</a>")).a === "1" };
}
