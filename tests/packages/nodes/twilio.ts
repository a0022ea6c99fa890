// package: twilio@5
// kind: chat
import twilio from "npm:twilio@5";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  return { works: url !== "" && twilio("AC1", "k").messages !== undefined };
}
