// package: uuid@11
// kind: data
import { v4 } from "npm:uuid@11";

export default async function run(): Promise<unknown> {
  return { works: v4().length === 36 };
}
