import type { Context } from "tentacular";
import type { Issue } from "./issues.ts";
import type { Pull } from "./pulls.ts";
import type { Release } from "./release.ts";

interface Input {
  issues: Issue[];
  pulls: Pull[];
  release: Release;
}

/** Markdown, ready to be sent to wherever it is read. */
export default function run(ctx: Context, input: Input): { markdown: string } {
  const { issues, pulls, release } = input;
  const lines = [
    `# ${ctx.config["repository"]}`,
    `${release.name} is ${release.age} days old.`,
    `## Open issues (${issues.length})`,
    ...issues.map(({ number, title }) => `- #${number} ${title}`),
    `## Open pull requests (${pulls.length})`,
    ...pulls.map(({ number, title, author }) => `- #${number} ${title} (${author})`),
  ];
  return { markdown: lines.join("\n") };
}
