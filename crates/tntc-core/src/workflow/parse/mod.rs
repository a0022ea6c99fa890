//! From the bytes of `workflow.yaml` to a [`Workflow`], or to everything that is wrong with them.
//!
//! Each section has a file that reads it. Reading goes on after an error, so that one run reports all of them; a workflow
//! comes out only when there was none.

mod contract;
mod dead_letters;
mod edges;
mod limits;
mod metadata;
mod network;
mod nodes;
mod refused;
mod sections;
mod triggers;
mod unverified;
mod verification;

use std::collections::HashSet;

use crate::diagnostic::{Diagnostic, Invalid, Report, Severity, Source, shown};
use crate::project::{MAX_WORKFLOW_BYTES, Project, WORKFLOW_FILE, misnamed, rename_help};
use crate::workflow::{Version, Workflow};
use crate::yaml::{Fields, Path, Sink, Spot, Value, owned_string, parsed, string};

/// A workflow that may be used, and what its author should look at anyway.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The workflow.
    pub workflow: Workflow,
    /// Findings, none of them an error.
    pub warnings: Report,
}

/// Reads and checks the workflow of a project.
///
/// # Errors
/// Everything that is wrong, with all warnings, when the project's `workflow.yaml` is missing or has an error.
pub fn parse(project: &Project) -> Result<Checked, Report> {
    let bytes = project
        .workflow_file()
        .ok_or_else(|| whole_file(missing(project)))?;
    if bytes.len() > MAX_WORKFLOW_BYTES {
        let problem = Invalid::new(
            "too-large",
            format!("the file has {} bytes; the most is 1 MiB", bytes.len()),
        );
        return Err(whole_file(
            problem.help("keep data in files of their own, next to the nodes"),
        ));
    }
    let source = Source::new(text(bytes)?);
    let mut sink = Sink::new(&source);
    let tree = crate::yaml::parse(source.text, &mut sink);
    let workflow = tree
        .as_ref()
        .and_then(|tree| workflow(&mut sink, Spot::root(tree), project));
    match workflow {
        Some(workflow) if !sink.failed() => Ok(Checked {
            workflow,
            warnings: sink.finish(),
        }),
        _ => Err(sink.finish()),
    }
}

fn missing(project: &Project) -> Invalid {
    if let Some(refusal) = project.refused.get(WORKFLOW_FILE) {
        let message = format!("workflow.yaml {}", nodes::reason(refusal));
        let help = "make it a readable file within the directory";
        return Invalid::new("unreadable", message).help(help);
    }
    let problem = Invalid::new("no-workflow", "the directory has no workflow.yaml");
    problem.help(match misnamed(project.files.keys().map(String::as_str)) {
        Some(name) => rename_help(name),
        None => "name a workflow's directory, or make one with `tntc init <name>`".to_owned(),
    })
}

/// The file as text, when it is UTF-8 and holds no character that YAML forbids.
fn text(bytes: &[u8]) -> Result<&str, Report> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let (sound, _) = bytes.split_at(error.valid_up_to());
        let problem = Invalid::new("not-utf8", "the file is not UTF-8")
            .help("save it with the encoding UTF-8");
        at_offset(
            std::str::from_utf8(sound).unwrap_or_default(),
            sound.len(),
            problem,
        )
    })?;
    let forbidden = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    match text.char_indices().find(|(_, c)| forbidden(*c)) {
        None => Ok(text),
        Some((offset, c)) => {
            let message = format!(
                "the file holds the control character U+{:04X}",
                u32::from(c)
            );
            let problem = Invalid::new("control-character", message);
            Err(at_offset(
                text,
                offset,
                problem.help("remove it, or write it as an escape in double quotes"),
            ))
        }
    }
}

fn at_offset(text: &str, offset: usize, problem: Invalid) -> Report {
    let source = Source::new(text);
    let mut sink = Sink::new(&source);
    sink.add(Severity::Error, offset..offset + 1, Path::Root, problem);
    sink.finish()
}

fn whole_file(problem: Invalid) -> Report {
    at_offset("", 0, problem)
}

const KEYS: [&str; 12] = [
    "name",
    "version",
    "description",
    "metadata",
    "triggers",
    "nodes",
    "edges",
    "config",
    "deployment",
    "contract",
    refused::STEPS,
    refused::SIDECARS,
];

/// Reads the whole file. What comes out is a workflow only when the sink holds no error.
fn workflow(sink: &mut Sink<'_>, root: Spot<'_>, project: &Project) -> Option<Workflow> {
    let fields = Fields::open(sink, root)?;
    let extensions = fields.extensions(sink, &KEYS);
    let name = fields.required(sink, "name", "my-workflow", parsed);
    let version = fields.required(sink, "version", "\"1.0\"", version);
    let description = fields.optional(sink, "description", owned_string);
    let metadata = fields.optional(sink, "metadata", metadata::read);
    let triggers = fields.required(sink, "triggers", "[{type: manual}]", triggers::read);
    let nodes = fields.required(
        sink,
        "nodes",
        "{hello: {path: nodes/hello.ts}}",
        |sink, spot| nodes::read(sink, spot, project, &nodes::dependencies(&fields)),
    );
    let defined: HashSet<&str> = nodes::names(&fields);
    refused::top_level(sink, &fields);
    let edges = fields.optional(sink, "edges", |sink, spot| {
        edges::read(sink, spot, &defined)
    });
    let config = fields.optional(sink, "config", sections::config);
    let deployment = fields.optional(sink, "deployment", sections::deployment);
    let contract = fields.optional(sink, "contract", contract::read);
    limits::check(
        sink,
        &fields,
        name.as_ref(),
        triggers.as_deref().unwrap_or_default(),
    );
    Some(Workflow {
        name: name?,
        version: version?,
        description,
        metadata: metadata.unwrap_or_default(),
        triggers: triggers?,
        nodes: nodes?,
        edges: edges.unwrap_or_default(),
        config: config.unwrap_or_default(),
        deployment: deployment.unwrap_or_default(),
        contract,
        extensions,
    })
}

/// A version; one that YAML reads as a number keeps its digits, with a warning.
fn version(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<Version> {
    let Value::Scalar(scalar) = &spot.node.value else {
        return string(sink, spot).and(None);
    };
    match scalar.text.parse() {
        Ok(version) => {
            if scalar.kind() != crate::yaml::Kind::String {
                let message = format!(
                    "the version {} is a number to YAML, so other tools drop its final zeros",
                    shown(&scalar.text)
                );
                let problem = Invalid::new("unquoted-version", message);
                sink.warning(
                    spot,
                    problem.help(format!("put it in quotes: \"{}\"", shown(&scalar.text))),
                );
            }
            Some(version)
        }
        Err(problem) => {
            sink.error(spot, problem);
            None
        }
    }
}

impl Checked {
    /// The warnings, in source order.
    pub fn warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.warnings.iter()
    }
}
