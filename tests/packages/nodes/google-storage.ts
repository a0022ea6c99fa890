// package: @google-cloud/storage@7
// kind: cloud
// needs: credentials in its options
import { Storage } from "npm:@google-cloud/storage@7";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const client = new Storage({ apiEndpoint: url, projectId: "p" });
  return { works: client.bucket("b").name === "b" };
}
