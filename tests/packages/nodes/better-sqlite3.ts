// package: better-sqlite3@12
// kind: database
// cannot: native code; use `node:sqlite`
import it from "npm:better-sqlite3@12";

export default () => ({ works: it !== undefined });
