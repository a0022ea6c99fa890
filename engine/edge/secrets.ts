/** Where secrets are read from. */

import { messageOf, StartError } from "../core/errors.ts";
import { mergeSecrets, parseService, readSecrets, type Secrets } from "../core/secrets.ts";
import type { Files } from "../core/revision.ts";
import { dirname, listOptional, readOptional } from "./files.ts";
import { parseYamlTexts } from "./yaml.ts";

/** Where the Secret of a deployment is mounted. */
export const MOUNT = "/app/secrets";

/** Names that editors and merge tools give to copies of a file. */
const BACKUP = /~$|\.(swp|swo|bak|orig|rej)$|^#.*#$/;

/**
 * `only` when it is given; otherwise what a developer keeps beside workflow.yaml, and then what
 * the cluster mounts. A later source wins, key by key.
 */
export async function loadSecrets(
  workflow: string,
  only?: string,
  mounted: Files = new Map(),
): Promise<Secrets> {
  if (only !== undefined) return await loadExplicit(only);
  const directory = dirname(workflow);
  const sources = await Promise.all([
    loadDirectory(`${directory}/.secrets`),
    loadFile(`${directory}/.secrets.yaml`),
    parseMounted(mounted),
  ]);
  return sources.reduce<Secrets>((under, over) => mergeSecrets(under, over ?? {}), {});
}

async function loadExplicit(path: string): Promise<Secrets> {
  const { isDirectory } = await Deno.stat(path).catch((error) => {
    throw new StartError(`cannot read secrets: ${error.message}`);
  });
  const load = isDirectory ? loadDirectory : loadFile;
  return await load(path) ?? {};
}

async function loadFile(path: string): Promise<Secrets | undefined> {
  const text = await readOptional(path);
  if (text === undefined) return undefined;
  try {
    return readSecrets(parseYamlTexts(text));
  } catch (error) {
    // The lines around the place are secrets.
    throw new StartError(`${path}: ${messageOf(error).split("\n", 1)[0]}`);
  }
}

/** One file a service; dot-files are none. */
function parseMounted(files: Files): Secrets {
  const decoder = new TextDecoder();
  const services = [...files].filter(([path]) => !path.startsWith(".") && !path.includes("/"));
  return Object.fromEntries(
    services.map(([service, content]) => [service, parseService(decoder.decode(content))]),
  );
}

/**
 * One file a service. Dot-files are left out, since a mounted Secret keeps its versions in them and
 * links to the current one, and so is what editors leave.
 */
async function loadDirectory(path: string): Promise<Secrets | undefined> {
  const names = await listOptional(path);
  if (names === undefined) return undefined;
  const visible = names.filter((name) => !name.startsWith(".") && !BACKUP.test(name));
  const services = await Promise.all(visible.map(async (name) => {
    const file = `${path}/${name}`;
    return (await Deno.stat(file)).isFile
      ? [[name, parseService(await Deno.readTextFile(file))]]
      : [];
  }));
  return Object.fromEntries(services.flat());
}
