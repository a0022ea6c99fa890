//! The servers and proxies of `servers.ts`.

use std::ffi::OsStr;
use std::process::Command;

use tempfile::TempDir;

use crate::images::certificate;
use crate::support::{DenoServers, NODE_ADDRESS};

/// All of them in one process, which ends with the test.
pub struct Servers {
    servers: DenoServers,
    /// Holds `ca.pem`, the authority of those that speak TLS.
    pub dir: TempDir,
}

impl Servers {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        certificate(dir.path());
        let program = dir.path().join("servers.ts");
        std::fs::write(&program, include_str!("servers.ts")).expect("a file");
        let arguments = ["--no-config", "--allow-net", "--allow-read"].map(OsStr::new);
        let own = [
            program.as_os_str(),
            dir.path().as_os_str(),
            OsStr::new(NODE_ADDRESS),
        ];
        let servers = DenoServers::start(arguments.into_iter().chain(own));
        Self { servers, dir }
    }

    /// `127.0.0.1:port` of one of them.
    pub fn at(&self, name: &str) -> String {
        let port = self.servers.ports[name].as_u64().expect(name);
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
