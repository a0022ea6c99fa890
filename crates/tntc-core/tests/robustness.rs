//! No file makes the parser panic or use much memory; how long each takes is printed.
//!
//! One test, because the peak of memory is that of the whole process.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "measures time and says what it measured"
)]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;
use tntc_core::derive::network::{Services, Surroundings, policy};
use tntc_core::derive::{permissions, secrets};
use tntc_core::diagnostic::Report;
use tntc_core::project::Project;
use tntc_core::workflow::{Checked, graph, parse};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const MIB: usize = 1024 * 1024;

/// What a hostile or broken file may cost.
const PEAK: usize = 64 * MIB;

#[test]
fn no_file_makes_the_parser_panic_or_use_64_mib() {
    for (name, content, is_good) in cases() {
        let bytes = content.len();
        let project = Project::from_files([("workflow.yaml", content), ("a.ts", Vec::new())]);
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let start = Instant::now();
        let told = read(&project, is_good, name);
        let (time, peak) = (start.elapsed(), MEMORY.peak_usage().saturating_sub(before));
        println!(
            "{name}: {bytes} bytes, {time:?}, {} KiB, {} bytes told",
            peak / 1024,
            told.len()
        );
        assert!(
            !told.contains(|c: char| c != '\n' && c.is_control()),
            "{name} steers the terminal"
        );
        assert!(peak < PEAK, "{name}: {peak} bytes");
    }
}

/// Parses, derives everything from what is good, and answers the report as people see it.
fn read(project: &Project, is_good: bool, name: &str) -> String {
    let answer = parse(project);
    assert_eq!(
        answer.is_ok(),
        is_good,
        "{name}: {:.2000}",
        answer.err().map(|it| it.to_string()).unwrap_or_default()
    );
    let report = match answer {
        Ok(checked) => derived(&checked),
        Err(report) => report,
    };
    report.render("workflow.yaml", project.workflow_file().unwrap(), false)
}

fn derived(checked: &Checked) -> Report {
    let services = Services::default();
    let surroundings = Surroundings {
        services: &services,
        metrics_namespace: None,
        endpoints: &[],
    };
    let workflow = &checked.workflow;
    assert!(policy(workflow, &surroundings).is_some());
    assert!(permissions::deno_flags(workflow, &[], None).is_some());
    assert!(secrets::inventory(workflow).len() <= 10_000);
    assert!(graph::grace_period(workflow) >= Duration::from_secs(30));
    assert!(!graph::stages(workflow).is_empty());
    assert!(!workflow.to_yaml().is_empty());
    checked.warnings.clone()
}

const HEAD: &str =
    "name: a\nversion: \"1.0\"\ntriggers: [{type: manual}]\ncontract: {version: \"1\"}\n";
const GOOD: &str = "name: a\nversion: \"1.0\"\ntriggers: [{type: manual}]\ncontract: {version: \"1\"}\nnodes: {a: {path: a.ts}}\n";

/// A file's name in messages, its content, and whether it is a workflow.
type Case = (&'static str, Vec<u8>, bool);

fn cases() -> impl Iterator<Item = Case> {
    encodings()
        .into_iter()
        .chain(aliases())
        .chain(syntax())
        .chain(nesting())
        .chain(many())
        .chain(long())
}

fn good(name: &'static str, text: impl Into<String>) -> Case {
    (name, text.into().into_bytes(), true)
}

fn bad(name: &'static str, text: impl Into<String>) -> Case {
    (name, text.into().into_bytes(), false)
}

fn repeated(count: usize, piece: impl Fn(usize) -> String) -> String {
    (0..count).map(piece).collect::<Vec<_>>().concat()
}

fn encodings() -> Vec<Case> {
    vec![
        good("good", GOOD),
        bad("nothing", ""),
        good("byte-order mark", format!("\u{feff}{GOOD}")),
        bad(
            "byte-order mark within",
            GOOD.replace("nodes", "\u{feff}nodes"),
        ),
        good("CRLF", GOOD.replace('\n', "\r\n")),
        good("CR", GOOD.replace('\n', "\r")),
        bad(
            "tabs",
            GOOD.replace("nodes: {", "nodes:\n\t")
                .replace("}}\n", "}\n"),
        ),
        bad("NUL", GOOD.replace("nodes", "\0\nnodes")),
        bad("NUL at the end", format!("{GOOD}\0")),
        (
            "not UTF-8",
            [GOOD.as_bytes(), &[0xff, 0xfe]].concat(),
            false,
        ),
        (
            "UTF-16",
            GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            false,
        ),
        (
            "random bytes",
            (0..MIB)
                .map(|i| u8::try_from((i * 7919 + i / 251) % 256).unwrap())
                .collect(),
            false,
        ),
        good(
            "escapes for a terminal",
            format!("{GOOD}\"\\e[2J\\u202e\": 1\nx: \u{202e}\n"),
        ),
        bad("too large", format!("{GOOD}#{}", "x".repeat(MIB))),
    ]
}

fn aliases() -> Vec<Case> {
    vec![
        bad("alias bomb", alias_bomb()),
        bad("merge bomb", merge_bomb()),
        bad(
            "a list of one alias",
            format!(
                "{GOOD}config: {{a: &a [1], b: [{}]}}",
                "*a,".repeat(300_000)
            ),
        ),
        bad("aliases within aliases", alias_ladder(400)),
        good(
            "aliases within aliases, as many as there may be",
            alias_ladder(100),
        ),
        good("an anchor at each value", anchors(100_000)),
        good(
            "anchors within anchors",
            format!(
                "{GOOD}config: {{a: {}1{}}}",
                "&a [".repeat(240),
                "]".repeat(240)
            ),
        ),
        bad(
            "an alias of what holds it",
            format!("{GOOD}config: &a {{b: [*a, *a], c: {{<<: *a}}}}\nx-a: *a\n"),
        ),
        good(
            "as many values as aliases may add",
            format!("{GOOD}config: {{a: &a [{}], b: *a}}", "1,".repeat(9_999)),
        ),
        bad(
            "one value more",
            format!("{GOOD}config: {{a: &a [{}], b: *a}}", "1,".repeat(10_000)),
        ),
        bad(
            "a repeated finding",
            format!(
                "{GOOD}config: &c {{'{}': .nan}}\nx-a: [{}]\n",
                "k".repeat(400_000),
                "*c,".repeat(3_000)
            ),
        ),
    ]
}

fn syntax() -> Vec<Case> {
    vec![
        bad(
            "unknown aliases",
            format!("{HEAD}config: [{}]", "*a,".repeat(340_000)),
        ),
        bad(
            "quotes without end",
            format!("{GOOD}config: \"{}", "x\n".repeat(500_000)),
        ),
        good(
            "block scalar",
            format!("{GOOD}description: |\n{}", "  x\n".repeat(250_000)),
        ),
        good("comments", format!("{GOOD}{}", "# x\n".repeat(260_000))),
        bad("documents", "---\n".repeat(260_000)),
        good("directives", format!("%YAML 1.1\n---\n{GOOD}")),
        bad("a version to come", format!("%YAML 2.0\n---\n{GOOD}")),
        bad("tags", format!("{GOOD}config: {{a: !!binary aGk=}}")),
        good("string tags", GOOD.replace("name: a", "name: !!str a")),
        bad(
            "keys that are lists",
            format!("{GOOD}config: {{{}}}", "[a]: 1,".repeat(100_000)),
        ),
    ]
}

fn nesting() -> Vec<Case> {
    vec![
        bad(
            "nested lists",
            format!("{HEAD}config: {}", "[".repeat(MIB - 200)),
        ),
        bad(
            "nested maps",
            format!("{HEAD}config: {}", "{a: ".repeat(MIB / 4 - 60)),
        ),
        bad("nested block lists", "- ".repeat(MIB / 2)),
        good(
            "nested to the limit",
            format!(
                "{GOOD}config: {{a: {}{}}}",
                "[".repeat(250),
                "]".repeat(250)
            ),
        ),
        bad("deep duplicate keys", deep_duplicates()),
    ]
}

fn many() -> Vec<Case> {
    vec![
        good(
            "values",
            format!("{GOOD}config: {{a: [{}]}}", "1,".repeat(240_000)),
        ),
        bad(
            "too many values",
            format!("{GOOD}config: {{a: [{}]}}", "1,".repeat(500_000)),
        ),
        good(
            "strings",
            format!("{GOOD}config: {{a: [{}]}}", "abc,".repeat(240_000)),
        ),
        good("nodes", nodes(10_000)),
        bad(
            "nodes in a ring",
            nodes(10_000) + "  - {from: n9999, to: n0}\n",
        ),
        bad("edges to nowhere", edges_to_nowhere()),
        good("dependencies", dependencies(10_000)),
        good(
            "unknown keys",
            format!(
                "{GOOD}{}",
                repeated(60_000, |i| format!("triggres{i}: 1\n"))
            ),
        ),
        bad(
            "duplicate keys",
            format!("{GOOD}{}", "name: a\n".repeat(100_000)),
        ),
        bad(
            "wrong types",
            format!(
                "{HEAD}nodes: {{{}}}",
                repeated(60_000, |i| format!("n{i}: 1,"))
            ),
        ),
        bad(
            "wrong triggers",
            format!(
                "triggers: [{}]",
                "{type: cron, timezone: Europe/Berln},".repeat(25_000)
            ),
        ),
    ]
}

fn long() -> Vec<Case> {
    let host = "a.".repeat(500_000);
    let schedule = "1,".repeat(500_000);
    vec![
        bad("one long line", format!("name: {}", "x".repeat(MIB - 10))),
        bad("one long key", format!("? {}\n: 1\n", "x".repeat(MIB - 10))),
        bad(
            "long subject",
            format!("triggers: [{{type: queue, subject: {host}}}]"),
        ),
        bad(
            "long host",
            format!(
                "contract: {{version: \"1\", dependencies: {{a: {{protocol: https, host: {host}}}}}}}"
            ),
        ),
        bad(
            "long schedule",
            format!("triggers: [{{type: cron, schedule: \"{schedule} * * * *\"}}]"),
        ),
        bad(
            "long version",
            format!("version: \"1.{}\"", "1".repeat(MIB - 100)),
        ),
        bad(
            "long number",
            format!("{GOOD}config: {{a: {}}}", "1".repeat(MIB - 200)),
        ),
        bad(
            "long hexadecimal number",
            format!("{GOOD}config: {{a: 0x{}}}", "f".repeat(MIB - 200)),
        ),
    ]
}

/// Each level holds the one before, so that writing all out needs the square of their number.
fn alias_ladder(levels: usize) -> String {
    let mut yaml = format!("{GOOD}config:\n  a0: &a0 [1]\n");
    for level in 1..=levels {
        writeln!(yaml, "  a{level}: &a{level} [*a{}]", level - 1).unwrap();
    }
    yaml
}

fn anchors(count: usize) -> String {
    let values = repeated(count, |index| format!("&a{index} 1,"));
    format!("{GOOD}config: {{a: [{values}]}}")
}

fn merge_bomb() -> String {
    let keys = repeated(1000, |index| format!("k{index}: 1, "));
    let merges = repeated(1000, |index| format!("  m{index}: {{<<: *base}}\n"));
    format!("{GOOD}config:\n  base: &base {{{keys}}}\n{merges}")
}

fn alias_bomb() -> String {
    let mut yaml = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..30 {
        let aliases = format!("*a{},", level - 1).repeat(9);
        writeln!(yaml, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    yaml
}

/// A graph with two edges a node.
fn nodes(count: usize) -> String {
    let mut yaml = format!("{HEAD}nodes:\n");
    for node in 0..count {
        writeln!(yaml, "  n{node}: {{path: a.ts}}").unwrap();
    }
    yaml += "edges:\n";
    for node in 1..count {
        writeln!(yaml, "  - {{from: n{}, to: n{node}}}", node - 1).unwrap();
        if node > 1 {
            writeln!(yaml, "  - {{from: n{}, to: n{node}}}", node - 2).unwrap();
        }
    }
    yaml
}

fn edges_to_nowhere() -> String {
    let mut yaml = nodes(10_000);
    for edge in 0..5_000 {
        writeln!(yaml, "  - {{from: n{}, to: nn{edge}}}", edge % 10_000).unwrap();
    }
    yaml
}

fn deep_duplicates() -> String {
    let mut yaml = String::new();
    for depth in 0..200 {
        writeln!(yaml, "{}{}:", " ".repeat(depth), "k".repeat(800)).unwrap();
    }
    let indent = " ".repeat(200);
    for _ in 0..4000 {
        writeln!(yaml, "{indent}a: 1").unwrap();
    }
    yaml
}

fn dependencies(count: usize) -> String {
    let mut yaml = GOOD.replace("contract: {version: \"1\"}\n", "")
        + "contract:\n  version: \"1\"\n  dependencies:\n";
    for index in 0..count {
        writeln!(yaml, "    d{index}: {{protocol: https, host: h{index}.example.com, auth: {{type: t, secret: s{index}.k}}}}").unwrap();
    }
    yaml
}
