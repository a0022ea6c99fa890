//! Pictures and pages of a workflow, reviewed as snapshots.

use tntc_core::diagram::{Usage, contract_summary, diagram_page, plain, rich};
use tntc_core::project::Project;
use tntc_core::workflow::{Workflow, parse};

fn project(yaml: &str) -> Project {
    Project::from_files([
        ("workflow.yaml", yaml),
        (
            "fetch.ts",
            "import { store } from './lib.ts'; export default (ctx) => { ctx.dependency('api'); store(ctx); ctx.dependency('gone') }",
        ),
        (
            "lib.ts",
            "export const store = (ctx) => ctx.dependency('db');",
        ),
        ("idle.ts", "export default () => 1;"),
        ("broken.ts", "export default ("),
    ])
}

fn read(yaml: &str) -> (Workflow, Usage) {
    let project = project(yaml);
    let workflow = parse(&project)
        .unwrap_or_else(|report| panic!("{report}"))
        .workflow;
    let usage = Usage::of(&project, &workflow);
    (workflow, usage)
}

const FULL: &str = r#"
name: full
version: "1.10"
triggers:
  - {type: manual}
  - {type: cron, name: nightly, schedule: "0 9 * * *", timezone: Europe/Berlin}
  - {type: queue, subject: "events.*.>"}
  - {type: webhook, provider: github, event: push}
nodes:
  start: {path: fetch.ts}
  end: {path: idle.ts}
  graph: {path: idle.ts}
  a-b_c: {path: fetch.ts}
edges:
  - {from: start, to: end}
  - {from: start, to: graph}
  - {from: end, to: a-b_c}
  - {from: graph, to: a-b_c}
config: {nats_url: nats.example.com}
contract:
  version: "1"
  dependencies:
    api: {protocol: https, host: api.github.com, auth: {type: bearer-token, secret: github.token}}
    db: {protocol: postgresql, host: db.data.svc, database: app, user: app, auth: {type: password, secret: db.password}}
    copy: {protocol: https, host: api.github.com, auth: {type: bearer-token, secret: github.token}}
    odd: {protocol: "we\"ird`|<b>&#;\n]", host: "2001:db8::1", port: 1}
    meta: {type: dynamic-target, cidr: 169.254.169.254/32, dynPorts: ["80/TCP", "53/UDP"], reason: "a | `b` <c> _d_"}
  networkPolicy:
    additionalEgress: [{toCIDR: 10.0.0.0/8}]
"#;

#[test]
fn the_plain_diagram_shows_triggers_nodes_and_edges() {
    insta::assert_snapshot!(plain(&read(FULL).0));
}

#[test]
fn the_rich_diagram_adds_dependencies_their_users_and_their_secrets() {
    let (workflow, usage) = read(FULL);
    insta::assert_snapshot!(rich(&workflow, &usage));
}

#[test]
fn the_pages_are_complete_and_say_who_wrote_them() {
    let (workflow, usage) = read(FULL);
    insta::assert_snapshot!(diagram_page(&workflow, &usage) + &contract_summary(&workflow, &usage));
}

#[test]
fn what_nodes_say_in_uses_is_drawn_and_told_from_what_their_code_does() {
    let yaml = r#"
name: narrow
version: "1.0"
triggers: [{type: webhook, path: /in, verify: {type: stripe, secret: shop.signing}}, {type: webhook, path: /b, verify: {hmac: sha256, header: X-B, secret: shop.signing}}]
nodes: {a: {path: fetch.ts, uses: [api]}, b: {path: idle.ts, uses: [db]}, c: {path: fetch.ts}}
contract:
  version: "1"
  dependencies:
    api: {protocol: https, host: api.example.com}
    db: {protocol: postgresql, host: db.example.com, database: d, user: u}
"#;
    let (workflow, usage) = read(yaml);
    insta::assert_snapshot!(rich(&workflow, &usage) + &contract_summary(&workflow, &usage));
}

#[test]
fn a_workflow_without_contract_says_so() {
    let yaml =
        "name: open\nversion: \"1.0\"\ntriggers: [{type: manual}]\nnodes: {a: {path: idle.ts}}\n";
    let (workflow, usage) = read(yaml);
    insta::assert_snapshot!(contract_summary(&workflow, &usage));
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_beside_the_rest() {
    let yaml = "name: open\nversion: \"1.0\"\ntriggers: [{type: manual}]\nnodes: {a: {path: broken.ts}, b: {path: fetch.ts}}\n";
    let (workflow, usage) = read(yaml);
    assert_eq!(usage.errors.len(), 1);
    assert_eq!(usage.by_node.len(), 1);
    assert!(plain(&workflow).contains("n0"));
}
