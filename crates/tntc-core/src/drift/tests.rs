use super::*;
use crate::project::Project;
use crate::workflow;

const WORKFLOW: &str = "name: w\nversion: '1.0'\ntriggers: [{type: queue, subject: s}]\n\
    nodes: {n: {path: n.ts}}\nconfig: {nats_url: 'nats.example.com'}\ncontract:\n  version: '1'\n  dependencies:\n    \
    api: {protocol: https, host: api.example.com}\n    \
    bus: {protocol: nats, host: nats.example.com, subject: s}\n    \
    db: {protocol: postgresql, host: db.example.com, database: d, user: u}\n";

fn judged(evidence: Evidence) -> Drift {
    let project = Project::from_files([("workflow.yaml", WORKFLOW), ("n.ts", "")]);
    let checked = workflow::parse(&project).expect("a workflow");
    judge(&checked.workflow, evidence)
}

fn deviation(kind: Kind, line: usize, column: usize) -> Deviation {
    Deviation {
        kind,
        subject: format!("{kind}"),
        node: None,
        place: Some(place(line, column)),
    }
}

fn place(line: usize, column: usize) -> Place {
    Place {
        file: "n.ts".to_owned(),
        line,
        column,
    }
}

#[test]
fn a_declaration_is_dead_when_nothing_uses_it_and_enough_was_seen() {
    let accesses = BTreeSet::from(["api".to_owned()]);
    let mut evidence = Evidence {
        accesses,
        ..Evidence::default()
    };
    assert!(!judged(evidence.clone()).summary.has_violations);
    evidence.complete = true;
    let summary = judged(evidence.clone()).summary;
    assert_eq!(summary.dead_declarations, ["db"]);
    assert_eq!(summary.dependencies_accessed, ["api"]);
    evidence.unknown.push(Unknown {
        kind: UnknownKind::Dependency,
        place: place(1, 1),
    });
    assert!(!judged(evidence).summary.has_violations);
}

#[test]
fn what_a_run_and_the_sources_both_show_is_told_once() {
    let drift = judged(Evidence {
        read: vec![deviation(Kind::DirectFetch, 3, 7)],
        seen: vec![
            deviation(Kind::DirectFetch, 3, 20),
            deviation(Kind::DirectFetch, 4, 1),
            deviation(Kind::DirectFetch, 4, 1),
            deviation(Kind::DirectSecrets, 3, 1),
        ],
        ..Evidence::default()
    });
    let places: Vec<_> = drift
        .violations
        .iter()
        .map(|it| (it.kind, it.place.clone().expect("a place").to_string()))
        .collect();
    assert_eq!(
        places,
        [
            (Kind::DirectSecrets, "n.ts:3:1".to_owned()),
            (Kind::DirectFetch, "n.ts:3:7".to_owned()),
            (Kind::DirectFetch, "n.ts:4:1".to_owned()),
        ]
    );
}
