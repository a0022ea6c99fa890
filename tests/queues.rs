//! Queue triggers in pods and on a laptop, with a real nats-server.

use serde_json::{Value, json};

use crate::dev::Running;
use crate::support::{Namespace, Nats, TAKE_ALL_MEMORY, Workflow, deploying, log, tntc, wait_for};

const SECRETS: &str = "nats: {token: sesame}\n";

/// A workflow of one node with a durable trigger on `jobs`.
fn queued(nats: &Nats, trigger: &str, body: &str) -> Workflow {
    let workflow = Workflow::of_one_node("queued", body);
    workflow.replace(
        "workflow.yaml",
        "triggers: [{type: manual}]",
        &format!(
            "triggers: [{{type: queue, subject: jobs, name: hook, durable: true{trigger}}}]\nconfig: {{nats_url: \"{}\"}}",
            nats.address
        ),
    );
    workflow.write(".secrets.yaml", SECRETS);
    workflow
}

fn deployed(workflow: &Workflow, stem: &str) -> Namespace {
    let namespace = Namespace::new(stem);
    deploying(workflow, &namespace, &["--wait"]).run().exits(0);
    namespace
}

fn restarts(namespace: &Namespace) -> u64 {
    let pods = namespace.list("pods");
    let count = &pods[0]["status"]["containerStatuses"][0]["restartCount"];
    count.as_u64().expect("a count")
}

/// The server delivers a silent engine's messages again after 30 s.
#[test]
fn a_message_that_kills_engines_runs_alone_and_is_given_up_and_harms_no_other() {
    let nats = Nats::start();
    nats.make_stream("mine", "jobs");
    nats.make_stream("effects", "effects");
    let body = format!(
        "if (input.kill) {{ {TAKE_ALL_MEMORY} }} ctx.log.info(\"done\", input.i); return input.i;"
    );
    let namespace = deployed(&queued(&nats, ", max_deliver: 1", &body), "killers");
    wait_for("the consumer", || {
        (nats.consumers("mine") == [format!("{}_queued_hook", namespace.name)]).then_some(())
    });
    for i in 0..5 {
        nats.request("jobs", &json!({"i": i, "kill": i == 2}).to_string());
    }
    let consumer = format!("CONSUMER.INFO.mine.{}_queued_hook", namespace.name);
    wait_for("every message to be dealt with", || {
        let info = nats.api(&consumer, &json!({}));
        let left = [&info["num_pending"], &info["num_ack_pending"]];
        (left == [&json!(0), &json!(0)]).then_some(())
    });
    let letters = nats.api("STREAM.INFO.dead-letters_dlq", &json!({}));
    assert_eq!(letters["state"]["messages"], 1, "{letters}");
    assert!(restarts(&namespace) <= 2, "given up after 2 × max_deliver");
    let last = log(&namespace, "queued", &[]);
    assert!(last.contains("gave up, dead letter on dlq.jobs"), "{last}");
    let before = log(&namespace, "queued", &["--previous"]);
    assert!(
        before.contains("the engine before this one ended while it had these messages"),
        "{before}"
    );
    assert!(
        before.contains(
            "an engine died while it had the message 3 of mine, which runs alone now (delivery 2)"
        ),
        "{before}"
    );
}

#[test]
fn status_tells_of_a_consumer_that_cannot_be_used() {
    let nats = Nats::start();
    nats.make_stream("mine", "jobs");
    let workflow = queued(&nats, "", "return input;");
    let namespace = Namespace::new("drifted");
    let name = format!("{}_queued_hook", namespace.name);
    let config = json!({"durable_name": name, "ack_policy": "none", "deliver_policy": "all"});
    let request = json!({"stream_name": "mine", "config": config});
    let made = nats.api(&format!("CONSUMER.DURABLE.CREATE.mine.{name}"), &request);
    assert!(made["error"].is_null(), "{made}");
    deploying(&workflow, &namespace, &["--wait"]).run().exits(0);
    let status = || {
        tntc(["status", "queued", "-n", &namespace.name, "-o", "json"])
            .run()
            .exits(0)
            .json()
    };
    let problem = wait_for("the problem", || {
        status()["workflow"]["problem"].as_str().map(str::to_owned)
    });
    assert!(
        problem.contains("QueueDown") && problem.contains("has ack_policy none"),
        "{problem}"
    );
    nats.api(&format!("CONSUMER.DELETE.mine.{name}"), &json!({}));
    wait_for("the end of the problem", || {
        (status()["workflow"]["problem"] == Value::Null).then_some(())
    });
    tntc(["undeploy", "queued", "-n", &namespace.name, "--yes"])
        .run()
        .exits(0)
        .says(&format!(
            "consumers whose names begin with {}_queued_",
            namespace.name
        ));
}

#[test]
fn dev_receives_messages_only_when_asked_and_leaves_nothing_on_the_server() {
    let nats = Nats::start();
    nats.make_stream("mine", "jobs");
    nats.request("jobs", &json!({"i": "old"}).to_string());
    let workflow = queued(&nats, "", "ctx.log.info(\"got\", input.i); return input;");
    let mut without = Running::with(&workflow, |command| command);
    assert_eq!(without.run()["success"], true);
    assert!(nats.consumers("mine").is_empty());
    assert_eq!(without.end(), Some(130));
    let mut with = Running::with(&workflow, |command| command.arg("--queues"));
    with.until("queue trigger jobs is up");
    assert_eq!(nats.consumers("mine"), ["local_queued_hook"]);
    nats.request("jobs", &json!({"i": "new"}).to_string());
    assert!(with.until("got").contains("got new"));
    assert_eq!(with.end(), Some(130));
    assert!(nats.consumers("mine").is_empty());
    let streams = nats.api("STREAM.NAMES", &json!({}));
    assert_eq!(streams["streams"], json!(["mine"]));
}
