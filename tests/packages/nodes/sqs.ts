// package: @aws-sdk/client-sqs@3
// kind: cloud
// needs: credentials and region in its options
import { ListQueuesCommand, SQSClient } from "npm:@aws-sdk/client-sqs@3";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const credentials = { accessKeyId: "a", secretAccessKey: "b" };
  const client = new SQSClient({ region: "eu-central-1", endpoint: url, credentials });
  return { works: (await client.send(new ListQueuesCommand({}))).$metadata.httpStatusCode === 200 };
}
