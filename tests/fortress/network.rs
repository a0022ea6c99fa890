//! What the network lets through: into a workflow's pods, out of them, and out of the pods that trigger it. What the
//! policy alone stops is tried by `attacks/pod.ts`, in the engine's own container; here pods without Deno try the rest.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::attack::Layer::{Engine, Policy};
use super::attack::Outcome::{Blocked, Contained, Limit};
use super::attack::{Attack, answered, judge};
use crate::support::{NODE_ADDRESS, Namespace, Workflow, deploying, kubectl, wait_for};

const fn dropped(name: &'static str, what: &'static str) -> Attack {
    answered(
        name,
        what,
        Blocked(Policy),
        "TimedOut | Error: no answer | Error",
    )
}

/// Those of `attacks/pod.ts`, made from the engine's container with all of Deno's permissions.
pub const EGRESS: &[Attack] = &[
    answered(
        "policy-declared",
        "a declared host, to know that the others could be reached",
        Contained("this is what the contract is for"),
        "reached \"open\"",
    ),
    dropped("policy-port", "connects to another port of a declared host"),
    dropped("policy-api-server", "connects to the API server"),
    dropped(
        "policy-api-service",
        "connects to the API server by its Service",
    ),
    dropped("policy-kubelet", "connects to the node's kubelet"),
    dropped("policy-etcd", "connects to the cluster's etcd"),
    dropped(
        "policy-metadata",
        "connects to the cloud's metadata service",
    ),
    dropped("policy-neighbour", "connects to a pod of its own namespace"),
    dropped("policy-dns-health", "connects to another port of kube-dns"),
    dropped(
        "policy-dns-elsewhere",
        "asks another name server than kube-dns",
    ),
    answered(
        "policy-udp",
        "sends UDP to a host and port that are declared for TCP; nothing arrives",
        Blocked(Policy),
        "reached 6 | Error | PermissionDenied",
    ),
    answered(
        "policy-dns",
        "looks names up at kube-dns, which asks on, when Deno's permissions have failed",
        Limit("lookups are held by Deno's permissions alone"),
        "reached [",
    ),
    answered(
        "policy-own-engine",
        "connects to its own engine, when Deno's permissions have failed",
        Contained("it can start runs of its own workflow"),
        "reached \"open\"",
    ),
];

const NO_ANSWER: &str = "000";

const fn unanswered(name: &'static str, what: &'static str) -> Attack {
    answered(name, what, Blocked(Policy), NO_ANSWER)
}

/// Those of the pods of [`the_network_lets_through_what_the_contract_says`].
pub const PODS: &[Attack] = &[
    answered(
        "stranger-webhook",
        "a pod of another namespace sends a webhook",
        Contained("webhooks are for everybody; the senders sign them"),
        "202",
    ),
    answered(
        "stranger-run-on-webhooks",
        "it starts a run on the port of webhooks",
        Blocked(Engine),
        "404",
    ),
    unanswered("stranger-run", "it starts a run"),
    unanswered("stranger-health", "it asks for the engine's health"),
    answered(
        "stranger-metrics",
        "it reads metrics from the namespace that the environment names",
        Contained("`metrics_namespace` allows it"),
        "200",
    ),
    answered(
        "stranger-run-on-metrics",
        "it starts a run on the port of metrics",
        Blocked(Engine),
        "404",
    ),
    unanswered(
        "impostor-run",
        "a pod of another namespace with the labels of a trigger starts a run",
    ),
    unanswered(
        "double-run",
        "a pod of another namespace with the labels of the engine starts a run",
    ),
    unanswered("neighbour-run", "a pod of the same namespace starts a run"),
    unanswered("neighbour-metrics", "it reads metrics"),
    unanswered("neighbour-trigger", "it connects to a trigger pod"),
    answered(
        "trigger-run",
        "a pod of the same namespace gives itself the labels of a trigger and starts a run",
        Limit("whoever may create pods in the namespace may start its workflows"),
        "200",
    ),
    unanswered("trigger-webhook", "a trigger pod sends a webhook"),
    unanswered("trigger-metrics", "it reads metrics"),
    unanswered("trigger-elsewhere", "it connects to another namespace"),
    unanswered("trigger-api-server", "it connects to the API server"),
    unanswered("trigger-metadata", "it connects to the metadata service"),
    unanswered("trigger-node", "it connects to the node's kubelet"),
];

/// A pod with curl that waits to be used.
pub fn client(namespace: &Namespace, name: &str, labels: &Value) {
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
                "command": ["httpd", "-f", "-p", "8080", "-h", "/tmp"],
                "securityContext": {
                    "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
                },
            }],
        },
    }));
}

/// Its address, when it runs.
pub fn address(namespace: &Namespace, client: &str) -> String {
    let ready = format!("pod/{client}");
    namespace.kubectl(["wait", "--for=condition=Ready", &ready, "--timeout=60s"]);
    let pod = namespace.get("pod", client);
    pod["status"]["podIP"]
        .as_str()
        .expect("an address")
        .to_owned()
}

/// One request of a pod: which attack it is, and what is asked for.
type Request = (&'static str, &'static str, String);

/// The statuses of the answers by the names of the attacks, asked for at the same time; `000` when there is none.
fn statuses(namespace: &Namespace, client: &str, requests: &[Request]) -> Map<String, Value> {
    let mut script = String::new();
    for (name, method, url) in requests {
        let curl = format!(
            "curl -sk -o /dev/null -w '%{{http_code}}' --connect-timeout 2 --max-time 10 -X {method} -d '{{}}' {url}"
        );
        writeln!(script, "(status=$({curl}); echo {name} $status) &").expect("a string");
    }
    script.push_str("wait");
    let said = namespace.kubectl(["exec", client, "--", "sh", "-c", &script]);
    let lines = said.lines().filter_map(|line| line.split_once(' '));
    lines
        .map(|(name, status)| (name.to_owned(), json!(status)))
        .collect()
}

pub fn webhook_workflow() -> Workflow {
    let workflow = Workflow::of_one_node("hooked", "return input;");
    workflow.replace(
        "workflow.yaml",
        "triggers: [{type: manual}]",
        "triggers: [{type: manual}, {type: webhook, path: /in}]",
    );
    workflow
}

/// Deploys the workflow to both; the metrics of the first may be read from the second.
fn deploy(namespace: &Namespace, elsewhere: &Namespace) {
    let workflow = webhook_workflow();
    let settings = format!(
        "environments: {{e: {{metrics_namespace: {}}}}}\n",
        elsewhere.name
    );
    workflow.write(".tentacular/config.yaml", &settings);
    deploying(&workflow, namespace, &["--env", "e", "--wait"])
        .run()
        .exits(0);
    deploying(&webhook_workflow(), elsewhere, &["--wait"])
        .run()
        .exits(0);
}

/// Who asks, and for what.
fn requests<'a>(
    namespace: &'a Namespace,
    elsewhere: &'a Namespace,
    trigger: &str,
) -> [(&'a Namespace, &'static str, Vec<Request>); 5] {
    let of = |namespace: &Namespace, port: u16, path: &str| {
        format!("http://hooked.{}.svc:{port}{path}", namespace.name)
    };
    let own = |port: u16, path: &str| of(namespace, port, path);
    let post = |name, url| (name, "POST", url);
    let get = |name, url| (name, "GET", url);
    [
        (
            elsewhere,
            "stranger",
            vec![
                post("stranger-webhook", own(8081, "/in")),
                post("stranger-run-on-webhooks", own(8081, "/run")),
                post("stranger-run", own(8080, "/run")),
                get("stranger-health", own(8080, "/health")),
                get("stranger-metrics", own(8082, "/metrics")),
                post("stranger-run-on-metrics", own(8082, "/run")),
            ],
        ),
        (
            elsewhere,
            "impostor",
            vec![post("impostor-run", own(8080, "/run"))],
        ),
        (
            elsewhere,
            "double",
            vec![post("double-run", own(8080, "/run"))],
        ),
        (
            namespace,
            "neighbour",
            vec![
                post("neighbour-run", own(8080, "/run")),
                get("neighbour-metrics", own(8082, "/metrics")),
                get("neighbour-trigger", format!("http://{trigger}:8080/")),
            ],
        ),
        (
            namespace,
            "trigger",
            vec![
                post("trigger-run", own(8080, "/run")),
                post("trigger-webhook", own(8081, "/in")),
                get("trigger-metrics", own(8082, "/metrics")),
                post("trigger-elsewhere", of(elsewhere, 8081, "/in")),
                get(
                    "trigger-api-server",
                    format!("https://{NODE_ADDRESS}:6443/"),
                ),
                get("trigger-metadata", "http://169.254.169.254/".to_owned()),
                get("trigger-node", format!("https://{NODE_ADDRESS}:10250/")),
            ],
        ),
    ]
}

#[test]
fn the_network_lets_through_what_the_contract_says() {
    let (namespace, elsewhere) = (Namespace::new("hooked"), Namespace::new("elsewhere"));
    let trigger = json!({"tentacular.dev/workflow": "hooked", "tentacular.dev/role": "trigger"});
    client(&elsewhere, "stranger", &json!({}));
    client(&elsewhere, "impostor", &trigger);
    client(&namespace, "neighbour", &json!({}));
    client(&namespace, "trigger", &trigger);
    deploy(&namespace, &elsewhere);
    // With the engine's labels it is held by the policy of the engine beside it, which must be up first.
    client(
        &elsewhere,
        "double",
        &json!({"app.kubernetes.io/name": "hooked"}),
    );
    let trigger = address(&namespace, "trigger");
    let all = requests(&namespace, &elsewhere, &trigger);
    for (namespace, client, requests) in &all {
        address(namespace, client);
        // What may pass shows when the policies know the pod.
        let name = requests[0].0;
        let attack = PODS.iter().find(|it| it.name == name).expect("an attack");
        wait_for(name, || {
            let answers = Value::Object(statuses(namespace, client, &requests[..1]));
            std::panic::catch_unwind(|| judge([attack], &answers, client)).ok()
        });
    }
    let mut found = Map::new();
    for (namespace, client, requests) in &all {
        found.extend(statuses(namespace, client, requests));
    }
    judge(PODS, &Value::Object(found), "pods without Deno");
}

/// Addresses of kube-dns' pods, one of them.
pub fn kube_dns() -> String {
    let address = "jsonpath={.items[0].status.podIP}";
    let selector = "k8s-app=kube-dns";
    kubectl([
        "-n",
        "kube-system",
        "get",
        "pods",
        "-l",
        selector,
        "-o",
        address,
    ])
}
