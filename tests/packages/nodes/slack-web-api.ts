// package: @slack/web-api@7
// kind: chat
import { WebClient } from "npm:@slack/web-api@7";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const client = new WebClient("token", { slackApiUrl: `http://${host}:${port}/api/` });
  return { works: (await client.auth.test()).user === "bot" };
}
