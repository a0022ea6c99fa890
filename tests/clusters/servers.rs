//! The servers and proxies of `servers.ts`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::images::certificate;
use crate::support::NODE_ADDRESS;

/// All of them in one process, which ends with the test.
pub struct Servers {
    process: Child,
    ports: Value,
    /// Holds `ca.pem`, the authority of those that speak TLS.
    pub dir: TempDir,
}

impl Servers {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        certificate(dir.path());
        let program = dir.path().join("servers.ts");
        std::fs::write(&program, include_str!("servers.ts")).expect("a file");
        let deno = std::env::var("TNTC_DENO").unwrap_or_else(|_| "deno".to_owned());
        let mut process = Command::new(deno)
            .args([
                "run",
                "--quiet",
                "--no-config",
                "--allow-net",
                "--allow-read",
            ])
            .args([program.as_path(), dir.path()])
            .arg(NODE_ADDRESS)
            .stdout(Stdio::piped())
            .spawn()
            .expect("deno starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let ports = serde_json::from_str(&line).expect("ports");
        Self {
            process,
            ports,
            dir,
        }
    }

    /// `127.0.0.1:port` of one of them.
    pub fn at(&self, name: &str) -> String {
        let port = self.ports[name].as_u64().expect(name);
        format!("127.0.0.1:{port}")
    }

    /// How many connections the proxies have passed on.
    pub fn tunnels(&self) -> u64 {
        let url = format!("http://{}/", self.at("tunnels"));
        let curl = Command::new("curl")
            .args(["-sS", "--noproxy", "*", &url])
            .output();
        let said = curl.expect("curl runs").stdout;
        String::from_utf8_lossy(&said).parse().expect("a number")
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
