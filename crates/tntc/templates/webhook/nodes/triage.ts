import type { Context } from "tentacular";

/** The part of GitHub's `issues` event that is used here. */
interface Event {
  issue: { number: number; title: string; body: string | null };
  repository: { full_name: string };
}

export interface Labels {
  repository: string;
  issue: number;
  labels: string[];
}

export default function run(ctx: Context, { issue, repository }: Event): Labels {
  const words = new Set(`${issue.title} ${issue.body ?? ""}`.toLowerCase().match(/\p{L}+/gu));
  const rules = Object.entries((ctx.config["labels"] ?? {}) as Record<string, string[]>);
  const labels = rules.filter(([, asking]) => asking.some((word) => words.has(word)))
    .map(([label]) => label);
  ctx.log.info(`issue ${issue.number}: ${labels.join(", ") || "no label"}`);
  return { repository: repository.full_name, issue: issue.number, labels };
}
