// package: pdf-lib@1
// kind: parser
import { PDFDocument } from "npm:pdf-lib@1";

export default async function run(): Promise<unknown> {
  const pdf = await PDFDocument.create();
  pdf.addPage();
  return { works: (await pdf.save()).length > 0 };
}
