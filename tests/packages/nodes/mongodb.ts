// package: mongodb@6
// kind: database
import { MongoClient } from "npm:mongodb@6";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("mongo");
  const client = new MongoClient(`mongodb://${host}:${port}/?directConnection=true`);
  const found = await client.db("t").collection("c").find({}).toArray();
  await client.close();
  return { works: found[0]?.["answer"] === 42 };
}
