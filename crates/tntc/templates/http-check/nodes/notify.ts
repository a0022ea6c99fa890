import type { Context } from "tentacular";
import type { Finding } from "./probe.ts";

/** Good news is no news. */
export default async function run(ctx: Context, finding: Finding): Promise<{ sent: boolean }> {
  const chat = ctx.dependency("chat");
  if (finding.healthy) return { sent: false };
  if (chat.fetch === undefined || chat.secret === undefined) {
    throw new Error("the secret chat.webhook_path is missing");
  }
  const response = await chat.fetch(chat.secret, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text: finding.message }),
  });
  if (!response.ok) throw new Error(`the chat answered ${response.status}`);
  ctx.log.info("told the chat:", finding.message);
  return { sent: true };
}
