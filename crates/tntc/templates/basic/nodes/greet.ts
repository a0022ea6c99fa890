import type { Context } from "tentacular";

interface Input {
  name?: string;
}

export default function run(ctx: Context, input: Input): { message: string } {
  const message = `${String(ctx.config["greeting"])}, ${input.name ?? "world"}!`;
  ctx.log.info(message);
  return { message };
}
