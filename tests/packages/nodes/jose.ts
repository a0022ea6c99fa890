// package: jose@6
// kind: security
import { SignJWT } from "npm:jose@6";

export default async function run(): Promise<unknown> {
  const token = await new SignJWT({}).setProtectedHeader({ alg: "HS256" }).sign(new Uint8Array(32));
  return { works: token.split(".").length === 3 };
}
