//! `tntc run`: one run of a deployed workflow, or of a local one.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use tntc_core::terminal;

use crate::cli::duration;
use crate::cluster::run::request::{Request, RunResponse};
use crate::cluster::run::{direct, response, trigger};
use crate::context::{self, Context};
use crate::deno::local;
use crate::outcome::error::io;
use crate::outcome::{Error, Execution, Outcome, Result};
use crate::terminal::progress::Phase;

/// Run a deployed workflow once, or a local one with --local
#[derive(Debug, Args)]
pub struct Run {
    /// Name of the deployed workflow; with --local, the workflow directory [default: .]
    #[arg(required_unless_present = "local")]
    pub name: Option<String>,
    /// Run the workflow directory here, without a cluster
    #[arg(long)]
    pub local: bool,
    /// The run's input: JSON, @FILE, or - for stdin
    #[arg(
        long,
        value_name = "JSON|@FILE|-",
        default_value = "{}",
        hide_default_value = true
    )]
    pub input: String,
    /// How the engine is reached: a temporary pod, the API server's proxy, or a forwarded port
    #[arg(long, value_enum, default_value_t, conflicts_with = "local")]
    pub via: Via,
    /// Maximum time from the start to the answer, such as 30s or 2m
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub timeout: std::time::Duration,
}

/// How `run` reaches the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Via {
    /// A temporary pod in the cluster, which the workflow's NetworkPolicy lets in.
    #[default]
    Pod,
    /// The API server's proxy; only where the NetworkPolicy lets the API server in.
    Proxy,
    /// A forwarded port of one of the workflow's pods; not with gVisor.
    PortForward,
}

/// The fields of the answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// The engine's answer.
    execution: Execution,
}

/// Runs a workflow once; the result's JSON is the answer, also when the workflow failed.
pub async fn run(arguments: Run, context: &Context) -> Result<Outcome> {
    let input = input(&arguments.input)?;
    let name = arguments.name.clone().unwrap_or_else(|| ".".to_owned());
    if arguments.local {
        let opened = context.open(&PathBuf::from(&name))?;
        let body = local::run(&opened, &input, arguments.timeout, &context.printer).await?;
        return outcome(opened.workflow.name.as_str(), &body);
    }
    let settings = context.settings()?;
    if arguments.via == Via::Pod {
        context.require_images(&settings, &["trigger_image"], Path::new("."))?;
    }
    let namespace = context::namespace(&settings)?;
    let cluster = context.connect(&settings).await?;
    let phase = Phase::begin(
        &format!("running {name} in namespace {namespace}"),
        &context.printer,
    );
    let request = Request {
        namespace: namespace.as_str(),
        workflow: &name,
        image: settings.trigger_image.value.as_str(),
        input: &input,
        timeout: arguments.timeout,
        phase: Some(&phase),
    };
    let answer = match arguments.via {
        Via::Pod => trigger::run(&cluster, &request).await?,
        Via::Proxy => direct::by_proxy(&cluster, &request).await?,
        Via::PortForward => direct::by_port_forward(&cluster, &request).await?,
    };
    drop(phase);
    tell_retries(&answer, context);
    if let Some(why) = &answer.left_behind {
        context.printer.warn(why);
    }
    outcome(&name, &answer.body).map_err(|error| match answer.messages.trim() {
        "" => error,
        curl => error.cause(curl),
    })
}

/// Reads the input and makes sure that it is JSON before anything starts.
fn input(argument: &str) -> Result<String> {
    let (text, place) = match argument.strip_prefix('@') {
        Some(path) => (
            std::fs::read_to_string(path).map_err(|cause| unreadable(Path::new(path), cause))?,
            path.to_owned(),
        ),
        None if argument == "-" => (stdin()?, "standard input".to_owned()),
        None => (argument.to_owned(), "--input".to_owned()),
    };
    let text = text
        .strip_prefix('\u{feff}')
        .map_or_else(|| text.clone(), str::to_owned);
    let checked: std::result::Result<serde::de::IgnoredAny, _> = serde_json::from_str(&text);
    match checked {
        Ok(_) => Ok(text),
        Err(cause) => Err(Error::usage(format!("{place} is not JSON: {cause}"))
            .hint("quote JSON for the shell, as in --input '{\"key\": 1}', or read a file with --input @FILE")),
    }
}

fn unreadable(path: &Path, cause: std::io::Error) -> Error {
    let error = io("read", path)(cause);
    Error::usage(error.message)
}

fn stdin() -> Result<String> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|cause| Error::usage(format!("cannot read standard input: {cause}")))?;
    Ok(text)
}

/// curl says on its stderr when it had to try again; that is worth knowing, but no answer.
fn tell_retries(answer: &RunResponse, context: &Context) {
    for line in answer
        .messages
        .lines()
        .filter(|_| context.printer.verbose())
    {
        context.printer.note(line);
    }
}

fn outcome(name: &str, body: &str) -> Result<Outcome> {
    let execution = response::parse(name, body)?;
    let succeeded = execution.success;
    let summary = if succeeded {
        format!("{name} succeeded")
    } else {
        format!("{name} failed: {}", execution.first_error())
    };
    let error = (!succeeded).then(|| summary.clone());
    Ok(Outcome::new(summary)
        .text(shown(&terminal::shown_json(body.trim_end())))
        .error(error)
        .own(Answer { execution })
        .failed_if(!succeeded))
}

/// As it came, on one line, for programs; indented for a person.
fn shown(body: &str) -> String {
    let value = std::io::stdout()
        .is_terminal()
        .then(|| serde_json::from_str::<serde_json::Value>(body).ok());
    let indented = value
        .flatten()
        .and_then(|value| serde_json::to_string_pretty(&value).ok());
    indented.unwrap_or_else(|| body.to_owned())
}
