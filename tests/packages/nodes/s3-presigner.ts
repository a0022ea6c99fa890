// package: @aws-sdk/s3-request-presigner@3
// kind: cloud
// needs: credentials and region in its options
import { GetObjectCommand, S3Client } from "npm:@aws-sdk/client-s3@3";
import { getSignedUrl } from "npm:@aws-sdk/s3-request-presigner@3";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const credentials = { accessKeyId: "a", secretAccessKey: "b" };
  const client = new S3Client({ region: "eu-central-1", endpoint: url, credentials });
  const signed = await getSignedUrl(client, new GetObjectCommand({ Bucket: "b", Key: "k" }));
  return { works: signed.includes("X-Amz-Signature") };
}
