// package: @aws-sdk/client-s3@3
// kind: cloud
// needs: credentials and region in its options, as there are no environment variables
import { ListBucketsCommand, S3Client } from "npm:@aws-sdk/client-s3@3";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const client = new S3Client({
    region: "eu-central-1",
    endpoint: `http://${host}:${port}`,
    forcePathStyle: true,
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
  });
  const { Buckets } = await client.send(new ListBucketsCommand({}));
  return { works: Buckets?.[0]?.Name === "first" };
}
