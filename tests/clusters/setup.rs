//! One kubeconfig of the table, and both programs' verdict on it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::servers::Servers;
use crate::support::{NODE_ADDRESS, tntc};

/// What is to be tried: the kubeconfig of the test cluster, changed, and an environment around it.
pub struct Setup<'a> {
    pub servers: &'a Servers,
    pub config: Value,
    pub dir: TempDir,
    /// Written instead of `config`.
    pub text: Option<String>,
    /// `KUBECONFIG`, when it is not the file alone.
    pub list: Option<String>,
    /// Arguments of both programs.
    pub arguments: Vec<String>,
    /// Whether kubectl need not read what it gets.
    pub raw: bool,
    environment: BTreeMap<String, String>,
}

/// The only variables that both programs get besides those of the case.
const KEPT: [&str; 2] = ["PATH", "TNTC_DENO"];

impl<'a> Setup<'a> {
    pub fn new(servers: &'a Servers, config: &Value) -> Self {
        let mut config = config.clone();
        config["clusters"][0]["cluster"]["server"] = json!(format!("https://{NODE_ADDRESS}:6443"));
        Self {
            servers,
            config,
            dir: tempfile::tempdir().expect("a directory"),
            text: None,
            list: None,
            arguments: Vec::new(),
            raw: true,
            environment: BTreeMap::new(),
        }
    }

    pub fn cluster(&mut self) -> &mut Value {
        &mut self.config["clusters"][0]["cluster"]
    }

    pub fn user(&mut self) -> &mut Value {
        &mut self.config["users"][0]["user"]
    }

    pub fn context(&mut self) -> &mut Value {
        &mut self.config["contexts"][0]["context"]
    }

    pub fn env(&mut self, name: &str, value: impl Into<String>) {
        self.environment.insert(name.to_owned(), value.into());
    }

    pub fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        std::fs::write(&path, content).expect("a file");
        path
    }

    /// Bytes of a field that holds base64.
    pub fn decoded(value: &Value) -> Vec<u8> {
        STANDARD
            .decode(value.as_str().expect("base64"))
            .expect("base64")
    }

    /// Such a field.
    pub fn encoded(bytes: &[u8]) -> String {
        STANDARD.encode(bytes)
    }

    /// Leads to a server in TLS that answers those alone who send this header.
    pub fn wants(&mut self, header: &str) {
        let url = format!(
            "https://{}/want/{}",
            self.servers.at("secure"),
            STANDARD.encode(header)
        );
        let authority =
            std::fs::read(self.servers.dir.path().join("ca.pem")).expect("a certificate");
        *self.cluster() =
            json!({"server": url, "certificate-authority-data": STANDARD.encode(authority)});
    }

    /// Leads to one of the servers in plain HTTP.
    pub fn plain(&mut self, name: &str) {
        *self.cluster() = json!({"server": format!("http://{}", self.servers.at(name))});
    }

    /// The cluster by a name that only the proxies know.
    pub fn behind_a_proxy(&mut self) {
        self.cluster()["server"] = json!("https://cluster.test:6443");
        self.cluster()["tls-server-name"] = json!("kubernetes");
    }

    /// A credential plugin that runs this in a shell.
    pub fn plugin(&mut self, version: &str, script: &str) {
        let path = self.file("bin/plugin", format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
        *self.user() = json!({"exec": {
            "apiVersion": format!("client.authentication.k8s.io/{version}"),
            "command": path, "interactiveMode": "Never",
        }});
    }

    /// A plugin that gives this token.
    pub fn plugin_for(&mut self, version: &str, token: &str) {
        let credential = json!({
            "apiVersion": format!("client.authentication.k8s.io/{version}"),
            "kind": "ExecCredential", "status": {"token": token},
        });
        self.plugin(version, &format!("echo '{credential}'"));
    }

    fn write(&self) -> String {
        let text = self.text.clone().unwrap_or_else(|| self.config.to_string());
        let path = self.file("config", text);
        self.list
            .clone()
            .unwrap_or_else(|| path.display().to_string())
    }

    fn run(&self, mut command: Command, list: &str) -> Output {
        command.env_clear();
        for name in KEPT {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let ran = command
            .env("TESTBED_HOME", testbed())
            .env("HOME", self.dir.path())
            .env("KUBECONFIG", list)
            .envs(&self.environment)
            .args(&self.arguments)
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .output();
        ran.expect("a program that runs")
    }

    /// Whether kubectl can use it, and what it says.
    pub fn kubectl(&self) -> (bool, String) {
        let list = self.write();
        let mut kubectl = Command::new("kubectl");
        kubectl.args(["--request-timeout=10s", "get"]);
        if self.raw {
            kubectl.arg("--raw=/apis/apps/v1/namespaces/default/deployments?limit=1");
        } else {
            kubectl.args(["deployments", "-n", "default"]);
        }
        let output = self.run(kubectl, &list);
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    }

    /// The exit status of `tntc list`, and what it says.
    pub fn tntc(&self) -> (Option<i32>, String) {
        let list = self.write();
        let output = self.run(tntc(["list", "-n", "default"]).command(), &list);
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    }
}

/// Where the test bed's kubectl is, which looks for it below the home directory.
fn testbed() -> PathBuf {
    let named = std::env::var_os("TESTBED_HOME").map(PathBuf::from);
    let home = || std::env::home_dir().expect("a home directory");
    named.unwrap_or_else(|| home().join(".cache/tntc-testbed"))
}
