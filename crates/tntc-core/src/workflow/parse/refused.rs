//! Keys of other tools that change what a workflow does. A warning would not do: left out, they give a graph that runs
//! everything at once, or a pod without what it needs.

use crate::diagnostic::{Invalid, Severity, shown};
use crate::project::CODE_ENDINGS;
use crate::workflow::is_identifier;
use crate::yaml::{Fields, Kind, Path, Sink, Spot, Value};

pub(super) const SIDECARS: &str = "sidecars";
pub(super) const STEPS: &str = "steps";

/// What the author meant a node's key to say about the graph.
#[derive(Clone, Copy)]
enum Order {
    /// The nodes named run before this one.
    Before,
    /// The nodes named run after this one.
    After,
    /// This one runs only sometimes.
    Condition,
}

/// Keys that say in a node what belongs into `edges`, in the spellings of workflow tools.
const ORDERS: [(&str, Order); 7] = [
    ("depends_on", Order::Before),
    ("dependsOn", Order::Before),
    ("depends-on", Order::Before),
    ("needs", Order::Before),
    ("source", Order::Before),
    ("next", Order::After),
    ("when", Order::Condition),
];

/// Most edges that one help writes out.
const MAX_EDGES: usize = 8;

/// The keys of a node that [`in_node`] reports.
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    ORDERS.into_iter().map(|(key, _)| key)
}

/// Reports the keys of a node that say what `edges` should.
pub(super) fn in_node(sink: &mut Sink<'_>, node: &str, fields: &Fields<'_>) {
    for (key, order) in ORDERS {
        // Also without a value: what is commented out below it may come back.
        let Some((_, spot)) = fields.iter().find(|(name, _)| *name == key) else {
            continue;
        };
        let problem = match order {
            Order::Condition => Invalid::new(
                "node-order",
                "a node has no condition; every node runs when its inputs are there",
            ),
            _ => Invalid::new(
                "node-order",
                format!("`{key}` in a node orders nothing; `edges` does"),
            ),
        };
        let help = help(node, spot, order);
        sink.add(
            Severity::Error,
            spot.key_place(),
            spot.path,
            problem.help(help),
        );
    }
}

fn help(node: &str, spot: Spot<'_>, order: Order) -> String {
    let mut named = Vec::new();
    names(&spot.node.value, &mut named);
    if let Some(file) =
        { named.iter() }.find(|name| CODE_ENDINGS.iter().any(|it| name.ends_with(it)))
    {
        return format!("write `path: {}`", shown(file));
    }
    let edges = edges(node, &identifiers(&named), order);
    match order {
        Order::Condition => format!("return early in the node, and write its order as {edges}"),
        _ => format!("remove it, and write {edges}"),
    }
}

/// Names in the value, each once: also the first word of `fetch.success`, of `fetch == \"ok\"`, of `{node: fetch}`.
fn identifiers(texts: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for text in texts {
        let word = text.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        let end = word.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        let word = &word[..end.unwrap_or(word.len())];
        if is_identifier(word) && !found.iter().any(|known| known == word) {
            found.push(word.to_owned());
        }
    }
    found
}

fn edges(node: &str, others: &[String], order: Order) -> String {
    let node = shown(node);
    let placeholder = ["<node>".to_owned()];
    let others = if others.is_empty() {
        &placeholder
    } else {
        others
    };
    let edges = others.iter().take(MAX_EDGES).map(|other| match order {
        Order::After => format!("{{from: {node}, to: {other}}}"),
        Order::Before | Order::Condition => format!("{{from: {other}, to: {node}}}"),
    });
    let edges = edges.collect::<Vec<_>>().join(", ");
    let more = if others.len() > MAX_EDGES {
        ", …"
    } else {
        ""
    };
    format!("`edges: [{edges}{more}]`")
}

/// All texts in a value.
fn names<'a>(value: &'a Value<'_>, into: &mut Vec<&'a str>) {
    match value {
        Value::Scalar(scalar) if scalar.kind() == Kind::String => into.push(&scalar.text),
        Value::List(nodes) => nodes.iter().for_each(|node| names(&node.value, into)),
        Value::Map(entries) => entries.iter().for_each(|it| names(&it.node.value, into)),
        Value::Scalar(_) | Value::Broken => {}
    }
}

/// Reports top-level keys of workflow tools that this one would silently do without.
pub(super) fn top_level(sink: &mut Sink<'_>, fields: &Fields<'_>) {
    sidecars(sink, fields);
    let Some((_, spot)) = fields.iter().find(|(key, _)| *key == STEPS) else {
        return;
    };
    let steps = step_names(&spot.node.value);
    let chain: Vec<String> = steps
        .windows(2)
        .take(MAX_EDGES)
        .map(|pair| format!("{{from: {}, to: {}}}", pair[0], pair[1]))
        .collect();
    let edges = if chain.is_empty() {
        "{from: <node>, to: <node>}".to_owned()
    } else {
        chain.join(", ")
    };
    let more = if steps.len() > MAX_EDGES + 1 {
        ", …"
    } else {
        ""
    };
    let problem = Invalid::new(
        "steps",
        "a workflow has no steps: it has `nodes`, and `edges` that order them",
    );
    let help = format!("write each step as a node with its file, and `edges: [{edges}{more}]`");
    sink.add(
        Severity::Error,
        spot.key_place(),
        spot.path,
        problem.help(help),
    );
}

/// What the steps are called, in their order.
fn step_names(steps: &Value<'_>) -> Vec<String> {
    let name = |value: &Value<'_>| match value {
        Value::Map(entries) => {
            let named = |key: &str| entries.iter().find(|entry| entry.key == key);
            let entry = ["name", "id", "node"].into_iter().find_map(named)?;
            let mut texts = Vec::new();
            names(&entry.node.value, &mut texts);
            identifiers(&texts).pop()
        }
        Value::Scalar(scalar) => identifiers(&[&scalar.text]).pop(),
        _ => None,
    };
    match steps {
        Value::List(nodes) => nodes.iter().filter_map(|node| name(&node.value)).collect(),
        Value::Map(entries) => { entries.iter() }
            .filter(|it| is_identifier(&it.key))
            .map(|it| it.key.to_string())
            .collect(),
        _ => Vec::new(),
    }
}

/// Reports sidecars, wherever they stand.
pub(super) fn sidecars(sink: &mut Sink<'_>, fields: &Fields<'_>) {
    let Some((_, spot)) = fields.iter().find(|(key, _)| *key == SIDECARS) else {
        return;
    };
    let problem = Invalid::new(
        "sidecars",
        "sidecars are not supported: the pod would run without them",
    );
    let help = "remove the key, and run what the container does as a deployment of its own that the contract names";
    let path = Path::Key(&fields.spot.path, SIDECARS);
    sink.add(Severity::Error, spot.key_place(), path, problem.help(help));
}
