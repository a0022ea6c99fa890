// package: nodemailer@7
// kind: mail
import nodemailer from "npm:nodemailer@7";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const transport = nodemailer.createTransport({ jsonTransport: true });
  return {
    works: url !== "" && (await transport.sendMail({ to: "a@b.c", text: "hi" })).messageId !== "",
  };
}
