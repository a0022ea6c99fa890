// package: pg@8
// kind: database
import pg from "npm:pg@8";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const client = new pg.Client({ host, port, user: "u" });
  const error = await client.connect().then(() => undefined, (it: Error) => it.message);
  return { works: url !== "" && error !== undefined && !error.includes("contract") };
}
