//! What the network lets through to a workflow's pods and out of those that trigger it.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::support::{Namespace, Workflow, deploying, log, wait_for};

/// A pod with curl that waits to be used.
fn client(namespace: &Namespace, name: &str, labels: &Value) {
    namespace.create(&json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": true, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [{
                "name": "client", "image": "curlimages/curl:latest", "imagePullPolicy": "IfNotPresent",
                "command": ["sleep", "600"],
                "securityContext": {
                    "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
                },
            }],
        },
    }));
    let ready = format!("pod/{name}");
    namespace.kubectl(["wait", "--for=condition=Ready", &ready, "--timeout=60s"]);
}

/// The status of the answer; `000` when there is none.
fn status(namespace: &Namespace, client: &str, method: &str, url: &str) -> String {
    let script = format!(
        "curl -s -o /dev/null -w '%{{http_code}}' --connect-timeout 2 --max-time 10 -X {method} -d '{{}}' {url} || true"
    );
    namespace.kubectl(["exec", client, "--", "sh", "-c", &script])
}

#[track_caller]
fn becomes(expected: &str, look: impl Fn() -> String) {
    wait_for(expected, || (look() == expected).then_some(()));
}

fn webhook_workflow() -> Workflow {
    let workflow = Workflow::of_one_node("hooked", "return input;");
    workflow.replace(
        "workflow.yaml",
        "triggers: [{type: manual}]",
        "triggers: [{type: manual}, {type: webhook, path: /in}]",
    );
    workflow
}

#[test]
fn everybody_may_send_webhooks_and_only_the_metrics_namespace_reads_metrics() {
    let (namespace, elsewhere) = (Namespace::new("hooked"), Namespace::new("elsewhere"));
    let workflow = webhook_workflow();
    workflow.write(
        ".tentacular/config.yaml",
        &format!(
            "environments: {{e: {{metrics_namespace: {}}}}}\n",
            elsewhere.name
        ),
    );
    deploying(&workflow, &namespace, &["--env", "e", "--wait"])
        .run()
        .exits(0);
    client(&elsewhere, "stranger", &json!({}));
    client(&namespace, "neighbour", &json!({}));
    let url = |port: u16, path: &str| format!("http://hooked.{}.svc:{port}{path}", namespace.name);
    becomes("202", || {
        status(&elsewhere, "stranger", "POST", &url(8081, "/in"))
    });
    assert_eq!(
        status(&elsewhere, "stranger", "POST", &url(8081, "/run")),
        "404"
    );
    assert_eq!(
        status(&elsewhere, "stranger", "POST", &url(8080, "/run")),
        "000"
    );
    assert_eq!(
        status(&elsewhere, "stranger", "GET", &url(8082, "/metrics")),
        "200"
    );
    assert_eq!(
        status(&elsewhere, "stranger", "POST", &url(8082, "/run")),
        "404"
    );
    assert_eq!(
        status(&namespace, "neighbour", "GET", &url(8082, "/metrics")),
        "000"
    );
    assert_eq!(
        status(&namespace, "neighbour", "POST", &url(8080, "/run")),
        "000"
    );
}

#[test]
fn a_trigger_pod_reaches_its_engine_and_nothing_else() {
    let (namespace, elsewhere) = (Namespace::new("triggering"), Namespace::new("other"));
    deploying(&webhook_workflow(), &namespace, &["--wait"])
        .run()
        .exits(0);
    let other = webhook_workflow();
    deploying(&other, &elsewhere, &["--wait"]).run().exits(0);
    let labels = json!({"tentacular.dev/workflow": "hooked", "tentacular.dev/role": "trigger"});
    client(&namespace, "trigger", &labels);
    let url = |namespace: &Namespace, port: u16, path: &str| {
        format!("http://hooked.{}.svc:{port}{path}", namespace.name)
    };
    becomes("200", || {
        status(
            &namespace,
            "trigger",
            "POST",
            &url(&namespace, 8080, "/run"),
        )
    });
    assert_eq!(
        status(&namespace, "trigger", "POST", &url(&namespace, 8081, "/in")),
        "000"
    );
    assert_eq!(
        status(&namespace, "trigger", "POST", &url(&elsewhere, 8081, "/in")),
        "000"
    );
    assert_eq!(
        status(&namespace, "trigger", "GET", "http://198.18.128.1:6443/"),
        "000"
    );
}

#[test]
fn the_engine_and_its_trigger_pods_have_every_limit() {
    let namespace = Namespace::new("limits");
    deploying(&webhook_workflow(), &namespace, &["--wait"])
        .run()
        .exits(0);
    let pod = namespace.list("pods").into_iter().next().expect("a pod");
    let spec = &pod["spec"];
    assert_eq!(spec["securityContext"]["runAsGroup"], 65534);
    assert_eq!(spec["securityContext"]["fsGroup"], 65534);
    let container = &spec["containers"][0];
    for resource in ["memory", "cpu", "ephemeral-storage"] {
        assert!(
            container["resources"]["limits"][resource].is_string(),
            "{resource}"
        );
    }
    assert_eq!(
        container["livenessProbe"]["terminationGracePeriodSeconds"],
        5
    );
}

/// Sends the head of a request and the beginning of its body; the connection stays open.
fn half_sent(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("a connection");
    let head = "POST /in HTTP/1.1\r\nhost: x\r\ncontent-length: 8388608\r\n\r\n{";
    stream.write_all(head.as_bytes()).expect("the engine reads");
    stream
}

/// Posts a body; the status of the answer, or nothing when the connection was closed.
fn post(address: &str, body: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(address).ok()?;
    let head = format!(
        "POST /in HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    // A refused body is not read to its end.
    drop(stream.write_all(body));
    let mut answer = String::new();
    drop(stream.read_to_string(&mut answer));
    answer.get(9..12)?.parse().ok()
}

/// Restarts of the only engine pod's container.
fn restarts(namespace: &Namespace) -> u64 {
    let pod = namespace.list("pods").into_iter().next().expect("a pod");
    pod["status"]["containerStatuses"][0]["restartCount"]
        .as_u64()
        .expect("a count")
}

fn open_to_all(workflow: &Workflow, namespace: &Namespace) -> String {
    deploying(workflow, namespace, &["--wait"]).run().exits(0);
    let service = namespace.get("service", "hooked");
    format!(
        "{}:8081",
        service["spec"]["clusterIP"].as_str().expect("an address")
    )
}

#[test]
fn whatever_strangers_send_a_pod_of_256_mib_lives() {
    let namespace = Namespace::new("flooded");
    let address = open_to_all(&webhook_workflow(), &namespace);
    becomes("202", || {
        post(&address, b"{}").map_or_else(String::new, |status| status.to_string())
    });
    let held: Vec<_> = (0..1_000).map(|_| half_sent(&address)).collect();
    let row = b"{\"id\":1,\"name\":\"some name that is not short\"},";
    let mut rows = b"[".to_vec();
    while rows.len() < 8_000_000 {
        rows.extend_from_slice(row);
    }
    rows.extend_from_slice(b"0]");
    let bodies = [
        rows,
        [&b"["[..], &b"[],".repeat(2_600_000), &b"0]"[..]].concat(),
        b"[".repeat(8_000_000),
        [&b"\""[..], &b"x".repeat(8_000_000), &b"\""[..]].concat(),
    ];
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for body in bodies.iter().cycle().take(40) {
                    let status = post(&address, body);
                    assert!(
                        matches!(status, None | Some(202 | 400 | 413 | 503)),
                        "{status:?}"
                    );
                }
            });
        }
    });
    assert_eq!(restarts(&namespace), 0);
    drop(held);
    becomes("202", || {
        post(&address, b"{}").map_or_else(String::new, |status| status.to_string())
    });
}

/// The pod's own grace period is over an hour here; a liveness probe has its own.
#[test]
fn an_endless_loop_costs_a_restart_and_not_the_grace_period() {
    let namespace = Namespace::new("looping");
    let workflow = webhook_workflow();
    workflow.replace(
        "workflow.yaml",
        "version: \"1.0\"",
        "version: \"1.0\"\nconfig: {timeout: 1h}",
    );
    workflow.write(
        "nodes/only.ts",
        &crate::support::node("if (input.loop) while (true); return input;"),
    );
    let address = open_to_all(&workflow, &namespace);
    becomes("202", || {
        post(&address, b"{}").map_or_else(String::new, |status| status.to_string())
    });
    assert_eq!(
        post(&address, b"{\"loop\":true}"),
        Some(202),
        "answered before the root computes"
    );
    let mut looks = 0;
    while restarts(&namespace) == 0 {
        looks += 1;
        assert!(looks < 360, "the pod is still looping");
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
    becomes("202", || {
        post(&address, b"{}").map_or_else(String::new, |status| status.to_string())
    });
    let before = log(&namespace, "hooked", &["--previous"]);
    let culprit = "the event loop has been blocked for 5 s; last to start: node only runId=";
    assert!(before.contains(culprit), "{before}");
}
