//! What an engine on this machine is started from: Deno, the engine, the workflow's code and its secrets.

use std::path::{Path, PathBuf};

use tntc_core::contract::permissions;
use tntc_core::workflow::Workflow;

use super::code::Code;
use crate::error::Result;
use crate::output::Printer;
use crate::project::Opened;
use crate::scratch::{self, Scratch};
use crate::{deno, secrets};

/// The pod's broad fallback flags, for a workflow without a contract.
const BROAD: [&str; 3] = ["--allow-net", "--allow-write=/tmp", "--allow-env"];

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

    /// The pod's own flags, reading what is here instead of what is there.
    pub fn flags(&self, workflow: &Workflow) -> Vec<String> {
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
            .collect();
        flags.push(self.readable());
        flags
    }

    fn readable(&self) -> String {
        let secrets = self.secrets.iter().map(Scratch::path);
        let paths = [self.code.dir(), &self.engine].into_iter().chain(secrets);
        let shown: Vec<_> = paths.map(|path| path.display().to_string()).collect();
        format!("--allow-read={}", shown.join(","))
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
