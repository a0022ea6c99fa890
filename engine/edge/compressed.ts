/**
 * Bundles that a ConfigMap holds as gzip, because they would not fit otherwise: read where a node's file
 * imports them. Their URL stays that of a file, which packages make paths of.
 */

import type { Files } from "../core/revision.ts";

const COMPRESSED = ".bundle.js.gz";

let hooked = false;

/** To be called before nodes are imported. Without such bundles it loads nothing. */
export async function readCompressed(files: Files): Promise<void> {
  if (hooked || ![...files.keys()].some((path) => path.endsWith(COMPRESSED))) return;
  hooked = true;
  const { readFileSync } = Deno;
  const [{ registerHooks }, { gunzipSync }] = await Promise.all([
    import("node:module"),
    import("node:zlib"),
  ]);
  registerHooks({
    load: (url, context, next) => {
      const { protocol, pathname } = new URL(url);
      if (protocol !== "file:" || !pathname.endsWith(COMPRESSED)) return next(url, context);
      const source = gunzipSync(readFileSync(decodeURIComponent(pathname))).toString();
      return { format: "module", source, shortCircuit: true };
    },
  });
}
