//! A server of TypeScript modules, as the internet has them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::Tntc;
use crate::images::certificate;

/// A server of modules over TLS, which is a registry of JSR as well.
pub struct ModuleServer {
    process: Child,
    /// Where it serves, without a slash at the end.
    pub url: String,
    dir: TempDir,
}

const MODULES: &str = r#"
const [dir] = Deno.args;
const thrice = "export const thrice = (n: number): number => 3 * n;\n";
const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(thrice)));
const checksum = "sha256-" + [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const files: Record<string, string> = {
  "/twice.ts": "export const twice = (n: number): number => 2 * n;\n",
  "/large.ts": `export const large = "${"x".repeat(1_000_000)}";\n`,
  "/@test/thrice/meta.json": JSON.stringify({ scope: "test", name: "thrice", latest: "1.0.0", versions: { "1.0.0": {} } }),
  "/@test/thrice/1.0.0_meta.json": JSON.stringify({
    manifest: { "/mod.ts": { size: thrice.length, checksum } },
    exports: { ".": "./mod.ts" },
  }),
  "/@test/thrice/1.0.0/mod.ts": thrice,
};
const tls = { cert: await Deno.readTextFile(`${dir}/tls.pem`), key: await Deno.readTextFile(`${dir}/tls.key`) };
Deno.serve({ hostname: "127.0.0.1", port: 0, ...tls, onListen: ({ port }) => console.log(port) }, (request) => {
  const path = new URL(request.url).pathname;
  const type = path.endsWith(".json") ? "application/json" : "application/typescript";
  return path in files
    ? new Response(files[path], { headers: { "content-type": type } })
    : new Response("no such module", { status: 404 });
});
"#;

impl ModuleServer {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        certificate(dir.path());
        fs::write(dir.path().join("serve.ts"), MODULES).expect("a file");
        let deno = std::env::var("TNTC_DENO").unwrap_or_else(|_| "deno".to_owned());
        let mut process = Command::new(deno)
            .args(["run", "--quiet", "--allow-net", "--allow-read"])
            .args([dir.path().join("serve.ts"), dir.path().to_owned()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("deno starts");
        let mut port = String::new();
        let stdout = process.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut port).expect("a port");
        let url = format!("https://127.0.0.1:{}", port.trim());
        Self { process, url, dir }
    }

    /// `tntc` that trusts this server, takes it for JSR, and has nothing cached.
    pub fn trusted(&self, command: Tntc) -> Tntc {
        command
            .env("DENO_CERT", self.dir.path().join("ca.pem"))
            .env("JSR_URL", format!("{}/", self.url))
            .env("DENO_DIR", self.dir.path().join("cache"))
    }
}

impl Drop for ModuleServer {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
