// package: jszip@3
// kind: parser
import JSZip from "npm:jszip@3";

export default async function run(): Promise<unknown> {
  const zip = new JSZip();
  zip.file("a", "b");
  return { works: (await zip.generateAsync({ type: "uint8array" })).length > 0 };
}
