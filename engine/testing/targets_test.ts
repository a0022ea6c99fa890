import { equal } from "node:assert/strict";
import { readWorkflow } from "../core/workflow.ts";
import { targetFinder } from "./targets.ts";

function finder(dependencies: Record<string, unknown>): (url: string) => string | undefined {
  const contract = { version: "1", dependencies };
  const workflow = readWorkflow({ name: "w", nodes: { n: { path: "n.ts" } }, contract });
  const find = targetFinder(workflow.dependencies, contract);
  return (url) => find(new URL(url));
}

Deno.test("a URL belongs to the dependency with its scheme, host and port", () => {
  const find = finder({
    api: { protocol: "https", host: "api.example.com" },
    plain: { protocol: "http", host: "api.example.com", port: 8080 },
    six: { protocol: "http", host: "2001:db8::1" },
    grpc: { protocol: "grpc", host: "rpc.example.com", port: 443 },
  });
  equal(find("https://api.example.com/x?y"), "api");
  equal(find("https://API.example.com:443/"), "api");
  equal(find("http://api.example.com:8080/"), "plain");
  equal(find("http://api.example.com/"), undefined);
  equal(find("http://api.example.com:443/"), undefined);
  equal(find("https://api.example.com.evil.test/"), undefined);
  equal(find("http://[2001:db8::1]/"), "six");
  equal(find("https://rpc.example.com/"), "grpc");
});

Deno.test("a dynamic target covers the addresses of its block on each of its ports", () => {
  const find = finder({
    block: {
      type: "dynamic-target",
      cidr: "172.16.0.0/12",
      dynPorts: ["80/TCP", { port: 8443, protocol: "TCP" }],
    },
    six: { type: "dynamic-target", cidr: "2001:db8::/33", dynPorts: ["80/TCP"] },
  });
  equal(find("http://172.31.255.255/"), "block");
  equal(find("https://172.16.0.1:8443/"), "block");
  equal(find("http://172.32.0.1/"), undefined);
  equal(find("http://172.16.0.1:81/"), undefined);
  equal(find("http://inside.example.com/"), undefined);
  equal(find("http://[2001:db8:7fff::1]/"), "six");
  equal(find("http://[2001:db8:8000::1]/"), undefined);
});

Deno.test("the block of all addresses covers every name, after hosts that are declared", () => {
  const find = finder({
    all: { type: "dynamic-target", cidr: "0.0.0.0/0", dynPorts: ["443/TCP"] },
    api: { protocol: "https", host: "api.example.com" },
  });
  equal(find("https://anything.example.com/"), "all");
  equal(find("https://api.example.com/"), "api");
  equal(find("http://anything.example.com/"), undefined);
});
