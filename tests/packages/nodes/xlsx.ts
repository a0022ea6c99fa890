// package: xlsx@0.18
// kind: parser
import * as XLSX from "npm:xlsx@0.18";

export default async function run(): Promise<unknown> {
  const book = XLSX.utils.book_new();
  XLSX.utils.book_append_sheet(book, XLSX.utils.aoa_to_sheet([[1]]), "s");
  return { works: XLSX.write(book, { type: "array" }).byteLength > 0 };
}
