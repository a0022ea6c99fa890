// package: @notionhq/client@5
// kind: forge
import { Client } from "npm:@notionhq/client@5";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const client = new Client({ auth: "k", baseUrl: url });
  return { works: (await client.users.me({})) !== undefined };
}
