/** Reading files whose absence is no error. */

/** The text, or `undefined` when there is no such file, or none that the engine may read. */
export async function readOptional(path: string): Promise<string | undefined> {
  return await optional(Deno.readTextFile(path));
}

/** The names of the directory's entries, sorted, or `undefined` like {@linkcode readOptional}. */
export async function listOptional(path: string): Promise<string[] | undefined> {
  const entries = await optional(Array.fromAsync(Deno.readDir(path)));
  return entries?.map((entry) => entry.name).sort();
}

async function optional<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

/**
 * Every file below a mounted ConfigMap or Secret, by its path there. Both keep their versions in
 * entries whose names begin with two dots, and link to the current one.
 */
export async function readMount(directory: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const name of await listOptional(directory) ?? []) {
    if (name.startsWith("..")) continue;
    const path = `${directory}/${name}`;
    const { isDirectory } = await Deno.stat(path);
    if (!isDirectory) files.set(name, await Deno.readFile(path));
    else {for (const [below, content] of await readMount(path)) {
        files.set(`${name}/${below}`, content);
      }}
  }
  return files;
}

/** Which version of a mount is current; `undefined` in a directory that is none. */
export async function mountedVersion(directory: string): Promise<string | undefined> {
  return await optional(Deno.readLink(`${directory}/..data`));
}

/** The directory part of a path; `.` when it has none. */
export function dirname(path: string): string {
  const end = path.lastIndexOf("/");
  return end < 0 ? "." : path.slice(0, end) || "/";
}
