import type { Context } from "tentacular";
import type { Order } from "./check.ts";

/** Given back to whoever published the order with a reply subject. */
interface Dispatch {
  order: string;
  shipment: string;
}

/** PUT with the order's own id: a message that comes twice makes one shipment. */
export default async function run(ctx: Context, order: Order): Promise<Dispatch> {
  const warehouse = ctx.dependency("warehouse");
  if (warehouse.fetch === undefined) throw new Error("warehouse is no HTTP dependency");
  const response = await warehouse.fetch(`/shipments/${encodeURIComponent(order.id)}`, {
    method: "PUT",
    headers: { "content-type": "application/json", "x-api-key": warehouse.secret ?? "" },
    body: JSON.stringify({ items: order.items }),
  });
  if (!response.ok) throw new Error(`the warehouse answered ${response.status}`);
  const { shipment }: { shipment: string } = await response.json();
  return { order: order.id, shipment };
}
