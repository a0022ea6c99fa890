import { deepEqual } from "node:assert/strict";
import { createLogger } from "./log.ts";

function lines(write: (log: ReturnType<typeof createLogger>) => void, runId?: string): string[] {
  const written: string[] = [];
  const options = {
    sink: (line: string) => void written.push(line),
    mask: (text: string) => text.replaceAll("hunter2", "***"),
    inspect: (value: unknown) => JSON.stringify(value),
  };
  write(createLogger("fetch", options, runId));
  return written;
}

Deno.test("a line has its source, level, message, arguments and run", () => {
  const written = lines((log) => {
    log.debug("one");
    log.info("two", { a: 1 }, [2]);
    log.warn("three", 3);
    log.error({ only: "object" });
  }, "r1");
  deepEqual(written, [
    "[fetch] DEBUG one runId=r1",
    '[fetch] INFO two {"a":1} [2] runId=r1',
    "[fetch] WARN three 3 runId=r1",
    '[fetch] ERROR {"only":"object"} runId=r1',
  ]);
});

Deno.test("secrets are masked in messages and in arguments", () => {
  deepEqual(lines((log) => log.info("hunter2", { password: "hunter2" })), [
    '[fetch] INFO *** {"password":"***"}',
  ]);
});

Deno.test("a message cannot forge a line", () => {
  deepEqual(lines((log) => log.info("a\n[engine] ERROR b\r\nc")), [
    "[fetch] INFO a\\n[engine] ERROR b\\r\\nc",
  ]);
});
