//! Cron triggers on a real cluster, in a namespace that is held to `restricted`.

use serde_json::{Value, json};

use crate::support::{
    Namespace, TAKE_ALL_MEMORY, Workflow, deploying, endpoints, log, running_again, tntc,
    trigger_pods, wait_for,
};

fn deployed(name: &str, body: &str, trigger: &str) -> Namespace {
    let workflow = Workflow::of_one_node(name, body);
    workflow.replace("workflow.yaml", "{type: manual}", trigger);
    crate::support::deployed(&workflow, name)
}

/// Starts what the CronJob would start, now.
fn start(namespace: &Namespace, name: &str) {
    namespace.kubectl([
        "create",
        "job",
        "once",
        &format!("--from=cronjob/{name}-cron"),
    ]);
}

/// What `tntc status --detail` says of the workflow's only CronJob.
fn cron_job_of(namespace: &Namespace, name: &str) -> Value {
    let status = ["status", name, "-n", &namespace.name, "--detail"];
    let answer = tntc(status.into_iter().chain(["-o", "json"]))
        .run()
        .exits(0);
    answer.json()["workflow"]["cronJobs"][0].clone()
}

/// The condition that ended a Job.
fn ended(job: &Value) -> Option<String> {
    let conditions = job["status"]["conditions"].as_array()?;
    let mut last = conditions
        .iter()
        .filter(|condition| matches!(condition["type"].as_str(), Some("Complete" | "Failed")));
    last.next()
        .and_then(|condition| condition["type"].as_str())
        .map(str::to_owned)
}

const EVERY_MINUTE: &str =
    "{type: cron, name: each-minute, schedule: \"* * * * *\", timezone: Europe/Berlin}";
const NEVER: &str = "{type: cron, name: yearly, schedule: \"0 0 1 1 *\"}";

#[test]
fn a_real_cron_job_fires_and_its_post_arrives_with_the_triggers_name() {
    let namespace = deployed(
        "ticking",
        "ctx.log.info(\"got\", JSON.stringify(input)); return null;",
        EVERY_MINUTE,
    );
    let cron_job = namespace.get("cronjob", "ticking-cron");
    assert_eq!(cron_job["spec"]["timeZone"], "Europe/Berlin");
    wait_for("a run", || {
        log(&namespace, "ticking", &[])
            .contains("got {\"trigger\":\"each-minute\"}")
            .then_some(())
    });
    let last = wait_for("a last run", || {
        let last = cron_job_of(&namespace, "ticking");
        (last["lastRun"] == "succeeded").then_some(last)
    });
    assert_eq!(last["schedule"], "* * * * *");
    assert_eq!(last["timezone"], "Europe/Berlin");
    assert!(last["lastScheduledAt"].is_string(), "{last}");
    tntc([
        "undeploy",
        "ticking",
        "-n",
        &namespace.name,
        "--yes",
        "--wait",
    ])
    .run()
    .exits(0);
    let left = namespace.kubectl(["get", "pods,jobs,cronjobs", "-o", "name"]);
    assert_eq!(left, "");
}

#[test]
fn a_failing_workflow_is_started_once_by_its_cron_job() {
    let namespace = deployed(
        "failing",
        "ctx.log.info(\"started\"); throw new Error(\"made to fail\");",
        NEVER,
    );
    assert_eq!(cron_job_of(&namespace, "failing")["lastRun"], Value::Null);
    start(&namespace, "failing");
    let end = wait_for("the Job's end", || ended(&namespace.get("job", "once")));
    assert_eq!(end, "Failed");
    let last = cron_job_of(&namespace, "failing")["lastRun"].clone();
    assert_eq!(last, "workflow failed (HTTP 422)");
    let log = log(&namespace, "failing", &[]);
    assert_eq!(log.matches("INFO started").count(), 1, "{log}");
}

#[test]
fn an_engine_that_dies_in_the_middle_of_a_cron_run_is_not_asked_again() {
    let body = format!("ctx.log.info(\"started\"); {TAKE_ALL_MEMORY}");
    let namespace = deployed("dying", &body, NEVER);
    start(&namespace, "dying");
    let end = wait_for("the Job's end", || ended(&namespace.get("job", "once")));
    assert_eq!(end, "Failed");
    wait_for("a restart", || running_again(&namespace, "dying"));
    let all = ["--previous", "--tail=100"].map(|which| {
        let logs = ["logs", "dying", "-n", &namespace.name, which];
        tntc(logs).run().exits(0).stdout
    });
    let all = all.concat();
    let pods = namespace.list("pods");
    assert_eq!(
        all.matches("INFO started").count(),
        1,
        "{all}, of {pods:#?}"
    );
}

#[test]
fn a_cron_pod_is_no_endpoint_of_the_service_and_passes_restricted() {
    let namespace = deployed(
        "slow",
        "await new Promise((done) => setTimeout(done, 3_000)); return null;",
        NEVER,
    );
    start(&namespace, "slow");
    let pod = wait_for("a running cron pod", || {
        let mut pods = trigger_pods(&namespace).into_iter();
        pods.find(|pod| pod["status"]["phase"] == "Running")
    });
    assert_eq!(
        pod["metadata"]["labels"]["app.kubernetes.io/name"],
        Value::Null
    );
    assert_eq!(
        pod["spec"]["containers"][0]["imagePullPolicy"],
        "IfNotPresent"
    );
    assert_eq!(endpoints(&namespace), 1, "the engine alone");
    assert_eq!(
        namespace.own()["metadata"]["labels"]["pod-security.kubernetes.io/enforce"],
        json!("restricted")
    );
    assert_eq!(
        wait_for("the Job's end", || ended(&namespace.get("job", "once"))),
        "Complete"
    );
}

#[test]
fn a_removed_trigger_takes_its_cron_job() {
    let workflow = Workflow::of_one_node("shrinking", "return null;");
    workflow.replace("workflow.yaml", "{type: manual}", NEVER);
    let namespace = Namespace::new("shrinking");
    let deploy = || deploying(&workflow, &namespace, &[]).run().exits(0);
    deploy();
    assert_eq!(namespace.list("cronjobs").len(), 1);
    workflow.replace("workflow.yaml", NEVER, "{type: manual}");
    deploy();
    assert_eq!(namespace.list("cronjobs").len(), 0);
}
