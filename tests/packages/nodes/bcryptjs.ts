// package: bcryptjs@3
// kind: security
import bcrypt from "npm:bcryptjs@3";

export default async function run(): Promise<unknown> {
  return { works: await bcrypt.compare("a", await bcrypt.hash("a", 4)) };
}
