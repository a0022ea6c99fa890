/**
 * In place of `node:os`, by the import map of deno.json. Packages that are CommonJS get the module itself
 * by `require`, so that it is changed in its place; a bundle imports this for their sake.
 */

import os from "node:os";
import "node:process";
import { osFunctions } from "../core/machine.ts";
import { uptime } from "./machine.ts";
import "./node_net.ts";

Object.assign(os, osFunctions(os.availableParallelism(), uptime));

export const {
  EOL,
  arch,
  availableParallelism,
  constants,
  cpus,
  devNull,
  endianness,
  freemem,
  getPriority,
  homedir,
  hostname,
  loadavg,
  machine,
  networkInterfaces,
  platform,
  release,
  setPriority,
  tmpdir,
  totalmem,
  type,
  uptime: osUptime,
  userInfo,
  version,
} = os;

export { osUptime as uptime };
export default os;
