//! Scanners of manifests find nothing in those of any template or example, but for what `exceptions.txt` gives a reason
//! for.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::network::webhook_workflow;
use crate::init::TEMPLATES;
use crate::support::{Workflow, example, tntc};

/// Scanner, check and kind of object.
type Place = (String, String, String);

/// The exceptions; each line has a reason.
fn exceptions() -> BTreeSet<Place> {
    let lines = include_str!("exceptions.txt").lines();
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let words: Vec<_> = line.splitn(4, ' ').collect();
            let [scanner, check, kind, reason] = words[..] else {
                panic!("not a scanner, a check, a kind and a reason: {line}");
            };
            assert!(reason.len() > 20, "no reason: {line}");
            (scanner.to_owned(), check.to_owned(), kind.to_owned())
        })
        .collect()
}

/// What would be applied. The image is one of a registry, as it is outside of kind.
fn manifests(workflow: &Workflow, more: &[&str]) -> String {
    let image = format!("registry.example.com/team/engine@sha256:{}", "0".repeat(64));
    let arguments = [
        "deploy",
        workflow.path(),
        "--dry-run",
        "--warn",
        "--image",
        &image,
    ];
    let answer = tntc(arguments.into_iter().chain(more.iter().copied()))
        .env("KUBECONFIG", "/dev/null")
        .run();
    answer.exits(0).stdout
}

/// The findings of both scanners.
fn findings(manifests: &str) -> Vec<Value> {
    let scan = std::env::var("TNTC_TEST_SCAN")
        .expect("TNTC_TEST_SCAN names the scanners; `tests/cluster/build --scanners` builds them");
    let mut scan = Command::new(&scan)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`tests/cluster/build --scanners` has built the scanners");
    let mut stdin = scan.stdin.take().expect("a pipe");
    stdin
        .write_all(manifests.as_bytes())
        .expect("the scanners read");
    drop(stdin);
    let output = scan.wait_with_output().expect("the scanners end");
    assert!(output.status.success());
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    let lines = lines.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn place(finding: &Value) -> Place {
    let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let kind = text("object")
        .split('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    (text("scanner"), text("check"), kind)
}

/// All templates and examples, and a workflow with every kind of trigger.
fn workflows() -> Vec<Workflow> {
    let mut all: Vec<_> = TEMPLATES
        .iter()
        .map(|it| Workflow::from_template(it))
        .collect();
    let examples = format!("{}/../../examples", env!("CARGO_MANIFEST_DIR"));
    for entry in std::fs::read_dir(examples).expect("examples") {
        let name = entry.expect("an example").file_name();
        all.push(example(name.to_str().expect("UTF-8")));
    }
    let triggered = webhook_workflow();
    triggered.replace(
        "workflow.yaml",
        "{type: manual}, ",
        "{type: manual}, {type: cron, schedule: \"0 9 * * *\"}, {type: queue, subject: in}, ",
    );
    triggered.write(
        ".tentacular/config.yaml",
        &format!(
            "trigger_image: curlimages/curl:8.0.0@sha256:{}\n",
            "0".repeat(64)
        ),
    );
    all.push(triggered);
    all
}

#[test]
fn scanners_find_nothing_but_what_there_is_a_reason_for() {
    let exceptions = exceptions();
    let (mut unknown, mut found) = (Vec::new(), BTreeSet::new());
    for workflow in workflows() {
        for more in [&[][..], &["--runtime-class", "gvisor"]] {
            for finding in findings(&manifests(&workflow, more)) {
                let place = place(&finding);
                if !exceptions.contains(&place) {
                    unknown.push(format!("{}: {finding}", workflow.path()));
                }
                found.insert(place);
            }
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
    let unneeded: Vec<_> = exceptions.difference(&found).collect();
    assert!(unneeded.is_empty(), "no longer found: {unneeded:?}");
}

/// The scanners do find something where something is wrong.
#[test]
fn a_pod_that_may_everything_is_found() {
    let manifest = serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "b"},
        "spec": {"hostNetwork": true, "containers": [
            {"name": "c", "image": "d", "securityContext": {"privileged": true}}]}});
    let places: BTreeSet<_> = findings(&manifest.to_string())
        .iter()
        .map(|it| place(it).0)
        .collect();
    let both = ["kube-score", "pod-security"].map(str::to_owned);
    assert_eq!(places, both.into());
}
