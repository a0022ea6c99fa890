import type { Context } from "tentacular";

export interface Order {
  id: string;
  items: { sku: string; quantity: number }[];
}

/** Anyone may publish: what goes on from here is an order for sure. */
export default function run(ctx: Context, message: Partial<Order>): Order {
  const { id, items } = message;
  if (typeof id !== "string" || id === "") throw new TypeError("the order has no id");
  if (!Array.isArray(items) || items.length === 0) throw new TypeError(`order ${id} is empty`);
  for (const { sku, quantity } of items) {
    const isSound = typeof sku === "string" && Number.isInteger(quantity) && quantity > 0;
    if (!isSound) throw new TypeError(`order ${id} has an item without SKU or quantity`);
  }
  ctx.log.info(`order ${id} with ${items.length} items`);
  return { id, items };
}
