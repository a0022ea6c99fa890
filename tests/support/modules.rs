//! A server of TypeScript modules, as the internet has them.

use super::Tntc;
use super::tls::TlsServer;

/// A server of modules over TLS, which is a registry of JSR as well.
pub struct ModuleServer {
    server: TlsServer,
    /// Where it serves, without a slash at the end.
    pub url: String,
}

const MODULES: &str = r#"
const thrice = "export const thrice = (n: number): number => 3 * n;\n";
const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(thrice)));
const checksum = "sha256-" + [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
/** Text that no compression makes small. */
function noise(length: number): string {
  let [text, seed] = ["", 1];
  while (text.length < length) {
    seed = (seed * 48271) % 2147483647;
    text += seed.toString(36);
  }
  return text.slice(0, length);
}
const files: Record<string, string> = {
  "/twice.ts": "export const twice = (n: number): number => 2 * n;\n",
  "/large.ts": `export const large = "${noise(2_000_000)}";\n`,
  "/outer.ts": "export { large } from \"./large.ts\";\n",
  "/@test/thrice/meta.json": JSON.stringify({ scope: "test", name: "thrice", latest: "1.0.0", versions: { "1.0.0": {} } }),
  "/@test/thrice/1.0.0_meta.json": JSON.stringify({
    manifest: { "/mod.ts": { size: thrice.length, checksum } },
    exports: { ".": "./mod.ts" },
  }),
  "/@test/thrice/1.0.0/mod.ts": thrice,
};
function answer(request: Request): Response {
  const path = new URL(request.url).pathname;
  const type = path.endsWith(".json") ? "application/json" : "application/typescript";
  return path in files
    ? new Response(files[path], { headers: { "content-type": type } })
    : new Response("no such module", { status: 404 });
}
"#;

impl ModuleServer {
    pub fn start() -> Self {
        let server = TlsServer::start(MODULES);
        let url = server.url.clone();
        Self { server, url }
    }

    /// `tntc` that trusts this server, takes it for JSR, and has nothing cached.
    pub fn trusted(&self, command: Tntc) -> Tntc {
        command
            .env("DENO_CERT", self.server.dir.path().join("ca.pem"))
            .env("JSR_URL", format!("{}/", self.url))
            .env("DENO_DIR", self.server.dir.path().join("cache"))
    }
}
