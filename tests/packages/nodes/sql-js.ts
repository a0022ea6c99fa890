// package: sql.js@1
// kind: database
// needs: `sql.js/dist/sql-asm.js`, which needs no file beside it
import initSqlJs from "npm:sql.js@1/dist/sql-asm.js";

export default async function run(): Promise<unknown> {
  const db = new (await initSqlJs()).Database();
  return { works: db.exec("select 42")[0]?.values[0]?.[0] === 42 };
}
