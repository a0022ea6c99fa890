// package: @supabase/supabase-js@2
// kind: database
import { createClient } from "npm:@supabase/supabase-js@2";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const client = createClient(url, "k");
  return { works: (await client.from("t").select()).error === null };
}
