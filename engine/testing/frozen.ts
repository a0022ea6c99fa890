/** A clock that stands still, for nodes whose output depends on the time. */

const RealDate = Date;

/**
 * From now on `Date`, `performance.now` and `Temporal.Now.instant` say `now` (milliseconds since
 * the epoch), until the result is called. Timers go on as always.
 */
export function freeze(now: number): () => void {
  const undo = [
    replace(globalThis, "Date", frozenDate(now)),
    replace(performance, "now", () => 0),
    replace(performance, "timeOrigin", now),
    ...freezeTemporal(now),
  ];
  return () => undo.forEach((it) => it());
}

/** A proxy, as dates made before and after have to stay instances of one `Date`. */
function frozenDate(now: number): DateConstructor {
  const frozen: DateConstructor = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(
        target,
        args.length === 0 ? [now] : args,
        newTarget === frozen ? target : newTarget,
      ),
    apply: () => new RealDate(now).toString(),
    get: (target, key) => key === "now" ? () => now : Reflect.get(target, key),
  });
  return frozen;
}

interface TemporalNow {
  instant(): { toZonedDateTimeISO(zone: string): unknown };
  timeZoneId(): string;
}

function freezeTemporal(now: number): (() => void)[] {
  const temporal = Reflect.get(globalThis, "Temporal") as
    | { Now: TemporalNow; Instant: { fromEpochMilliseconds(ms: number): object } }
    | undefined;
  if (temporal === undefined) return [];
  const instant = temporal.Instant.fromEpochMilliseconds(Math.trunc(now));
  const zoned = (zone = temporal.Now.timeZoneId()): Record<string, () => unknown> =>
    (instant as { toZonedDateTimeISO(zone: string): Record<string, () => unknown> })
      .toZonedDateTimeISO(zone);
  return [
    replace(temporal.Now, "instant", () => instant),
    replace(temporal.Now, "zonedDateTimeISO", zoned),
    replace(
      temporal.Now,
      "plainDateTimeISO",
      (zone?: string) => zoned(zone)["toPlainDateTime"]?.(),
    ),
    replace(temporal.Now, "plainDateISO", (zone?: string) => zoned(zone)["toPlainDate"]?.()),
    replace(temporal.Now, "plainTimeISO", (zone?: string) => zoned(zone)["toPlainTime"]?.()),
  ];
}

function replace(owner: object, key: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(owner, key);
  Object.defineProperty(owner, key, { value, configurable: true, writable: true });
  return () => {
    if (before === undefined) Reflect.deleteProperty(owner, key);
    else Object.defineProperty(owner, key, before);
  };
}
