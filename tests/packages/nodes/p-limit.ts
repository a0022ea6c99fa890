// package: p-limit@7
// kind: data
import pLimit from "npm:p-limit@7";

export default async function run(): Promise<unknown> {
  return { works: await pLimit(1)(() => true) };
}
