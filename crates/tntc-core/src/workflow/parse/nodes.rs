//! The `nodes` section.

use std::collections::HashSet;

use super::refused;
use crate::diagnostic::{Invalid, shown};
use crate::project::{CODE_ENDINGS, Project, Refusal};
use crate::workflow::{DependencyName, MAX_RETRIES, Node, NodeName, parse_duration};
use crate::yaml::{
    Entry, Fields, Items, Sink, Spot, Value, accept, integer, json, owned_string, string,
    wrong_type,
};

const KEYS: [&str; 6] = [
    "path",
    "description",
    "capabilities",
    "timeout",
    "retries",
    "uses",
];

pub(super) fn read(
    sink: &mut Sink<'_>,
    spot: Spot<'_>,
    project: &Project,
    dependencies: &[&str],
) -> Option<Vec<Node>> {
    let fields = Fields::open(sink, spot)?;
    if fields.entries.is_empty() {
        let problem = Invalid::new("no-nodes", "a workflow needs a node");
        sink.error(spot, problem.help("add `hello: {path: nodes/hello.ts}`"));
    }
    Some(
        fields
            .iter()
            .filter_map(|(name, spot)| node(sink, name, spot, project, dependencies))
            .collect(),
    )
}

/// Names under `nodes`, also of nodes that have an error of their own: edges may refer to them.
pub(super) fn names<'a>(root: &Fields<'a>) -> HashSet<&'a str> {
    let nodes = root.entries.iter().find(|entry| entry.key == "nodes");
    match nodes.map(|entry| &entry.node.value) {
        Some(Value::Map(entries)) => entries.iter().map(|entry| entry.key.as_ref()).collect(),
        _ => HashSet::new(),
    }
}

/// Names of the contract's dependencies, also of those that have an error of their own: nodes may refer to them.
pub(super) fn dependencies<'a>(root: &Fields<'a>) -> Vec<&'a str> {
    let within = |entries: &'a [Entry<'a>], key: &str| {
        let entry = entries.iter().find(|entry| entry.key == key)?;
        match &entry.node.value {
            Value::Map(entries) => Some(entries.as_slice()),
            _ => None,
        }
    };
    let contract = within(root.entries, "contract");
    let dependencies = contract.and_then(|entries| within(entries, "dependencies"));
    let dependencies = dependencies.unwrap_or_default().iter();
    dependencies.map(|entry| entry.key.as_ref()).collect()
}

fn node(
    sink: &mut Sink<'_>,
    name: &str,
    spot: Spot<'_>,
    project: &Project,
    dependencies: &[&str],
) -> Option<Node> {
    let written = name;
    let name: Option<NodeName> = name
        .parse()
        .map_err(|problem| sink.key_error(spot, problem))
        .ok();
    let fields = Fields::open(sink, spot)?;
    let known: Vec<&str> = KEYS.into_iter().chain(refused::keys()).collect();
    let extensions = fields.extensions(sink, &known);
    refused::in_node(sink, written, &fields);
    let path = fields.required(sink, "path", "nodes/hello.ts", |sink, spot| {
        path(sink, spot, project)
    });
    let description = fields.optional(sink, "description", owned_string);
    let capabilities = fields.optional(sink, "capabilities", capabilities);
    let timeout = fields.optional(sink, "timeout", timeout);
    let retries = fields.optional(sink, "retries", retries);
    let uses = fields.optional(sink, "uses", |sink, spot| uses(sink, spot, dependencies));
    Some(Node {
        name: name?,
        path: path?,
        description,
        capabilities,
        timeout,
        retries,
        uses,
        extensions,
    })
}

fn uses(sink: &mut Sink<'_>, spot: Spot<'_>, declared: &[&str]) -> Option<Vec<DependencyName>> {
    let items = Items::open(sink, spot)?;
    let mut uses: Vec<DependencyName> = Vec::new();
    for item in items.iter() {
        let Some(name) = string(sink, item) else {
            continue;
        };
        if !declared.contains(&name) {
            let problem = undeclared(sink, name, declared);
            sink.error(item, problem);
        } else if uses.iter().any(|known| known.as_str() == name) {
            let problem = format!("`{}` is listed twice", shown(name));
            sink.error(
                item,
                Invalid::new("uses", problem).help("remove one of them"),
            );
        } else {
            // A name that is not valid is told where it is declared.
            uses.extend(name.parse());
        }
    }
    Some(uses)
}

fn undeclared(sink: &mut Sink<'_>, name: &str, declared: &[&str]) -> Invalid {
    let nearest = sink.suggester.nearest(name, declared.iter().copied());
    let message = format!(
        "the contract does not declare a dependency `{}`",
        shown(name)
    );
    Invalid::new("uses", message).did_you_mean(
        nearest,
        "declare it under `contract.dependencies`, or remove it here",
    )
}

fn capabilities(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<serde_json::Value> {
    match &spot.node.value {
        Value::Scalar(_) => wrong_type(sink, spot, "a list or a mapping"),
        _ => json(sink, spot),
    }
}

pub(super) fn timeout(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<std::time::Duration> {
    // A bare number is the likeliest mistake, and quotes would not mend it.
    let text = match &spot.node.value {
        Value::Scalar(scalar) => scalar.text.as_ref(),
        _ => string(sink, spot)?,
    };
    accept(sink, spot, parse_duration(text))
}

pub(super) fn retries(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<u8> {
    integer(sink, spot, 0, MAX_RETRIES)
}

/// The path of a node's file, checked against the files that there are.
fn path(sink: &mut Sink<'_>, spot: Spot<'_>, project: &Project) -> Option<String> {
    let text = string(sink, spot)?;
    let path = accept(sink, spot, normal(text))?;
    if project.files.contains_key(&path) {
        return Some(path);
    }
    let problem = match refusal(project, &path) {
        Some(refusal) => Invalid::new(
            "node-file",
            format!("the file `{}` {}", shown(&path), reason(refusal)),
        )
        .help("put a readable file into the workflow's directory"),
        None => absent(sink, project, &path),
    };
    sink.error(spot, problem);
    None
}

/// The path with `/` between its parts and without `.`; an error when it is no path of a node within the directory.
fn normal(text: &str) -> Result<String, Invalid> {
    let problem =
        |reason: &str| Invalid::new("node-path", format!("the path `{}` {reason}", shown(text)));
    if text.contains('\\') {
        return Err(problem("holds a backslash")
            .help(format!("write `{}`", shown(&text.replace('\\', "/")))));
    }
    if text.starts_with('/') || text.contains("://") {
        return Err(problem("is not relative")
            .help("name a file below the workflow's directory: `nodes/hello.ts`"));
    }
    let parts: Vec<&str> = text
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    if parts.contains(&"..") {
        return Err(problem("leads out of its directory")
            .help("use no `..`; keep the file inside the workflow's directory"));
    }
    if !CODE_ENDINGS.iter().any(|ending| text.ends_with(ending)) {
        return Err(problem("is not a file that the engine can load")
            .help("use a file that ends in .ts, .tsx, .js or .mjs"));
    }
    Ok(parts.join("/"))
}

/// What is known of the path itself or of the directories above it.
fn refusal<'p>(project: &'p Project, path: &str) -> Option<&'p Refusal> {
    let above = path.match_indices('/').map(|(end, _)| &path[..end]);
    project
        .refused
        .get(path)
        .or_else(|| above.into_iter().find_map(|path| project.refused.get(path)))
}

pub(super) fn reason(refusal: &Refusal) -> String {
    match refusal {
        Refusal::LeadsOutside => "leads out of the workflow's directory".to_owned(),
        Refusal::Unreadable(why) => format!("cannot be read: {}", shown(why)),
        Refusal::NotAFile => "is not a regular file".to_owned(),
    }
}

fn absent(sink: &mut Sink<'_>, project: &Project, path: &str) -> Invalid {
    let is_hidden = path
        .split('/')
        .any(|part| part.starts_with('.') || part == "node_modules");
    let problem = Invalid::new("node-file", format!("there is no file `{}`", shown(path)));
    if is_hidden {
        return problem
            .help("hidden files and node_modules are not part of a workflow; move the file");
    }
    let loadable = project
        .files
        .keys()
        .map(String::as_str)
        .filter(|file| CODE_ENDINGS.iter().any(|it| file.ends_with(it)));
    let nearest = sink.suggester.nearest(path, loadable);
    problem.did_you_mean(nearest, "create it, or correct the path")
}
