// package: puppeteer-core@24
// kind: browser
// needs: a browser in a service of its own; `connect`, as no program can be started
import puppeteer from "npm:puppeteer-core@24";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const error = await puppeteer.connect({ browserURL: url }).then(
    () => undefined,
    (it: Error) => it.message,
  );
  return { works: error !== undefined && !error.includes("contract") };
}
