// package: redis@5
// kind: database
import { createClient } from "npm:redis@5";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const client = createClient({ socket: { host, port, reconnectStrategy: false } });
  client.on("error", () => {});
  const error = await client.connect().then(() => undefined, (it: Error) => it.message);
  return { works: url !== "" && error !== undefined && !error.includes("contract") };
}
