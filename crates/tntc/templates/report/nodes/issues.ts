import type { Context } from "tentacular";
import { get } from "./github.ts";

export interface Issue {
  number: number;
  title: string;
}

interface Found extends Issue {
  pull_request?: unknown;
}

/** The newest open issues. GitHub counts pull requests among them; here they do not. */
export default async function run(ctx: Context): Promise<Issue[]> {
  const found = await get<Found[]>(ctx, "/issues?state=open&per_page=20");
  return found.filter((it) => it.pull_request === undefined)
    .map(({ number, title }) => ({ number, title }));
}
