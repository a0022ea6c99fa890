// package: resend@6
// kind: mail
import { Resend } from "npm:resend@6";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  return { works: url !== "" && new Resend("k").emails !== undefined };
}
