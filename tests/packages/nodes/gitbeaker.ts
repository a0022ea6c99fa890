// package: @gitbeaker/rest@43
// kind: forge
import { Gitlab } from "npm:@gitbeaker/rest@43";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const client = new Gitlab({ token: "k", host: url });
  return { works: (await client.Projects.show(1)) !== undefined };
}
