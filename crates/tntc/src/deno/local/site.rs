//! What an engine on this machine is started from: Deno, the engine, the workflow's code and its secrets.

use std::path::{Path, PathBuf};

use tntc_core::derive::permissions;
use tntc_core::workflow::Workflow;
use tokio::process::Command;

use super::code::Code;
use super::sealed;
use crate::deno;
use crate::outcome::Result;
use crate::terminal::Printer;
use crate::workspace::project::Opened;
use crate::workspace::scratch::{self, Scratch};
use crate::workspace::secrets;

/// The pod's broad fallback flags, for a workflow without a contract.
const BROAD: [&str; 3] = ["--allow-net", "--allow-write=/tmp", "--allow-env"];

/// What the entries of the pod's listeners begin with.
const POD_LISTENER: &str = "0.0.0.0:";

/// Everything that a local engine is started from.
pub struct Site {
    /// The program.
    pub deno: PathBuf,
    /// The workflow's code.
    pub code: Code,
    engine: PathBuf,
    /// Gone when this value is.
    secrets: Option<Scratch>,
}

impl Site {
    /// Bundles the code and reads the secrets, where there is something to bundle or to read.
    ///
    /// # Errors
    /// Deno is missing, an import cannot be had, or the secrets are wrong.
    pub async fn of(opened: &Opened, printer: &Printer) -> Result<Self> {
        scratch::clean_up();
        Ok(Self {
            deno: deno::find().await?,
            engine: deno::cached_engine()?,
            secrets: provision(opened, printer)?,
            code: Code::of(opened, |_| true, printer).await?,
        })
    }

    /// A Deno with the environment that the workflow's pod would have.
    ///
    /// # Errors
    /// The cache cannot be written.
    pub fn command(&self, workflow: &Workflow) -> Result<Command> {
        sealed::command(&self.deno, workflow.contract.is_some())
    }

    /// The pod's own flags, reading what is here instead of what is there, and with `listeners` instead of the pod's: what
    /// listens there on this machine is another program.
    ///
    /// # Errors
    /// A path is one that the flags cannot hold.
    pub fn flags(&self, workflow: &Workflow, listeners: &[String]) -> Result<Vec<String>> {
        let derived = permissions::deno_flags(workflow, &[], None);
        let flags = derived.unwrap_or_else(|| {
            ["--no-lock", "--unstable-net"]
                .into_iter()
                .chain(BROAD)
                .map(str::to_owned)
                .collect()
        });
        let mut flags: Vec<_> = flags
            .into_iter()
            .filter(|flag| !flag.starts_with("--allow-read="))
            .filter_map(|flag| match flag.strip_prefix("--allow-net=") {
                Some(hosts) => allow_net(hosts, listeners),
                None => Some(flag),
            })
            .collect();
        let secrets = self.secrets.iter().map(Scratch::path);
        let readable = [self.code.dir(), &self.engine].into_iter().chain(secrets);
        flags.push(sealed::allow_read(readable)?);
        Ok(flags)
    }

    /// Everything after the program's name, to start one of the engine's programs, such as `main.ts`.
    pub fn arguments(&self, program: &str, flags: &[String]) -> Vec<String> {
        let shown = |path: &Path| path.display().to_string();
        let mut arguments = vec!["run".to_owned(), "--quiet".to_owned()];
        arguments.extend(flags.iter().cloned());
        arguments.push(shown(&self.engine.join(program)));
        arguments.push("--workflow".to_owned());
        arguments.push(shown(&self.code.dir().join("workflow.yaml")));
        if let Some(secrets) = &self.secrets {
            arguments.push("--secrets".to_owned());
            arguments.push(shown(secrets.path()));
        }
        arguments
    }
}

/// The flag for these hosts without the pod's listeners; none when nothing is left.
fn allow_net(hosts: &str, listeners: &[String]) -> Option<String> {
    let declared = hosts.split(',').filter(|it| !it.starts_with(POD_LISTENER));
    let entries: Vec<_> = listeners
        .iter()
        .map(String::as_str)
        .chain(declared)
        .collect();
    (!entries.is_empty()).then(|| format!("--allow-net={}", entries.join(",")))
}

/// The workflow's local secrets as the files of a directory that nobody else can read: one a service, references to the
/// shared pool resolved.
fn provision(opened: &Opened, printer: &Printer) -> Result<Option<Scratch>> {
    let Some(local) = secrets::read_merged(&opened.dir)? else {
        return Ok(None);
    };
    let local = local.warned_of_unused(&opened.workflow);
    for warning in &local.warnings {
        printer.warn(warning);
    }
    let dir = Scratch::new("secrets")?;
    for (service, content) in &local.services {
        scratch::write(dir.path(), service, content)?;
    }
    Ok(Some(dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_listens_where_the_pods_engine_would_is_out_of_reach() {
        let of = |hosts| allow_net(hosts, &[]);
        assert_eq!(of("0.0.0.0:8080"), None);
        let expected = Some("--allow-net=a.b:443".to_owned());
        assert_eq!(of("0.0.0.0:8080,0.0.0.0:8081,a.b:443"), expected);
        let own = allow_net("0.0.0.0:8080,a.b:443", &["127.0.0.1:9000".to_owned()]);
        assert_eq!(own.as_deref(), Some("--allow-net=127.0.0.1:9000,a.b:443"));
    }
}
