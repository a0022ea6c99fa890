/**
 * Permissions that only the engine needs, and gives back before nodes could use them.
 *
 * Giving back an entry takes the whole entry of `deno run` that covers it. So it is done only where
 * the entry was given by itself, as a deployment derives it; without a contract nothing is sealed.
 */

/** Nodes are not to call the engine that runs them. */
export async function giveUpListening(host: string, ports: readonly number[]): Promise<void> {
  if (await isGranted({ name: "net" })) return;
  for (const port of ports) {
    await Deno.permissions.revoke({ name: "net", host: `${host}:${port}` });
  }
}

/** Nodes get their secrets from `ctx`, which knows who asks. `path` is absolute. */
export async function giveUpReading(path: string): Promise<void> {
  const above = path.slice(0, path.lastIndexOf("/")) || "/";
  if (await isGranted({ name: "read", path: above })) return;
  await Deno.permissions.revoke({ name: "read", path });
}

async function isGranted(descriptor: Deno.PermissionDescriptor): Promise<boolean> {
  return (await Deno.permissions.query(descriptor)).state === "granted";
}
