//! Cron triggers on a real cluster, in a namespace that is held to `restricted`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Namespace, Workflow, engine_image, tntc};

fn deployed(name: &str, body: &str, trigger: &str) -> Namespace {
    let workflow = Workflow::of_one_node(name, body);
    workflow.replace("workflow.yaml", "{type: manual}", trigger);
    let namespace = Namespace::new(name);
    let deploy = [
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--image",
        engine_image(),
        "--wait",
    ];
    tntc(deploy).run().exits(0);
    namespace
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

/// Looks each 200 ms, for 90 s at most.
#[track_caller]
fn wait_for<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    for _ in 0..450 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    panic!("{what} never happened");
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

fn log(namespace: &Namespace, name: &str, more: &[&str]) -> String {
    let logs = ["logs", name, "-n", &namespace.name];
    tntc(logs.into_iter().chain(more.iter().copied()))
        .run()
        .stdout
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
    let detail = || {
        tntc([
            "status",
            "ticking",
            "-n",
            &namespace.name,
            "--detail",
            "-o",
            "json",
        ])
        .run()
        .exits(0)
        .json()
    };
    let last = wait_for("a last run", || {
        let last = detail()["workflow"]["cronJobs"][0].clone();
        (last["lastRun"] == "succeeded").then_some(last)
    });
    assert_eq!(last["schedule"], "* * * * *");
    assert_eq!(last["timezone"], "Europe/Berlin");
    assert!(last["lastScheduledAt"].is_string(), "{last}");
    tntc(["undeploy", "ticking", "-n", &namespace.name, "--yes"])
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
    start(&namespace, "failing");
    let end = wait_for("the Job's end", || ended(&namespace.get("job", "once")));
    assert_eq!(end, "Failed");
    let log = log(&namespace, "failing", &[]);
    assert_eq!(log.matches("INFO started").count(), 1, "{log}");
}

#[test]
fn an_engine_that_dies_in_the_middle_of_a_cron_run_is_not_asked_again() {
    let namespace = deployed("dying", "ctx.log.info(\"started\"); Deno.exit(1);", NEVER);
    start(&namespace, "dying");
    let end = wait_for("the Job's end", || ended(&namespace.get("job", "once")));
    assert_eq!(end, "Failed");
    let before = wait_for("a restart", || {
        Some(log(&namespace, "dying", &["--previous"])).filter(|log| log.contains("started"))
    });
    let all = format!("{before}{}", log(&namespace, "dying", &[]));
    assert_eq!(all.matches("INFO started").count(), 1, "{all}");
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
        let pods = namespace.list("pods").into_iter();
        let mut running = pods.filter(|pod| pod["status"]["phase"] == "Running");
        running.find(|pod| pod["metadata"]["labels"]["tentacular.dev/role"] == "trigger")
    });
    assert_eq!(
        pod["metadata"]["labels"]["app.kubernetes.io/name"],
        Value::Null
    );
    assert_eq!(
        pod["spec"]["containers"][0]["imagePullPolicy"],
        "IfNotPresent"
    );
    let endpoints: usize = namespace
        .list("endpointslices")
        .iter()
        .map(|slice| slice["endpoints"].as_array().map_or(0, Vec::len))
        .sum();
    assert_eq!(endpoints, 1, "the engine alone");
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
    let deploy = || {
        tntc([
            "deploy",
            workflow.path(),
            "-n",
            &namespace.name,
            "--image",
            engine_image(),
        ])
        .run()
        .exits(0)
    };
    deploy();
    assert_eq!(namespace.list("cronjobs").len(), 1);
    workflow.replace("workflow.yaml", NEVER, "{type: manual}");
    deploy();
    assert_eq!(namespace.list("cronjobs").len(), 0);
}
