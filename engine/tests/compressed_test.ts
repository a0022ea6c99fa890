/** Bundles that are delivered compressed. */

import { deepEqual, match } from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { RunningEngine } from "./harness.ts";

const STUB = 'export { default } from "./a.ts.bundle.js.gz";';

function bundle(result: string): Uint8Array {
  return gzipSync(
    `import { createRequire } from "node:module";
     const path = createRequire(import.meta.url)("path");
     export default () => [${result}, path.basename(import.meta.filename)];`,
  );
}

Deno.test("a compressed bundle is loaded, and anew when it has changed", async () => {
  await using engine = await RunningEngine.start({
    nodes: { a: STUB },
    files: { "nodes/a.ts.bundle.js.gz": bundle("1") },
    args: ["--revision", "x", "--watch"],
  });
  deepEqual((await engine.run({})).outputs, { a: [1, "a.ts.bundle.js.gz"] });
  await Deno.writeFile(`${engine.directory}/nodes/a.ts.bundle.js.gz`, bundle("2"));
  await engine.line(/reloaded/);
  deepEqual((await engine.run({})).outputs, { a: [2, "a.ts.bundle.js.gz"] });
  await Deno.writeTextFile(`${engine.directory}/nodes/a.ts.bundle.js.gz`, "half of one");
  match(await engine.line(/not reloaded/), /node a: nodes\/a\.ts cannot be imported: /);
});
