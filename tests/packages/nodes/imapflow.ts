// package: imapflow@1
// kind: mail
import { ImapFlow } from "npm:imapflow@1";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const client = new ImapFlow({
    host,
    port,
    secure: false,
    auth: { user: "u", pass: "p" },
    logger: false,
  });
  const error = await client.connect().then(() => undefined, (it: Error) => it.message);
  return { works: url !== "" && error !== undefined && !error.includes("contract") };
}
