/** Answers in place of what needs a permission to know of the machine, which is never given. */

import { denoFunctions, PROCESS_FUNCTIONS } from "../core/machine.ts";

/** `umask` without an argument, as a container begins with. */
const UMASK = 0o022;

/** Seconds since the start of this process: that of the machine is nobody's to know. */
export const uptime = (): number => performance.now() / 1_000;

/**
 * To be called before a node is loaded. `node:os` and `node:process` have their answers in the modules
 * that the import map puts in their places.
 */
export function hideMachine(): void {
  Object.assign(Deno, denoFunctions(uptime));
  const property = Object.getOwnPropertyDescriptor(globalThis, "process");
  const get = property?.get;
  if (get === undefined) return hideProcess(globalThis.process);
  // As it is looked at first: making it takes time that most workflows need not spend.
  let hidden = false;
  Object.defineProperty(globalThis, "process", {
    ...property,
    get: () => {
      const process: typeof globalThis.process = get.call(globalThis);
      if (!hidden) hideProcess(process);
      hidden = true;
      return process;
    },
  });
}

/** Of the one object that there is, however it is imported. */
export function hideProcess(process: typeof globalThis.process): void {
  const { umask } = process;
  Object.assign(process, PROCESS_FUNCTIONS, {
    umask: (mask?: number) => mask === undefined ? UMASK : umask(mask),
  });
}
