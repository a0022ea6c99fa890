import type { Context } from "tentacular";
import type { Product } from "./records.ts";

/** Page after page, until one is not full. */
export default async function run(ctx: Context): Promise<Product[]> {
  const api = ctx.dependency("api");
  if (api.fetch === undefined) throw new Error("api is no HTTP dependency");
  const size = Number(ctx.config["page_size"] ?? 100);
  const headers = { authorization: `Bearer ${api.secret}` };
  const products: Product[] = [];
  for (let page = 1;; page++) {
    const path = `${ctx.config["path"]}?page=${page}&size=${size}`;
    const response = await api.fetch(path, { headers });
    if (!response.ok) throw new Error(`${path}: the API answered ${response.status}`);
    const found: Product[] = await response.json();
    products.push(...found);
    if (found.length < size) return products;
  }
}
