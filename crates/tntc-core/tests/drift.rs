//! What the sources alone tell about drift.

#![allow(missing_docs)]

use tntc_core::drift::{self, Drift};
use tntc_core::project::Project;
use tntc_core::workflow;

const WORKFLOW: &str = "name: w\nversion: '1.0'\ntriggers: [{type: manual}]\n\
    nodes: {one: {path: one.ts}, two: {path: two.ts}}\n\
    contract:\n  version: '1'\n  dependencies:\n    \
    api: {protocol: https, host: api.example.com}\n    \
    block: {type: dynamic-target, cidr: 10.1.0.0/16, dynPorts: ['80/TCP'], reason: r}\n    \
    db: {protocol: postgresql, host: db.example.com, database: d, user: u}\n";

const USES_ALL: &str = "export default (ctx) => [ctx.dependency('api'), ctx.dependency('block'), ctx.dependency('db')];";

fn judged(files: &[(&str, &str)], node: Option<&str>) -> Drift {
    judged_of(WORKFLOW, files, node)
}

fn judged_of(workflow: &str, files: &[(&str, &str)], node: Option<&str>) -> Drift {
    let own = [
        ("workflow.yaml", workflow),
        ("one.ts", USES_ALL),
        ("two.ts", USES_ALL),
    ];
    let project = Project::from_files(own.iter().chain(files).copied());
    let workflow = workflow::parse(&project)
        .unwrap_or_else(|report| panic!("{report:?}"))
        .workflow;
    drift::judge(&workflow, drift::read(&workflow, &project, node))
}

fn told(files: &[(&str, &str)]) -> Vec<String> {
    judged(files, None)
        .violations
        .iter()
        .map(|it| {
            let place = it
                .place
                .as_ref()
                .map_or_else(String::new, ToString::to_string);
            format!("{} {place}", it.kind)
        })
        .collect()
}

#[test]
fn aliases_and_destructuring_hide_nothing() {
    let two = "import { help } from './help.ts';\n\
        export default async function run(ctx) {\n\
        const { fetch: get, secrets } = ctx;\n\
        await get('github', '/user');\n\
        const again = ctx;\n\
        const { dependency } = again;\n\
        dependency('cache');\n\
        help(ctx);\n}\n";
    let help = "import type { Context } from 'tentacular';\n\
        export function help(context: Context) {\n\
        return context[\"secrets\"];\n}\n";
    assert_eq!(
        told(&[("two.ts", two), ("help.ts", help)]),
        [
            "direct-secrets help.ts:3:8",
            "direct-secrets two.ts:3:21",
            "direct-fetch two.ts:4:7",
            "undeclared-dependency two.ts:7:1",
        ]
    );
}

#[test]
fn a_request_to_a_declared_host_is_no_violation() {
    let two = "export default async () => {\n\
        await fetch('https://api.example.com/x');\n\
        await fetch('http://10.1.2.3/x');\n\
        await fetch('http://10.2.2.3/x');\n\
        await fetch('http://api.example.com/x');\n\
        await globalThis.fetch('https://elsewhere.example.com');\n};\n";
    let one = "export default (ctx) => ctx.dependency('db');";
    let drift = judged(&[("one.ts", one), ("two.ts", two)], None);
    assert_eq!(drift.summary.dependencies_accessed, ["api", "block", "db"]);
    let lines: Vec<_> = drift
        .violations
        .iter()
        .map(|it| it.place.as_ref().expect("a place").line)
        .collect();
    assert_eq!(lines, [4, 5, 6]);
}

#[test]
fn what_only_a_run_knows_is_told_as_unknown_and_makes_nothing_dead() {
    let nothing = "export default () => 1;";
    let dead = |two: &str| {
        judged(&[("one.ts", nothing), ("two.ts", two)], None)
            .summary
            .dead_declarations
    };
    assert_eq!(dead(nothing), ["api", "block", "db"]);
    assert_eq!(dead("export default (ctx, url) => fetch(url);"), ["db"]);
    assert!(dead("export default (ctx, name) => ctx.dependency(name);").is_empty());
    assert!(dead("export default (ctx, name) => ctx[name];").is_empty());
    let drift = judged(
        &[("two.ts", "export default (ctx, name) => ctx[name];")],
        None,
    );
    assert!(!drift.summary.has_violations);
    assert!(
        drift
            .to_string()
            .contains("unknown  two.ts:1:31\n    uses a part of ctx that only a run knows")
    );
}

#[test]
fn a_file_that_cannot_be_read_makes_nothing_dead() {
    assert!(
        told(&[
            ("one.ts", "export default () => 1;"),
            ("two.ts", "export default (")
        ])
        .is_empty()
    );
}

#[test]
fn only_the_violations_of_the_node_in_question_are_told() {
    let files = [("one.ts", "export default (ctx) => ctx.secrets;")];
    assert_eq!(judged(&files, Some("two")).violations, []);
    assert_eq!(judged(&files, Some("one")).violations.len(), 1);
}

#[test]
fn the_report_says_what_to_do_instead() {
    let report = judged(
        &[("one.ts", "export default (ctx) => ctx.dependency('cache');")],
        None,
    )
    .to_string();
    assert_eq!(
        report,
        "contract drift\n  \
         undeclared-dependency  one.ts:1:25\n    \
         asks for the dependency `cache`, which the contract does not declare\n    \
         instead: add it under contract.dependencies, as in cache: {protocol: https, host: HOST}\n  \
         dependenciesAccessed: api, block, db\n  \
         directFetchCalls: 0\n  \
         directSecretsAccess: 0\n  \
         deadDeclarations: none\n  \
         undeclaredDependencies: cache\n  \
         undeclaredUses: none\n  \
         deadUses: none\n  \
         hasViolations: true"
    );
}

/// Where both nodes say what they use.
fn narrowed(one: &str, two: &str, files: &[(&str, &str)], node: Option<&str>) -> Drift {
    let nodes = format!("{{one: {{path: one.ts{one}}}, two: {{path: two.ts{two}}}}}");
    let workflow = WORKFLOW.replace("{one: {path: one.ts}, two: {path: two.ts}}", &nodes);
    judged_of(&workflow, files, node)
}

fn lines(drift: &Drift) -> Vec<String> {
    let line = |it: &drift::Violation| {
        let place = it
            .place
            .as_ref()
            .map_or_else(String::new, ToString::to_string);
        format!("{} {place} {}", it.kind, it.message)
    };
    drift.violations.iter().map(line).collect()
}

#[test]
fn a_node_that_goes_beyond_its_uses_or_stays_behind_them_is_told_by_name() {
    let files = [
        (
            "one.ts",
            "export default (ctx) => { ctx.dependency('api'); ctx.dependency('db'); };",
        ),
        (
            "two.ts",
            "export default async () => { await fetch('http://10.1.2.3/x'); };",
        ),
    ];
    let drift = narrowed(", uses: [api, block]", ", uses: [db]", &files, None);
    assert_eq!(
        lines(&drift),
        [
            "dead-use  node `one` names the dependency `block` in its uses and does not use it",
            "dead-use  node `two` names the dependency `db` in its uses and does not use it",
            "undeclared-use one.ts:1:50 node `one` asks for the dependency `db`, which its uses do not name",
            "undeclared-use two.ts:1:36 node `two` asks for the dependency `block`, which its uses do not name",
        ]
    );
    assert_eq!(drift.summary.undeclared_uses, ["one: db", "two: block"]);
    assert_eq!(drift.summary.dead_uses, ["one: block", "two: db"]);
    assert!(drift.summary.dead_declarations.is_empty());
    let right = narrowed(", uses: [api, db]", ", uses: [block]", &files, None);
    assert_eq!(lines(&right), Vec::<String>::new());
    let none = narrowed(", uses: []", "", &files, None);
    assert_eq!(none.summary.undeclared_uses, ["one: api", "one: db"]);
    let only_two = narrowed(", uses: [api, block]", ", uses: [db]", &files, Some("two"));
    assert_eq!(only_two.summary.undeclared_uses, ["two: block"]);
    assert_eq!(only_two.summary.dead_uses, ["two: db"]);
}

#[test]
fn a_shared_file_may_use_what_any_node_that_imports_it_is_given() {
    let lib = (
        "lib.ts",
        "export const store = (ctx) => ctx.dependency('db');\nexport const ask = (ctx) => ctx.dependency('api');",
    );
    let files = [
        lib,
        (
            "one.ts",
            "import { store } from './lib.ts'; export default (ctx) => store(ctx);",
        ),
        (
            "two.ts",
            "import { ask } from './lib.ts'; export default (ctx) => { ask(ctx); ctx.dependency('block'); };",
        ),
    ];
    let drift = narrowed(", uses: [db]", ", uses: [api, block]", &files, None);
    assert_eq!(lines(&drift), Vec::<String>::new());
    let nobody = narrowed(", uses: []", ", uses: [api, block]", &files, None);
    assert_eq!(nobody.summary.undeclared_uses, ["one: db"]);
}

#[test]
fn what_only_a_run_knows_makes_no_use_dead() {
    let one = ("one.ts", USES_ALL);
    for two in [
        "export default (ctx, name) => ctx.dependency(name);",
        "export default (ctx, name) => ctx[name];",
        "export default (ctx, url) => fetch(url);",
    ] {
        let drift = narrowed("", ", uses: [db]", &[one, ("two.ts", two)], None);
        assert_eq!(lines(&drift), Vec::<String>::new(), "{two}");
    }
}

#[test]
fn a_secret_in_a_url_is_a_warning_and_no_violation() {
    let two = "export default async (ctx) => {\n  const api = ctx.dependency('api');\n  await api.fetch(`/x?key=${api.secret}`);\n};";
    let drift = judged(&[("two.ts", two)], None);
    assert!(!drift.summary.has_violations);
    let places: Vec<_> = drift.warnings.iter().map(|it| it.place.clone()).collect();
    assert_eq!(places.len(), 1);
    let report = drift.to_string();
    assert!(report.contains("  warning: secret-in-url  two.ts:3:9\n    puts a secret into the URL of a request\n    better: send it in a header"), "{report}");
}
