// package: grammy@1
// kind: chat
import { Api } from "npm:grammy@1";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const client = new Api("1:k", { apiRoot: url });
  return { works: (await client.getMe()).id === 1 };
}
