//! What the network lets through to a workflow's pods and out of those that trigger it.

use serde_json::{Value, json};

use crate::support::{Namespace, Workflow, deploying, wait_for};

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
