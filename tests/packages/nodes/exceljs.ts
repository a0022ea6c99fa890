// package: exceljs@4
// kind: parser
import ExcelJS from "npm:exceljs@4";

export default async function run(): Promise<unknown> {
  const book = new ExcelJS.Workbook();
  book.addWorksheet("s").addRow([1]);
  const bytes = await book.xlsx.writeBuffer();
  return { works: bytes.byteLength > 0 };
}
