// package: ioredis@5
// kind: database
import { Redis } from "npm:ioredis@5";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const client = new Redis({ host, port, lazyConnect: true, retryStrategy: () => null });
  client.on("error", () => {});
  const error = await client.connect().then(() => undefined, (it: Error) => it.message);
  return { works: url !== "" && error !== undefined && !error.includes("contract") };
}
