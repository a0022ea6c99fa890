// package: mysql2@3
// kind: database
import mysql from "npm:mysql2@3/promise";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("mysql");
  const client = await mysql.createConnection({ host, port, user: "u", password: "p" });
  const [rows] = await client.query("select 42 as answer");
  client.destroy();
  return { works: (rows as { answer: unknown }[])[0]?.answer === 42 };
}
