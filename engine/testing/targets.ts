/** Which dependency of the contract a URL belongs to. */

import { Shape } from "../core/shape.ts";
import type { DependencySpec } from "../core/workflow.ts";

/** Finds the dependency that a request to this URL reaches, if the contract declares one. */
export type FindTarget = (url: URL) => string | undefined;

/** Ports that URLs of these schemes leave out. */
const SCHEME_PORTS: Readonly<Record<string, number>> = { "https:": 443, "http:": 80 };
const SCHEMES: Readonly<Record<string, string>> = {
  https: "https:",
  http: "http:",
  blob: "https:",
  s3: "https:",
};

/**
 * `contract` is the section as workflow.yaml has it: a dynamic target may list several ports, of
 * which the engine knows only the first. A host that is named wins over a block that covers it.
 */
export function targetFinder(
  dependencies: ReadonlyMap<string, DependencySpec>,
  contract: unknown,
): FindTarget {
  const blocks = [...dependencies].filter(([, it]) => it.kind === "dynamic-target")
    .map(([name, it]) => ({ name, covers: blockMatcher(it.host), ports: portsOf(contract, name) }));
  return (url) => {
    const port = portOf(url);
    const named = [...dependencies].find(([, it]) => reaches(url, port, it));
    return named?.[0] ??
      blocks.find((it) => it.ports.includes(port) && it.covers(bareHost(url)))?.name;
  };
}

function reaches(
  url: URL,
  port: number,
  { protocol, host, port: declared, kind }: DependencySpec,
): boolean {
  if (kind !== undefined || port !== declared) return false;
  const scheme = SCHEMES[protocol];
  if (scheme !== undefined && scheme !== url.protocol) return false;
  return bareHost(url) === host.replace(/^\[|\]$/g, "").toLowerCase();
}

function portOf(url: URL): number {
  return url.port === "" ? SCHEME_PORTS[url.protocol] ?? 0 : Number(url.port);
}

/** Without the brackets of an IPv6 address. */
function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

function portsOf(contract: unknown, name: string): number[] {
  const ports = new Shape(contract, "contract").get("dependencies").get(name).get("dynPorts");
  return ports.list().map(({ value }) =>
    typeof value === "object"
      ? Number(Reflect.get(value ?? {}, "port"))
      : parseInt(String(value), 10)
  );
}

/** `0.0.0.0/0` and `::/0` cover every host: names as well, whatever they resolve to. */
function blockMatcher(cidr: string): (host: string) => boolean {
  const [address = "", length = ""] = cidr.split("/");
  const prefix = Number(length);
  if (prefix === 0) return () => true;
  const block = bitsOf(address);
  return (host) => {
    const bits = bitsOf(host);
    return bits !== undefined && block !== undefined && bits.length === block.length &&
      bits.slice(0, prefix) === block.slice(0, prefix);
  };
}

/** An address as a text of zeros and ones, 32 or 128 of them; `undefined` for a name. */
function bitsOf(address: string): string | undefined {
  if (/^\d+(\.\d+){3}$/.test(address)) {
    return address.split(".").map((byte) => bits(Number(byte), 8)).join("");
  }
  if (!URL.canParse(`http://[${address}]/`)) return undefined;
  const [head = "", tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split("::");
  const left = groups(head);
  const right = groups(tail ?? "");
  const zeros = new Array(8 - left.length - right.length).fill(0);
  return [...left, ...zeros, ...right].map((group) => bits(group, 16)).join("");
}

function groups(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
}

function bits(value: number, width: number): string {
  return value.toString(2).padStart(width, "0");
}
