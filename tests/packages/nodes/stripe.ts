// package: stripe@19
// kind: payments
import Stripe from "npm:stripe@19";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const client = new Stripe("sk", { host, port, protocol: "http" });
  return { works: url !== "" && (await client.customers.list()) !== undefined };
}
