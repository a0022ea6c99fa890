import type { Context } from "tentacular";
import type { Labels } from "./triage.ts";

/** Adds labels; those that the issue has already stay. */
export default async function run(ctx: Context, input: Labels): Promise<{ added: string[] }> {
  const github = ctx.dependency("github");
  const { repository, issue, labels } = input;
  if (labels.length === 0) return { added: [] };
  if (github.fetch === undefined) throw new Error("github is no HTTP dependency");
  const response = await github.fetch(`/repos/${repository}/issues/${issue}/labels`, {
    method: "POST",
    headers: {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${github.secret}`,
      "user-agent": "tentacular",
    },
    body: JSON.stringify({ labels }),
  });
  if (!response.ok) throw new Error(`GitHub answered ${response.status}`);
  await response.body?.cancel();
  return { added: labels };
}
