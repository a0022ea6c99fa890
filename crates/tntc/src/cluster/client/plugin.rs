//! Credential plugins: programs that print who the user is (`client.authentication.k8s.io`), asked as client-go asks
//! them, and once for each time that their answer is good.

use std::io::{ErrorKind, IsTerminal, Read};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use tntc_core::kubeconfig::Exec;

use crate::outcome::{Error, Result};
use crate::terminal::printer;

/// Bytes of what a plugin prints that are read.
const LARGEST: u64 = 4 * 1024 * 1024;
/// Bytes of what it says on stderr; one that goes on finds the pipe closed.
const MESSAGES: u64 = 64 * 1024 * 1024;

/// A plugin and what it last said.
pub struct Plugin {
    exec: Exec,
    /// Who it is for, in words.
    owner: String,
    cluster: Value,
    last: Mutex<Option<Given>>,
}

/// What a plugin gives.
#[derive(Clone)]
pub struct Given {
    /// A bearer token.
    pub token: Option<SecretString>,
    /// Certificate and key, in PEM.
    pub certificate: Option<(String, SecretString)>,
    /// When they end.
    pub until: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Credential {
    kind: String,
    #[serde(rename = "apiVersion")]
    version: String,
    status: Option<Status>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
    expiration_timestamp: Option<Timestamp>,
}

impl Plugin {
    /// A plugin of a user, for a cluster as the protocol describes it.
    pub fn new(exec: Exec, owner: String, cluster: Value) -> Self {
        Self {
            exec,
            owner,
            cluster,
            last: Mutex::new(None),
        }
    }

    /// What it gave, or gives now when that has ended. Runs the program: not for an asynchronous thread.
    ///
    /// # Errors
    /// It is not installed, fails, or prints something else than a credential.
    pub fn credentials(&self) -> Result<Given> {
        // A plugin may ask a person something, so that it must not run twice at once.
        let mut last = self
            .last
            .lock()
            .map_err(|_| self.failed("it ended in a panic"))?;
        let now = Timestamp::now();
        if let Some(given) = last
            .as_ref()
            .filter(|given| given.until.is_none_or(|end| end > now))
        {
            return Ok(given.clone());
        }
        let given = self.ask()?;
        *last = Some(given.clone());
        Ok(given)
    }

    fn ask(&self) -> Result<Given> {
        let interactive = self.is_interactive()?;
        let mut info = json!({
            "kind": "ExecCredential", "apiVersion": self.exec.version, "spec": {"interactive": interactive},
        });
        if self.exec.provide_cluster_info {
            info["spec"]["cluster"] = self.cluster.clone();
        }
        let mut child = Command::new(&self.exec.command)
            .args(&self.exec.arguments)
            .envs(
                self.exec
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .env("KUBERNETES_EXEC_INFO", info.to_string())
            .stdin(if interactive {
                Stdio::inherit()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|cause| self.not_started(&cause))?;
        let stderr = child.stderr.take();
        let messages = std::thread::spawn(move || {
            stderr.map(|stderr| relay(stderr.take(MESSAGES), interactive))
        });
        let mut printed = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            let read = stdout.take(LARGEST).read_to_end(&mut printed);
            read.map_err(|cause| self.failed(&cause.to_string()))?;
        }
        let status = child
            .wait()
            .map_err(|cause| self.failed(&cause.to_string()))?;
        let said = messages.join().ok().flatten().unwrap_or_default();
        if !status.success() {
            let last = said
                .trim()
                .lines()
                .last()
                .unwrap_or("it said nothing")
                .to_owned();
            return Err(self.error(&format!("its credential plugin failed ({status}): {last}")));
        }
        self.read(&printed)
    }

    fn is_interactive(&self) -> Result<bool> {
        let terminal = std::io::stdin().is_terminal();
        match self.exec.interactive.as_str() {
            "Always" if !terminal => Err(self.error(
                "its credential plugin wants to ask somebody (interactiveMode: Always), and standard input is not a terminal",
            )),
            "Never" => Ok(false),
            _ => Ok(terminal),
        }
    }

    fn read(&self, printed: &[u8]) -> Result<Given> {
        let credential: Credential = serde_json::from_slice(printed)
            .map_err(|_| self.failed("printed something that is not an ExecCredential"))?;
        if credential.kind != "ExecCredential" || credential.version != self.exec.version {
            return Err(self.failed(&format!(
                "printed something that is not an ExecCredential of {}",
                self.exec.version
            )));
        }
        let status = credential
            .status
            .ok_or_else(|| self.failed("gave an ExecCredential without a status"))?;
        let token = filled(status.token).map(SecretString::from);
        let certificate = filled(status.client_certificate_data);
        let certificate = match (certificate, filled(status.client_key_data)) {
            (Some(certificate), Some(key)) => Some((certificate, key.into())),
            (None, None) => None,
            _ => return Err(self.failed("gave only one of a certificate and its key")),
        };
        if token.is_none() && certificate.is_none() {
            return Err(self.failed("gave neither a token nor a certificate"));
        }
        Ok(Given {
            token,
            certificate,
            until: status.expiration_timestamp,
        })
    }

    fn not_started(&self, cause: &std::io::Error) -> Error {
        let program = self.exec.command.display();
        if cause.kind() != ErrorKind::NotFound {
            return self.error(&format!(
                "its credential plugin {program} cannot be run: {cause}"
            ));
        }
        let error = self.error(&format!("its credential plugin {program} is not installed"));
        match &self.exec.install_hint {
            Some(hint) => error.hint(hint.trim()),
            None => error.hint(format!("install {program}, or use another kubeconfig user")),
        }
    }

    fn failed(&self, what: &str) -> Error {
        self.error(&format!("its credential plugin {what}"))
    }

    fn error(&self, why: &str) -> Error {
        Error::surroundings(format!("cannot authenticate as {}: {why}", self.owner))
            .hint("check the user of this kubeconfig context, or log in again")
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Reads what a plugin says on stderr; where somebody can answer it, they see it at once.
fn relay(mut stderr: impl Read, visible: bool) -> String {
    let mut said = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(read @ 1..) = stderr.read(&mut piece) {
        let new = &piece[..read];
        if visible {
            printer::pass_on(&String::from_utf8_lossy(new));
        }
        said.extend_from_slice(new);
        let surplus = said.len().saturating_sub(64 * 1024);
        said.drain(..surplus);
    }
    String::from_utf8_lossy(&said).into_owned()
}
