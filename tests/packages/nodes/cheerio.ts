// package: cheerio@1
// kind: parser
import { load } from "npm:cheerio@1";

export default function run(): unknown {
  return { works: load("<p>parsed</p>")("p").text() === "parsed" };
}
