//! A server over TLS, written for Deno.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::images::certificate;

/// A program that serves on a port of loopback, with a certificate of an authority of its own.
pub struct TlsServer {
    process: Child,
    /// Where it serves, without a slash at the end.
    pub url: String,
    /// Holds the authority's `ca.pem`.
    pub dir: TempDir,
}

const SERVE: &str = r#"
const [dir] = Deno.args;
const tls = { cert: await Deno.readTextFile(`${dir}/tls.pem`), key: await Deno.readTextFile(`${dir}/tls.key`) };
Deno.serve({ hostname: "127.0.0.1", port: 0, ...tls, onListen: ({ port }) => console.log(port) }, answer);
"#;

impl TlsServer {
    /// Starts a program that declares how to `answer` a request.
    pub fn start(program: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        certificate(dir.path());
        fs::write(dir.path().join("serve.ts"), format!("{program}{SERVE}")).expect("a file");
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
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
