//! No file makes the parser panic, take long or use much memory.
//!
//! One test, because the peak of memory is that of the whole process.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;
use tntc_core::contract::network::{Services, Surroundings, policy};
use tntc_core::contract::{permissions, secrets};
use tntc_core::diagnostic::Report;
use tntc_core::project::Project;
use tntc_core::workflow::{Checked, graph, parse};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const MIB: usize = 1024 * 1024;

/// What a hostile or broken file may cost. Debug builds are an order of magnitude slower than what users run.
const TIME: Duration = if cfg!(debug_assertions) {
    Duration::from_secs(10)
} else {
    Duration::from_secs(1)
};
const PEAK: usize = 64 * MIB;

#[test]
fn no_file_makes_the_parser_panic_or_take_more_than_a_second_or_64_mib() {
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
        assert!(time < TIME, "{name}: {time:?}");
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
    assert!(permissions::deno_flags(workflow, &[]).is_some());
    assert!(secrets::inventory(workflow).len() <= 10_000);
    assert!(graph::grace_period(workflow) >= Duration::from_secs(30));
    assert!(!graph::stages(workflow).is_empty());
    assert!(!workflow.to_yaml().is_empty());
    checked.warnings.clone()
}

const HEAD: &str =
    "name: a\nversion: \"1.0\"\ntriggers: [{type: manual}]\ncontract: {version: \"1\"}\n";
const GOOD: &str = "name: a\nversion: \"1.0\"\ntriggers: [{type: manual}]\ncontract: {version: \"1\"}\nnodes: {a: {path: a.ts}}\n";

fn cases() -> Vec<(&'static str, Vec<u8>, bool)> {
    let text = |text: String| text.into_bytes();
    vec![
        ("good", text(GOOD.into()), true),
        ("nothing", Vec::new(), false),
        ("byte-order mark", text(format!("\u{feff}{GOOD}")), true),
        (
            "byte-order mark within",
            text(GOOD.replace("nodes", "\u{feff}nodes")),
            false,
        ),
        ("CRLF", text(GOOD.replace('\n', "\r\n")), true),
        ("CR", text(GOOD.replace('\n', "\r")), true),
        (
            "tabs",
            text(
                GOOD.replace("nodes: {", "nodes:\n\t")
                    .replace("}}\n", "}\n"),
            ),
            false,
        ),
        ("NUL", text(GOOD.replace("nodes", "\0\nnodes")), false),
        ("NUL at the end", text(format!("{GOOD}\0")), false),
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
        (
            "too large",
            text(format!("{GOOD}#{}", "x".repeat(MIB))),
            false,
        ),
        ("alias bomb", text(alias_bomb()), false),
        (
            "unknown aliases",
            text(format!("{HEAD}config: [{}]", "*a,".repeat(340_000))),
            false,
        ),
        (
            "nested lists",
            text(format!("{HEAD}config: {}", "[".repeat(MIB - 200))),
            false,
        ),
        (
            "nested maps",
            text(format!("{HEAD}config: {}", "{a: ".repeat(MIB / 4 - 60))),
            false,
        ),
        ("nested block lists", text("- ".repeat(MIB / 2)), false),
        (
            "nested to the limit",
            text(format!(
                "{GOOD}config: {{a: {}{}}}",
                "[".repeat(250),
                "]".repeat(250)
            )),
            true,
        ),
        (
            "values",
            text(format!("{GOOD}config: {{a: [{}]}}", "1,".repeat(240_000))),
            true,
        ),
        (
            "too many values",
            text(format!("{GOOD}config: {{a: [{}]}}", "1,".repeat(500_000))),
            false,
        ),
        (
            "strings",
            text(format!("{GOOD}config: {{a: [{}]}}", "abc,".repeat(240_000))),
            true,
        ),
        ("nodes", text(nodes(10_000)), true),
        (
            "nodes in a ring",
            text(nodes(10_000) + "  - {from: n9999, to: n0}\n"),
            false,
        ),
        ("edges to nowhere", text(edges_to_nowhere()), false),
        (
            "unknown keys",
            text(format!(
                "{GOOD}{}",
                (0..60_000)
                    .map(|i| format!("triggres{i}: 1\n"))
                    .collect::<String>()
            )),
            true,
        ),
        (
            "duplicate keys",
            text(format!("{GOOD}{}", "name: a\n".repeat(100_000))),
            false,
        ),
        ("deep duplicate keys", text(deep_duplicates()), false),
        (
            "wrong types",
            text(format!(
                "{HEAD}nodes: {{{}}}",
                (0..60_000).map(|i| format!("n{i}: 1,")).collect::<String>()
            )),
            false,
        ),
        (
            "wrong triggers",
            text(format!(
                "triggers: [{}]",
                "{type: cron, timezone: Europe/Berln},".repeat(25_000)
            )),
            false,
        ),
        (
            "one long line",
            text(format!("name: {}", "x".repeat(MIB - 10))),
            false,
        ),
        (
            "one long key",
            text(format!("? {}\n: 1\n", "x".repeat(MIB - 10))),
            false,
        ),
        (
            "long subject",
            text(format!(
                "triggers: [{{type: queue, subject: {}}}]",
                "a.".repeat(500_000)
            )),
            false,
        ),
        (
            "long host",
            text(format!(
                "{HEAD}x: {{a: {{protocol: https, host: {}}}}}",
                "a.".repeat(500_000)
            )),
            false,
        ),
        (
            "long schedule",
            text(format!(
                "triggers: [{{type: cron, schedule: \"{} * * * *\"}}]",
                "1,".repeat(500_000)
            )),
            false,
        ),
        (
            "long version",
            text(format!("version: \"1.{}\"", "1".repeat(MIB - 100))),
            false,
        ),
        (
            "long number",
            text(format!("{GOOD}config: {{a: {}}}", "1".repeat(MIB - 200))),
            false,
        ),
        (
            "long hexadecimal number",
            text(format!("{GOOD}config: {{a: 0x{}}}", "f".repeat(MIB - 200))),
            false,
        ),
        (
            "escapes for a terminal",
            text(format!("{GOOD}\"\\e[2J\\u202e\": 1\nx: \u{202e}\n")),
            true,
        ),
        (
            "quotes without end",
            text(format!("{GOOD}config: \"{}", "x\n".repeat(500_000))),
            false,
        ),
        (
            "block scalar",
            text(format!("{GOOD}description: |\n{}", "  x\n".repeat(250_000))),
            true,
        ),
        (
            "comments",
            text(format!("{GOOD}{}", "# x\n".repeat(260_000))),
            true,
        ),
        ("documents", text("---\n".repeat(260_000)), false),
        ("directives", text(format!("%YAML 1.1\n---\n{GOOD}")), false),
        (
            "tags",
            text(format!("{GOOD}config: {{a: !!binary aGk=}}")),
            false,
        ),
        (
            "string tags",
            text(GOOD.replace("name: a", "name: !!str a")),
            true,
        ),
        (
            "keys that are lists",
            text(format!("{GOOD}config: {{{}}}", "[a]: 1,".repeat(100_000))),
            false,
        ),
        ("dependencies", text(dependencies(10_000)), true),
    ]
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
