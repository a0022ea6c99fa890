// package: papaparse@5
// kind: parser
import Papa from "npm:papaparse@5";

export default async function run(): Promise<unknown> {
  return { works: Papa.parse("a,b").data.length === 1 };
}
