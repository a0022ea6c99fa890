/** In place of `node:process`, by the import map of deno.json. */

import process from "node:process";
import { hideProcess } from "./machine.ts";

hideProcess(process);

// @ts-expect-error -- its types are written as CommonJS, which the module is not
export * from "node:process";
export const { availableMemory, constrainedMemory, getegid, geteuid, getgid, getuid, umask } =
  process;
export default process;
