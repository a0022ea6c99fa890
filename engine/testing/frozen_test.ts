import { deepEqual, equal, ok } from "node:assert/strict";
import { freeze } from "./frozen.ts";

const MOMENT = Date.UTC(2026, 1, 16, 9);

Deno.test("a frozen clock says one moment, however it is asked, and goes on afterwards", () => {
  const born = new Date();
  const thaw = freeze(MOMENT);
  try {
    equal(Date.now(), MOMENT);
    equal(new Date().toISOString(), "2026-02-16T09:00:00.000Z");
    equal(Date(), new Date(MOMENT).toString());
    deepEqual([performance.now(), performance.timeOrigin], [0, MOMENT]);
    ok(new Date() instanceof Date && born instanceof Date);
    equal(new Date(2020, 0).getFullYear(), 2020);
    equal(Date.parse("1970-01-01T00:00:00Z"), 0);
  } finally {
    thaw();
  }
  ok(Date.now() > MOMENT - 1 && Date.now() !== MOMENT);
  ok(performance.now() > 0);
});

Deno.test("classes that extend Date keep their own kind", () => {
  const thaw = freeze(MOMENT);
  try {
    class Day extends Date {
      get day(): number {
        return this.getUTCDate();
      }
    }
    equal(new Day().day, 16);
  } finally {
    thaw();
  }
});

Deno.test("Temporal stands still as well", () => {
  const temporal = Reflect.get(globalThis, "Temporal");
  if (temporal === undefined) return;
  const thaw = freeze(MOMENT);
  try {
    equal(temporal.Now.instant().epochMilliseconds, MOMENT);
    equal(temporal.Now.zonedDateTimeISO("UTC").hour, 9);
    equal(temporal.Now.plainDateISO("UTC").toString(), "2026-02-16");
  } finally {
    thaw();
  }
});
