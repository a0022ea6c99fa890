//! The rooms and their imports, drawn with Mermaid in ARCHITECTURE.md.

use std::fmt::Write;

use crate::graph::Graph;

/// Around the picture.
const BEGIN: &str = "<!-- rooms: written by crates/tntc-core/tests/layout -->\n";
const END: &str = "<!-- end of the rooms -->\n";

/// A picture for each of them.
pub fn all(houses: &[(&str, Graph)]) -> String {
    let mut text = String::new();
    for (house, graph) in houses {
        write!(text, "\n`{house}`:\n\n{}", drawn(graph)).expect("a string");
    }
    text.push('\n');
    text
}

/// Arrows that follow from others are left out, and so are tests and the crate's own root.
fn drawn(graph: &Graph) -> String {
    let is_left_out = |name: &str| matches!(name, "lib" | "main" | "tests" | "vendor");
    let rooms = graph
        .without(is_test)
        .rooms("")
        .without(is_left_out)
        .reduced();
    let mut text = "```mermaid\nflowchart TD\n".to_owned();
    for name in rooms.names() {
        writeln!(text, "    {}[\"{name}\"]", id(name)).expect("a string");
    }
    for (from, to) in rooms.arrows() {
        writeln!(text, "    {} --> {}", id(from), id(to)).expect("a string");
    }
    text + "```\n"
}

fn is_test(path: &str) -> bool {
    path.ends_with("_test.ts")
}

/// A name that Mermaid takes for one, whatever words it has of its own.
fn id(name: &str) -> String {
    format!("room_{}", name.replace(['.', '-'], "_"))
}

/// The document with this picture in its place.
pub fn put(document: &str, picture: &str) -> String {
    let (before, rest) = document
        .split_once(BEGIN)
        .expect("where the picture begins");
    let (_, after) = rest.split_once(END).expect("where the picture ends");
    format!("{before}{BEGIN}{picture}{END}{after}")
}
