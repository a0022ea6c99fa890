//! Servers that are written for Deno, all of a program in one process.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// Ends with whoever started it.
pub struct DenoServers {
    process: Child,
    /// The ports by the names of the servers.
    pub ports: Value,
}

impl DenoServers {
    /// Starts `deno run` with these arguments; the program prints its ports as a line of JSON once it serves.
    pub fn start(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let deno = std::env::var("TNTC_DENO").unwrap_or_else(|_| "deno".to_owned());
        let mut process = Command::new(deno)
            .args(["run", "--quiet"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("deno starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let ports = serde_json::from_str(&line).expect("ports as JSON");
        Self { process, ports }
    }
}

impl Drop for DenoServers {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
