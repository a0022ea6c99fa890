// package: @discordjs/rest@2
// kind: chat
import { REST } from "npm:@discordjs/rest@2";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const client = new REST({ api: url }).setToken("k");
  return { works: ((await client.get("/users/@me")) as { username: string }).username === "bot" };
}
