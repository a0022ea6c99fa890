// package: octokit@5
// kind: forge
import { Octokit } from "npm:octokit@5";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const client = new Octokit({ auth: "k", baseUrl: url });
  return { works: (await client.request("GET /x")).data.ok };
}
