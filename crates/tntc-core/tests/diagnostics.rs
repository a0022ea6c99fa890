//! What a faulty workflow file is told, as its author sees it.

use tntc_core::project::Project;
use tntc_core::workflow::parse;

fn told(yaml: &str) -> String {
    let files = [
        ("workflow.yaml", yaml),
        ("nodes/a.ts", ""),
        ("nodes/b.ts", ""),
    ];
    match parse(&Project::from_files(files)) {
        Ok(checked) => checked
            .warnings
            .render("workflow.yaml", yaml.as_bytes(), false),
        Err(report) => report.render("workflow.yaml", yaml.as_bytes(), false),
    }
}

#[test]
fn every_mistake_of_a_file_is_told_in_one_run_and_in_its_order() {
    let yaml = r#"
name: My Workflow
verison: 1.10
triggers:
  - type: corn
  - type: cron
    schedule: "0 9 * * 7"
    timezone: Europe/Berln
  - {type: queue, subject: "a..b"}
  - {type: webhook, path: /run}
nodes:
  a: {path: ./nodes/a.ts, timeout: 30}
  B: {path: nodes/bb.ts, retries: 11}
edges:
  - {from: a, to: bb}
  - {from: a, to: a}
  - {frm: a}
config: [1]
deployment: {namespace: A, replicas: -1}
contract:
  version: 1
  dependencies:
    x: {protocol: https, host: "https://api.github.com/x", auth: {type: t, secret: token}}
    y: {protocol: postgres, host: db}
    z: {type: dynamic-target, cidr: 10.0.0.1, dynPorts: [443]}
"#;
    insta::assert_snapshot!(told(yaml));
}

#[test]
fn files_that_are_no_workflow_at_all_are_told_what_they_are() {
    let told: Vec<String> = [
        "",
        "# nothing\n",
        "[]",
        "name: [a\n",
        "name: a\n\tversion: 1\n",
        "a: *b\nc: &c 1\nd: !x 1\n",
        "name: a\u{7}\n",
        "---\na: 1\n---\nb: 1\n",
        "%YAML 1.1\n---\na: 1\n",
    ]
    .map(told)
    .to_vec();
    insta::assert_snapshot!(told.join("──────\n"));
}

#[test]
fn a_file_that_is_not_utf8_is_told_where() {
    let bytes = b"name: a\ndescription: caf\xe9\n";
    let report = parse(&Project::from_files([("workflow.yaml", bytes)])).unwrap_err();
    insta::assert_snapshot!(report.render("workflow.yaml", bytes, false));
}
