import type { Context } from "tentacular";
import { get } from "./github.ts";

export interface Release {
  name: string;
  /** Whole days. */
  age: number;
}

const DAY_MS = 86_400_000;

export default async function run(ctx: Context): Promise<Release> {
  const found = await get<{ tag_name: string; published_at: string }>(ctx, "/releases/latest");
  const age = Math.floor((Date.now() - Date.parse(found.published_at)) / DAY_MS);
  return { name: found.tag_name, age };
}
