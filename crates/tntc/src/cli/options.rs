//! The options that every command takes, and values of options.

use std::path::PathBuf;

use clap::Args;
use jiff::SignedDuration;
use tntc_core::values::ImageReference;

use crate::terminal::{Color, Format};

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Kubernetes namespace [default: from environment, workflow.yaml, config, kubeconfig context, then `default`]
    #[arg(short, long, global = true, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// Container registry that image tags are prefixed with
    #[arg(short, long, global = true, value_name = "HOST")]
    pub registry: Option<String>,
    /// Output format: text or json; some commands have yaml, name or wide, too
    #[arg(short, long, global = true, value_name = "FORMAT", action = clap::ArgAction::Append)]
    pub output: Vec<Output>,
    /// Named environment of the config files
    #[arg(
        long = "env",
        global = true,
        env = "TENTACULAR_ENV",
        value_name = "NAME"
    )]
    pub environment: Option<String>,
    /// Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config]
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Kubeconfig context, for this call only
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// When to colour
    #[arg(long, global = true, value_enum, default_value_t)]
    pub color: Color,
    /// Show the settings, cluster and config files in use, hints on the workflow, and the output of other programs
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// The options that were typed for a command which they mean nothing to.
    #[arg(skip)]
    pub without_effect: Vec<String>,
}

/// A value of `--output`: a format, and for `build` also a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A format that some command has.
    Format(Format),
    /// Anything else.
    Place(PathBuf),
}

impl std::str::FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("write a format, such as json".to_owned());
        }
        Ok(match Format::named(text) {
            Some(format) => Self::Format(format),
            None => Self::Place(text.into()),
        })
    }
}

impl Global {
    /// How the answer is written: the last format named.
    pub fn format(&self) -> Format {
        let formats = self.output.iter().rev().filter_map(|output| match output {
            Output::Format(format) => Some(*format),
            Output::Place(_) => None,
        });
        formats.into_iter().next().unwrap_or_default()
    }

    /// Where an image goes: the last place named.
    pub fn place(&self) -> Option<&std::path::Path> {
        self.output.iter().rev().find_map(|output| match output {
            Output::Place(place) => Some(place.as_path()),
            Output::Format(_) => None,
        })
    }
}

/// An image reference such as `registry.example.com/team/engine:v2`.
pub fn image(text: &str) -> Result<ImageReference, String> {
    text.to_owned().try_into()
}

/// A duration such as `30s`, `2m` or `1m30s`; more than zero.
pub fn duration(text: &str) -> Result<std::time::Duration, String> {
    text.parse::<SignedDuration>()
        .ok()
        .and_then(|span| std::time::Duration::try_from(span).ok())
        .filter(|span| !span.is_zero())
        .ok_or_else(|| format!("`{text}` is not a valid duration; write one such as 30s or 2m"))
}
