// package: jsonata@2
// kind: data
import jsonata from "npm:jsonata@2";

export default async function run(): Promise<unknown> {
  return { works: await jsonata("a.b").evaluate({ a: { b: 1 } }) === 1 };
}
