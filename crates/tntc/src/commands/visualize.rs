//! `tntc visualize`: the workflow as a diagram, and the pages for review that are committed beside it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use tntc_core::diagram::{self, DIAGRAM_FILE, SUMMARY_FILE, Usage};

use crate::context::Context;
use crate::outcome::error::io;
use crate::outcome::{Outcome, Result};
use crate::workspace::files::{self, Access, PROJECT_FILE_LIMIT};
use crate::workspace::project::Opened;

/// Draw the workflow as a Mermaid diagram
#[derive(Debug, Args)]
pub struct Visualize {
    /// Workflow directory
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Add dependencies with the nodes that use them, secrets and network rules
    #[arg(long)]
    pub rich: bool,
    /// Write workflow-diagram.md and contract-summary.md into the workflow directory
    #[arg(long)]
    pub write: bool,
    /// Fail when the files that --write writes are missing or stale
    #[arg(long, conflicts_with = "write")]
    pub check: bool,
}

/// The fields of the answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// The diagram, then the pages.
    artifacts: Vec<Artifact>,
}

/// The language of an artifact.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    Mermaid,
    Markdown,
}

/// Something that was drawn or written.
#[derive(Debug, Serialize, JsonSchema)]
struct Artifact {
    /// `diagram`, or the page's file name.
    name: &'static str,
    format: Format,
    content: String,
    /// Where the page belongs.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<PathBuf>,
    /// How the file compares with the page; after `--write`, how it compared before.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
}

/// How a file compares with the page that belongs there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    Current,
    Stale,
    Missing,
}

/// Draws the workflow; writes the pages, or compares them with what was written before.
pub fn run(arguments: &Visualize, context: &Context) -> Result<Outcome> {
    let opened = context.open(&arguments.dir)?;
    let usage = Usage::of(&opened.project, &opened.workflow);
    for error in &usage.errors {
        context
            .printer
            .warn(format!("{error}; what it uses is unknown"));
    }
    let chart = if arguments.rich {
        diagram::rich(&opened.workflow, &usage)
    } else {
        diagram::plain(&opened.workflow)
    };
    if arguments.check {
        return Ok(check(chart, pages(&opened, &usage)?, &arguments.dir));
    }
    let pages = if arguments.write {
        write(pages(&opened, &usage)?, context)?
    } else {
        Vec::new()
    };
    Ok(drawn(&opened, chart, pages))
}

/// The pages, each compared with its file.
fn pages(opened: &Opened, usage: &Usage) -> Result<Vec<Artifact>> {
    let workflow = &opened.workflow;
    Ok(vec![
        page(
            DIAGRAM_FILE,
            diagram::diagram_page(workflow, usage),
            &opened.dir,
        )?,
        page(
            SUMMARY_FILE,
            diagram::contract_summary(workflow, usage),
            &opened.dir,
        )?,
    ])
}

fn page(name: &'static str, content: String, dir: &Path) -> Result<Artifact> {
    let path = dir.join(name);
    let state = state(&path, &content)?;
    Ok(Artifact {
        name,
        format: Format::Markdown,
        content,
        path: Some(path),
        state: Some(state),
    })
}

/// A checkout with CRLF line endings is not stale.
fn state(path: &Path, content: &str) -> Result<State> {
    match files::read(path, PROJECT_FILE_LIMIT) {
        Ok(found) if String::from_utf8_lossy(&found).replace("\r\n", "\n") == content => {
            Ok(State::Current)
        }
        Ok(_) => Ok(State::Stale),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(State::Missing),
        Err(cause) => Err(io("read", path)(cause)),
    }
}

fn write(pages: Vec<Artifact>, context: &Context) -> Result<Vec<Artifact>> {
    for page in &pages {
        let Some(path) = &page.path else { continue };
        if page.state == Some(State::Current) {
            context
                .printer
                .note(format!("{} is up to date", path.display()));
        } else {
            files::replace(path, page.content.as_bytes(), Access::Usual)?;
            context.printer.note(format!("wrote {}", path.display()));
        }
    }
    Ok(pages)
}

fn drawn(opened: &Opened, chart: String, pages: Vec<Artifact>) -> Outcome {
    let workflow = &opened.workflow;
    let summary = format!("{} {} as a diagram", workflow.name, workflow.version);
    Outcome::new(summary)
        .text(chart.as_str())
        .own(with_diagram(chart, pages))
}

fn with_diagram(content: String, pages: Vec<Artifact>) -> Answer {
    let diagram = Artifact {
        name: "diagram",
        format: Format::Mermaid,
        content,
        path: None,
        state: None,
    };
    Answer {
        artifacts: std::iter::once(diagram).chain(pages).collect(),
    }
}

fn check(chart: String, pages: Vec<Artifact>, dir: &Path) -> Outcome {
    let findings: Vec<_> = pages.iter().filter_map(finding).collect();
    let passed = findings.is_empty();
    let summary = if passed {
        format!("{DIAGRAM_FILE} and {SUMMARY_FILE} are up to date")
    } else {
        findings.join("; ")
    };
    let outcome = Outcome::new(&summary)
        .text(summary)
        .own(with_diagram(chart, pages))
        .failed_if(!passed);
    if passed {
        outcome
    } else {
        outcome.hint(format!(
            "write and review them: tntc visualize --rich --write {}",
            dir.display()
        ))
    }
}

fn finding(page: &Artifact) -> Option<String> {
    let what = match page.state? {
        State::Current => return None,
        State::Stale => "is stale",
        State::Missing => "is missing",
    };
    Some(format!("{} {what}", page.name))
}
