/**
 * What nodes are told of the machine: the same everywhere. Libraries ask for it when they are loaded,
 * to name themselves to a server or to size a pool, and few survive a refusal; none needs the truth.
 */

/** As in the image; a local run is told the same. */
const NOBODY = 65_534;

const MEMORY = 512 * 1024 * 1024;

/** Where a node may write. */
const HOME = "/tmp";

export const HOST_NAME = "localhost";
export const RELEASE = "6.1.0";

/** In place of the functions of `Deno` that need `--allow-sys`. */
export function denoFunctions(uptime: () => number): Readonly<Record<string, () => unknown>> {
  return {
    hostname: () => HOST_NAME,
    osRelease: () => RELEASE,
    osUptime: () => Math.floor(uptime()),
    loadavg: () => [0, 0, 0],
    networkInterfaces: () => [],
    systemMemoryInfo: () => ({
      ...{ total: MEMORY, free: MEMORY, available: MEMORY },
      ...{ buffers: 0, cached: 0, swapTotal: 0, swapFree: 0 },
    }),
    uid: () => NOBODY,
    gid: () => NOBODY,
  };
}

/** In place of those of `process`. */
export const PROCESS_FUNCTIONS: Readonly<Record<string, () => unknown>> = {
  getuid: () => NOBODY,
  geteuid: () => NOBODY,
  getgid: () => NOBODY,
  getegid: () => NOBODY,
  getgroups: () => [NOBODY],
  constrainedMemory: () => MEMORY,
  availableMemory: () => MEMORY,
};

/** In place of those of `node:os`; `processors` is no secret, as a node can count them by computing. */
export function osFunctions(
  processors: number,
  uptime: () => number,
): Readonly<Record<string, () => unknown>> {
  const times = { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 };
  return {
    cpus: () => Array.from({ length: processors }, () => ({ model: "", speed: 0, times })),
    freemem: () => MEMORY,
    getPriority: () => 0,
    homedir: () => HOME,
    hostname: () => HOST_NAME,
    loadavg: () => [0, 0, 0],
    networkInterfaces: () => ({}),
    release: () => RELEASE,
    totalmem: () => MEMORY,
    uptime,
    userInfo: () => ({
      ...{ uid: NOBODY, gid: NOBODY, username: "nobody", homedir: HOME, shell: null },
    }),
    version: () => "Linux",
  };
}
