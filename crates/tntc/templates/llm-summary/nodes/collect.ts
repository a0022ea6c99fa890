import type { Context } from "tentacular";

export interface Story {
  title: string;
  points: number;
}

export default async function run(ctx: Context): Promise<Story[]> {
  const news = ctx.dependency("news");
  if (news.fetch === undefined) throw new Error("news is no HTTP dependency");
  const count = Number(ctx.config["stories"] ?? 15);
  const response = await news.fetch(`/api/v1/search?tags=front_page&hitsPerPage=${count}`);
  if (!response.ok) throw new Error(`the news answered ${response.status}`);
  const { hits }: { hits: Story[] } = await response.json();
  return hits.map(({ title, points }) => ({ title, points }));
}
