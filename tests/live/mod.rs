//! `tntc test --live` on a real cluster.

mod failures;

use serde_json::{Value, json};

use crate::support::{
    Namespace, Terminal, Tntc, Workflow, engine_image, in_a_row, phases, runs, tntc, trigger_pods,
    wait_for,
};

/// A workflow with a `dev` environment in a namespace of its own.
fn prepared(body: &str) -> (Workflow, Namespace) {
    let namespace = Namespace::new("live");
    let workflow = Workflow::of_one_node("lively", body);
    let config = format!(
        "environments: {{dev: {{namespace: {}, image: {}}}}}\n",
        namespace.name,
        engine_image()
    );
    workflow.write(".tentacular/config.yaml", &config);
    // Before several of them read it at once.
    workflow.trusting_home();
    (workflow, namespace)
}

/// `tntc test --live` of somebody who trusts the workflow's directory, which chooses the image.
fn live(workflow: &Workflow, flags: &[&str]) -> Tntc {
    let arguments = ["test", "--live", workflow.path()];
    tntc(arguments.into_iter().chain(flags.iter().copied())).at_home(&workflow.trusting_home())
}

fn left(namespace: &Namespace) -> Vec<Value> {
    namespace.list("deployments,services,networkpolicies,cronjobs,secrets")
}

/// The pods of engines that nobody has told to end.
fn staying(namespace: &Namespace) -> Vec<Value> {
    let mut pods = namespace.list("pods");
    pods.retain(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    pods
}

#[test]
fn a_workflow_is_run_once_for_real_and_nothing_is_left() {
    let (workflow, namespace) = prepared("return 1;");
    workflow.replace(
        "workflow.yaml",
        "{type: manual}",
        "{type: cron, schedule: \"* * * * *\"}, {type: queue, subject: a.b}",
    );
    let answer = live(&workflow, &["-o", "json"]).run().exits(0).json();
    assert_eq!(answer["execution"]["outputs"]["only"], 1);
    assert_eq!(
        phases(&answer),
        [
            "prepare",
            "preflight",
            "apply",
            "rollout",
            "run",
            "clean up"
        ]
    );
    assert_eq!(left(&namespace), Vec::<Value>::new());
    wait_for("the end of the pods", || {
        staying(&namespace).is_empty().then_some(())
    });
}

#[test]
fn the_pods_are_waited_for_when_that_is_asked_for() {
    let (workflow, namespace) = prepared("return 1;");
    live(&workflow, &["--wait"]).run().exits(0);
    let everything = namespace.list("deployments,services,networkpolicies,pods");
    assert_eq!(everything, Vec::<Value>::new());
}

#[test]
fn on_a_terminal_each_phase_is_shown_while_it_goes_on() {
    let (workflow, _namespace) = prepared("return 1;");
    let (status, shown) = Terminal::start(live(&workflow, &[]).env("TERM", "xterm")).ends();
    assert_eq!(status, 0, "{shown}");
    for phase in ["preflight", "rollout", "run"] {
        assert!(shown.contains(&format!("{phase} (")), "{phase}: {shown:?}");
    }
}

/// An attach that comes too early, or is lost on the way, ends no live test.
#[test]
fn live_tests_in_a_row_two_at_a_time_all_pass_and_leave_nothing() {
    let (workflow, namespace) = prepared("return 1;");
    in_a_row(runs(4), 2, |_| {
        let answer = live(&workflow, &["-o", "json"]).run();
        assert_eq!(answer.exits(0).json()["execution"]["outputs"]["only"], 1);
    });
    assert_eq!(left(&namespace), Vec::<Value>::new());
    assert_eq!(trigger_pods(&namespace), Vec::<Value>::new());
}

#[test]
fn the_environments_secret_is_mounted_and_stays() {
    let (workflow, namespace) = prepared("return Object.keys(ctx.secrets);");
    namespace.kubectl([
        "create",
        "secret",
        "generic",
        "lively-secrets",
        "--from-literal=github={\"token\":\"t\"}",
    ]);
    let answer = live(&workflow, &["-o", "json"]).run().exits(0).json();
    assert_eq!(answer["execution"]["outputs"]["only"], json!(["github"]));
    assert_eq!(namespace.list("secrets").len(), 1);
}

#[test]
fn kept_objects_are_named() {
    let (workflow, namespace) = prepared("return 1;");
    let answer = live(&workflow, &["--keep"])
        .run()
        .exits(0)
        .says("tntc undeploy lively-live-")
        .says(&format!(" -n {} --yes --env dev\n", namespace.name));
    assert!(answer.stdout.contains("passed"), "{}", answer.stdout);
    assert_eq!(namespace.list("deployments").len(), 1);
}

#[test]
fn an_environment_that_is_not_defined_is_a_usage_error() {
    let workflow = Workflow::of_one_node("lively", "return 1;");
    let home = tempfile::tempdir().expect("a temporary directory");
    tntc(["test", "--live", workflow.path()])
        .env("HOME", home.path())
        .run()
        .exits(2)
        .says("unknown environment `dev`");
}
