import type { Context } from "tentacular";
import { get } from "./github.ts";

export interface Pull {
  number: number;
  title: string;
  author: string;
}

interface Found {
  number: number;
  title: string;
  user: { login: string };
}

export default async function run(ctx: Context): Promise<Pull[]> {
  const found = await get<Found[]>(ctx, "/pulls?state=open&per_page=20");
  return found.map(({ number, title, user }) => ({ number, title, author: user.login }));
}
