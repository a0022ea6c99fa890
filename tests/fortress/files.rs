//! Files that are meant to break `tntc`, or broken by accident, read by the whole program.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::Workflow;

const MIB: usize = 1024 * 1024;
/// What reading a file may cost beyond what the program takes by itself.
const MOST_MEMORY: usize = 64 * MIB;
/// A file that takes longer than this has made the program hang; it takes milliseconds.
const HANGS: &str = "120";

const GOOD: &str = "name: a\nversion: \"1.0\"\ntriggers: [{type: manual}]\ncontract: {version: \"1\"}\nnodes: {only: {path: nodes/only.ts}}\n";

/// The exit status and the most memory that was resident at once, in bytes.
///
/// Linux counts what its parent held towards the peak of a process, so the parent is GNU time, which is small.
pub fn run(arguments: &[&str]) -> (Option<i32>, usize) {
    let peak = tempfile::NamedTempFile::new().expect("a file");
    let status = Command::new("time")
        .args(["--quiet", "--format=%M", "--output"])
        .arg(peak.path())
        .args(["timeout", HANGS, env!("CARGO_BIN_EXE_tntc")])
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("GNU time starts");
    let text = fs::read_to_string(peak.path()).expect("a file");
    let kibibytes: usize = text.trim().parse().expect("a number");
    (status.code(), kibibytes * 1024)
}

/// Each bomb is nine times as large as the one before it.
fn alias_bomb() -> String {
    let mut yaml = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..30 {
        let aliases = format!("*a{},", level - 1).repeat(9);
        writeln!(yaml, "a{level}: &a{level} [{aliases}]").expect("memory");
    }
    yaml
}

/// Ten thousand nodes and twice as many edges.
fn large() -> String {
    let mut yaml = GOOD.replace("nodes: {only: {path: nodes/only.ts}}\n", "nodes:\n");
    for node in 0..10_000 {
        writeln!(yaml, "  n{node}: {{path: nodes/only.ts}}").expect("memory");
    }
    yaml += "edges:\n";
    for node in 0..9_999 {
        for to in (node + 1..=node + 2).filter(|to| *to < 10_000) {
            writeln!(yaml, "  - {{from: n{node}, to: n{to}}}").expect("memory");
        }
    }
    yaml
}

#[test]
fn no_workflow_file_makes_the_program_crash_hang_or_use_64_mib() {
    let cases: [(&str, Vec<u8>, i32); 13] = [
        ("good", GOOD.into(), 0),
        ("byte-order mark", format!("\u{feff}{GOOD}").into(), 0),
        ("CRLF", GOOD.replace('\n', "\r\n").into(), 0),
        ("large", large().into(), 0),
        ("empty", Vec::new(), 1),
        ("alias bomb", alias_bomb().into(), 1),
        ("nested lists", "[".repeat(MIB - 1).into(), 1),
        ("nested maps", "{a: ".repeat(MIB / 4 - 1).into(), 1),
        ("too large", format!("{GOOD}#{}", "x".repeat(MIB)).into(), 1),
        ("NUL", vec![0; MIB - 1], 1),
        ("tabs", GOOD.replace("nodes: {", "nodes:\n\t{").into(), 1),
        ("not UTF-8", vec![0xff; MIB - 1], 1),
        (
            "errors",
            format!("{GOOD}{}", "name: a\n".repeat(100_000)).into(),
            1,
        ),
    ];
    let (_, base) = run(&["version"]);
    let workflow = Workflow::of_one_node("a", "return 1;");
    let file = Path::new(workflow.path()).join("workflow.yaml");
    for (name, content, expected) in cases {
        fs::write(&file, content).expect("a file");
        for output in ["text", "json"] {
            let (status, peak) = run(&["validate", workflow.path(), "-o", output]);
            assert_eq!(status, Some(expected), "{name}, {output}");
            let more = peak.saturating_sub(base);
            assert!(
                more < MOST_MEMORY,
                "{name}, {output}: {} KiB more",
                more / 1024
            );
        }
    }
}

#[test]
fn a_node_of_one_endless_expression_is_drawn() {
    let workflow = Workflow::of_one_node("endless", &format!("return 1{};", "+1".repeat(100_000)));
    let (status, _) = run(&["visualize", workflow.path(), "--rich"]);
    assert_eq!(status, Some(0));
}
