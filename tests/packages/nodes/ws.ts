// package: ws@8
// kind: http
import WebSocket from "npm:ws@8";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const client = new WebSocket(url.replace("http", "ws"));
  const error = await new Promise<string>((resolve) =>
    client.on("error", (it: Error) => resolve(it.message))
  );
  return { works: error.includes("server response") };
}
