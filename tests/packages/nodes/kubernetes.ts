// package: @kubernetes/client-node@1
// kind: cloud
// needs: `loadFromOptions`, as there is no kubeconfig
import { KubeConfig } from "npm:@kubernetes/client-node@1";
import type { Context } from "tentacular";

export default async function run(ctx: Context): Promise<unknown> {
  const { host, port } = ctx.dependency("http");
  const url = `http://${host}:${port}`;
  const config = new KubeConfig();
  config.loadFromOptions({ clusters: [{ name: "c", server: url }], users: [], contexts: [] });
  return { works: config.getClusters().length === 1 };
}
