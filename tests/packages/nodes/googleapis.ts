// package: @googleapis/sheets@12
// kind: cloud
import { sheets } from "npm:@googleapis/sheets@12";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const client = sheets({ version: "v4", auth: "k", rootUrl: `${url}/` });
  return { works: (await client.spreadsheets.get({ spreadsheetId: "s" })).status === 200 };
}
