// package: iconv-lite@0.6
// kind: parser
import iconv from "npm:iconv-lite@0.6";

export default async function run(): Promise<unknown> {
  return { works: iconv.decode(iconv.encode("\u00e4", "latin1"), "latin1") === "\u00e4" };
}
