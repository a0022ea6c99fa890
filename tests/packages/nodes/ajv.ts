// package: ajv@8
// kind: data
import { Ajv } from "npm:ajv@8";

export default async function run(): Promise<unknown> {
  return { works: new Ajv().validate({ type: "number" }, 1) };
}
