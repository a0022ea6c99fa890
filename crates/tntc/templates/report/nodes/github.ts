import type { Context } from "tentacular";

/** What GitHub has at `path` of the repository. */
export async function get<Answer>(ctx: Context, path: string): Promise<Answer> {
  const github = ctx.dependency("github");
  if (github.fetch === undefined) throw new Error("github is no HTTP dependency");
  const response = await github.fetch(`/repos/${ctx.config["repository"]}${path}`, {
    headers: {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${github.secret}`,
      "user-agent": "tentacular",
    },
  });
  if (!response.ok) throw new Error(`${path}: GitHub answered ${response.status}`);
  return await response.json();
}
