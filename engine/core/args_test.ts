import { deepEqual, equal, throws } from "node:assert/strict";
import { parseArgs, UsageError } from "./args.ts";

Deno.test("only the workflow is required", () => {
  deepEqual(parseArgs(["--workflow", "w.yaml"]), {
    workflow: "w.yaml",
    port: 8080,
    webhookPort: 8081,
    host: "0.0.0.0",
    graceMs: 30_000,
    triggers: "all",
    watch: false,
  });
});

Deno.test("every argument is read, with a space or an equals sign", () => {
  const args =
    "--workflow w --port=1 --metrics-port 3 --host 127.0.0.1 --instance ns/n --revision=abc= --grace 5m " +
    "--triggers http --secrets s --watch";
  deepEqual(parseArgs(args.split(" ")), {
    workflow: "w",
    port: 1,
    webhookPort: 2,
    metricsPort: 3,
    host: "127.0.0.1",
    instance: "ns/n",
    revision: "abc=",
    graceMs: 300_000,
    triggers: "http",
    secrets: "s",
    watch: true,
  });
});

Deno.test("the last of several counts, as callers append to the image's own arguments", () => {
  equal(parseArgs(["--workflow", "a", "--workflow", "b"]).workflow, "b");
});

Deno.test("what makes no sense is refused by name", () => {
  const cases: [string, RegExp][] = [
    ["", /--workflow <file> is missing/],
    ["--workflow", /--workflow has no value/],
    ["--workflow w --prot 1", /unknown argument --prot/],
    ["--workflow w extra", /unknown argument extra/],
    ["--workflow w --port 65536", /--port 65536: not a port/],
    ["--workflow w --port x", /--port x: not a port/],
    ["--workflow w --metrics-port 9x", /--metrics-port 9x: not a port/],
    ["--workflow w --grace 5", /--grace 5: not a duration/],
    ["--workflow w --triggers no", /--triggers no: not all or http/],
  ];
  for (const [line, message] of cases) {
    throws(() => parseArgs(line.split(" ").filter(Boolean)), (error) => {
      return error instanceof UsageError && message.test(error.message);
    }, line);
  }
});
