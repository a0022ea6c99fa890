import type { Context } from "tentacular";
import type { Product, Row } from "./records.ts";

export default function run(ctx: Context, products: Product[]): Row[] {
  const current = products.filter(({ discontinued }) => !discontinued);
  ctx.log.info(`${current.length} of ${products.length} products are current`);
  return current.map(({ id, name, price }) => ({ id, name: name.trim(), cents: cents(price) }));
}

/** Prices are decimal text: as numbers they would lose cents. */
function cents(price: string): number {
  const match = /^(\d+)(?:\.(\d{1,2}))?$/.exec(price);
  if (match === null) throw new Error(`"${price}" is no price`);
  return Number(match[1]) * 100 + Number((match[2] ?? "").padEnd(2, "0"));
}
