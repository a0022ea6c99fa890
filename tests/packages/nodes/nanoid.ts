// package: nanoid@5
// kind: data
import { nanoid } from "npm:nanoid@5";

export default async function run(): Promise<unknown> {
  return { works: nanoid().length === 21 };
}
