// package: jsonwebtoken@9
// kind: security
import jwt from "npm:jsonwebtoken@9";

export default async function run(): Promise<unknown> {
  return { works: (jwt.verify(jwt.sign({ a: 1 }, "k"), "k") as { a: number }).a === 1 };
}
