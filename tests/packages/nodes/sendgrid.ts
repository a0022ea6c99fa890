// package: @sendgrid/mail@8
// kind: mail
import mail from "npm:@sendgrid/mail@8";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  mail.setApiKey("SG.k");
  return { works: url !== "" && typeof mail.send === "function" };
}
