// package: @azure/storage-blob@12
// kind: cloud
import { BlobServiceClient } from "npm:@azure/storage-blob@12";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const client = new BlobServiceClient(`${url}/account?sig=k`);
  return { works: client.getContainerClient("c").containerName === "c" };
}
