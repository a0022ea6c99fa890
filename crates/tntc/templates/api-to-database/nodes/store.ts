import postgres from "npm:postgres@3.4.7";
import type { Context } from "tentacular";
import type { Row } from "./records.ts";

const UPSERT = `
  INSERT INTO products (id, name, cents)
  SELECT id, name, cents FROM json_to_recordset($1::text::json) AS r(id int, name text, cents int)
  ON CONFLICT (id) DO UPDATE SET name = excluded.name, cents = excluded.cents`;

/** All rows in one statement, so that either all of them are stored or none. */
export default async function run(
  ctx: Context,
  rows: Row[],
): Promise<{ stored: number; rows?: Row[] }> {
  const { host, port, database, user, secret } = ctx.dependency("db");
  if (ctx.config["dry_run"] === true) return { stored: 0, rows };
  const sql = postgres({ host, port, database, user, password: secret, max: 1 });
  try {
    const result = await sql.unsafe(UPSERT, [JSON.stringify(rows)]);
    return { stored: result.count };
  } finally {
    await sql.end();
  }
}
