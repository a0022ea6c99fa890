/** SIGTERM and SIGINT. */

export type EndSignal = "SIGTERM" | "SIGINT";

/** Resolves at the first of them. A second SIGINT ends the process as if nobody had listened. */
export function endSignal(): Promise<EndSignal> {
  return new Promise((resolve) => {
    Deno.addSignalListener("SIGTERM", () => resolve("SIGTERM"));
    const onInterrupt = (): void => {
      resolve("SIGINT");
      Deno.removeSignalListener("SIGINT", onInterrupt);
    };
    Deno.addSignalListener("SIGINT", onInterrupt);
  });
}
