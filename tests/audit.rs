//! `tntc audit` on a real cluster, against tampers made by hand.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{
    Answer, Namespace, Workflow, deploying, engine_image, kubectl, tntc, wait_for,
};

fn audited() -> (Workflow, Namespace) {
    let body = "ctx.dependency(\"github\"); return input;";
    let workflow = Workflow::of_one_node("audited", body);
    workflow.replace(
        "workflow.yaml",
        "{type: manual}",
        "{type: cron, name: daily, schedule: \"0 9 * * *\"}",
    );
    workflow.replace(
        "workflow.yaml",
        "dependencies: {}",
        "dependencies: {github: {protocol: https, host: api.github.com, auth: {type: bearer-token, secret: github.token}}}",
    );
    let namespace = Namespace::new("audit");
    let secret = [
        "create",
        "secret",
        "generic",
        "audited-secrets",
        "--from-literal=github={\"token\": \"x\"}",
    ];
    namespace.kubectl(secret);
    deploy(&workflow, &namespace);
    (workflow, namespace)
}

fn deploy(workflow: &Workflow, namespace: &Namespace) {
    deploying(workflow, namespace, &["--force-conflicts", "--wait"])
        .run()
        .exits(0);
}

fn audit(workflow: &Workflow, namespace: &Namespace, more: &[&str]) -> Answer {
    let audit = [
        "audit",
        workflow.path(),
        "-n",
        &namespace.name,
        "--image",
        engine_image(),
    ];
    tntc(audit.into_iter().chain(more.iter().copied())).run()
}

/// Every difference as `Object kind path`.
fn differences(envelope: &Value) -> Vec<String> {
    let objects = envelope["audit"].as_array().expect("objects");
    let of = |object: &Value| {
        let findings = object["findings"].as_array().expect("findings").clone();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let name = text(&object["object"]);
        findings.into_iter().map(move |finding| {
            format!(
                "{name} {} {}",
                text(&finding["kind"]),
                text(&finding["path"])
            )
        })
    };
    objects.iter().flat_map(of).collect()
}

/// A tamper: what is patched, with which JSON patch, and what it must be found as.
type Tamper = (&'static str, &'static str, &'static str);

const OF_THE_POD: [Tamper; 14] = [
    (
        "deployment/audited",
        r#"[{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "evil"}]"#,
        "Deployment/audited changed spec.template.spec.containers[engine].image",
    ),
    (
        "deployment/audited",
        r#"[{"op": "remove", "path": "/spec/template/spec/securityContext/runAsNonRoot"}]"#,
        "Deployment/audited missing spec.template.spec.securityContext.runAsNonRoot",
    ),
    (
        "deployment/audited",
        r#"[{"op": "add", "path": "/spec/template/spec/containers/0/securityContext/runAsUser", "value": 0}]"#,
        "Deployment/audited extra spec.template.spec.containers[engine].securityContext.runAsUser",
    ),
    (
        "deployment/audited",
        r#"[{"op": "add", "path": "/spec/template/spec/containers/0/args/1", "value": "--allow-run"}]"#,
        "Deployment/audited extra spec.template.spec.containers[engine].args",
    ),
    (
        "deployment/audited",
        r#"[{"op": "replace", "path": "/spec/template/metadata/annotations/tentacular.dev~1code-hash", "value": "0"}]"#,
        "Deployment/audited changed spec.template.metadata.annotations.tentacular.dev/code-hash",
    ),
    (
        "deployment/audited",
        r#"[{"op": "replace", "path": "/spec/template/spec/automountServiceAccountToken", "value": true}]"#,
        "Deployment/audited changed spec.template.spec.automountServiceAccountToken",
    ),
    (
        "deployment/audited",
        r#"[{"op": "add", "path": "/spec/template/spec/hostNetwork", "value": true}]"#,
        "Deployment/audited extra spec.template.spec.hostNetwork",
    ),
    (
        "deployment/audited",
        r#"[{"op": "add", "path": "/spec/template/spec/containers/-", "value": {"name": "sidecar", "image": "i"}}]"#,
        "Deployment/audited extra spec.template.spec.containers[sidecar]",
    ),
    (
        "deployment/audited",
        r#"[{"op": "replace", "path": "/spec/template/spec/containers/0/resources/limits/memory", "value": "8Gi"}]"#,
        "Deployment/audited changed spec.template.spec.containers[engine].resources.limits.memory",
    ),
    (
        "deployment/audited",
        r#"[{"op": "add", "path": "/spec/template/metadata/labels/tentacular.dev~1role", "value": "trigger"}]"#,
        "Deployment/audited extra spec.template.metadata.labels.tentacular.dev/role",
    ),
    (
        "deployment/audited",
        r#"[{"op": "add", "path": "/spec/template/spec/containers/0/env/-", "value": {"name": "DENO_CERT", "value": "/tmp/evil.pem"}}]"#,
        "Deployment/audited extra spec.template.spec.containers[engine].env[DENO_CERT]",
    ),
    (
        "deployment/audited",
        r#"[{"op": "add", "path": "/spec/template/spec/serviceAccountName", "value": "admin"}]"#,
        "Deployment/audited extra spec.template.spec.serviceAccountName",
    ),
    (
        "deployment/audited",
        r#"[{"op": "add", "path": "/spec/template/spec/volumes/-", "value": {"name": "host", "hostPath": {"path": "/"}}}]"#,
        "Deployment/audited extra spec.template.spec.volumes[host]",
    ),
    (
        "deployment/audited",
        r#"[{"op": "replace", "path": "/spec/template/spec/containers/0/securityContext/readOnlyRootFilesystem", "value": false}]"#,
        "Deployment/audited changed spec.template.spec.containers[engine].securityContext.readOnlyRootFilesystem",
    ),
];

const OF_EVERYTHING_ELSE: [Tamper; 14] = [
    (
        "networkpolicy/audited-trigger-netpol",
        r#"[{"op": "add", "path": "/spec/egress/-", "value": {}}]"#,
        "NetworkPolicy/audited-trigger-netpol extra spec.egress",
    ),
    (
        "networkpolicy/audited-netpol",
        r#"[{"op": "add", "path": "/spec/egress/-", "value": {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}}]"#,
        "NetworkPolicy/audited-netpol extra spec.egress",
    ),
    (
        "networkpolicy/audited-netpol",
        r#"[{"op": "remove", "path": "/spec/egress/0"}]"#,
        "NetworkPolicy/audited-netpol missing spec.egress",
    ),
    (
        "networkpolicy/audited-netpol",
        r#"[{"op": "remove", "path": "/spec/ingress/0/from"}]"#,
        "NetworkPolicy/audited-netpol extra spec.ingress",
    ),
    (
        "service/audited",
        r#"[{"op": "replace", "path": "/spec/type", "value": "NodePort"}]"#,
        "Service/audited changed spec.type",
    ),
    (
        "configmap/audited-code",
        r#"[{"op": "replace", "path": "/data/nodes__only.ts", "value": "evil"}]"#,
        "ConfigMap/audited-code changed data.nodes__only.ts",
    ),
    (
        "cronjob/audited-cron",
        r#"[{"op": "replace", "path": "/spec/schedule", "value": "0 * * * *"}]"#,
        "CronJob/audited-cron changed spec.schedule",
    ),
    (
        "cronjob/audited-cron",
        r#"[{"op": "replace", "path": "/spec/suspend", "value": true}]"#,
        "CronJob/audited-cron extra spec.suspend",
    ),
    (
        "service/audited",
        r#"[{"op": "replace", "path": "/metadata/labels/app.kubernetes.io~1version", "value": "0.1"}]"#,
        "Service/audited changed metadata.labels.app.kubernetes.io/version",
    ),
    (
        "service/audited",
        r#"[{"op": "replace", "path": "/spec/selector", "value": {"app": "evil"}}]"#,
        "Service/audited extra spec.selector.app",
    ),
    (
        "configmap/audited-code",
        r#"[{"op": "remove", "path": "/data/nodes__only.ts"}]"#,
        "ConfigMap/audited-code missing data.nodes__only.ts",
    ),
    (
        "cronjob/audited-cron",
        r#"[{"op": "replace", "path": "/spec/jobTemplate/spec/backoffLimit", "value": 9}]"#,
        "CronJob/audited-cron changed spec.jobTemplate.spec.backoffLimit",
    ),
    (
        "secret/audited-secrets",
        r#"[{"op": "add", "path": "/data/slack", "value": "aHVzaA=="}]"#,
        "Secret/audited-secrets extra data.slack",
    ),
    (
        "secret/audited-secrets",
        r#"[{"op": "replace", "path": "/data/github", "value": "e30="}]"#,
        "Secret/audited-secrets missing data.github",
    ),
];

/// Every object of the workflow as it was deployed.
struct Deployed<'n> {
    namespace: &'n Namespace,
    objects: BTreeMap<String, Value>,
}

impl<'n> Deployed<'n> {
    fn save(namespace: &'n Namespace) -> Self {
        let of_kind = |kind: &str| {
            let objects = namespace.list(kind).into_iter();
            objects.map(|mut object| {
                let metadata = object["metadata"].as_object_mut().expect("metadata");
                // With these, an object could not be brought back.
                for own in [
                    "resourceVersion",
                    "uid",
                    "creationTimestamp",
                    "managedFields",
                ] {
                    metadata.remove(own);
                }
                let kind = object["kind"].as_str().expect("a kind").to_lowercase();
                let name = object["metadata"]["name"].as_str().expect("a name");
                (format!("{kind}/{name}"), object)
            })
        };
        let kinds = "deployments,networkpolicies,services,configmaps,cronjobs,secrets";
        let objects = of_kind(kinds).collect();
        Self { namespace, objects }
    }

    /// Brings one object back.
    fn restore(&self, object: &str) {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), self.objects[object].to_string()).expect("an object");
        let path = file.path().display().to_string();
        if self
            .namespace
            .kubectl(["get", object, "--ignore-not-found", "-o", "name"])
            .is_empty()
        {
            self.namespace.kubectl(["create", "-f", &path]);
        } else {
            // A controller may write the object's status between kubectl's look at it and its replacing.
            wait_for("the object is brought back", || {
                self.namespace.tries(["replace", "-f", &path]).then_some(())
            });
        }
    }
}

/// Requires that an audit finds this, and nothing about any other object.
#[track_caller]
fn is_found(workflow: &Workflow, namespace: &Namespace, expected: &str) {
    let json = audit(workflow, namespace, &["-o", "json"]).exits(1).json();
    let found = differences(&json);
    let object = expected.split(' ').next().expect("an object");
    assert!(
        found.iter().any(|found| found == expected),
        "{expected} is not in {found:?}"
    );
    assert!(
        found.iter().all(|found| found.starts_with(object)),
        "more than {expected}: {found:?}"
    );
}

fn each_is_found(tampers: &[Tamper]) {
    let (workflow, namespace) = audited();
    let deployed = Deployed::save(&namespace);
    for (object, patch, expected) in tampers {
        namespace.kubectl(["patch", object, "--type=json", "-p", patch]);
        is_found(&workflow, &namespace, expected);
        deployed.restore(object);
    }
    audit(&workflow, &namespace, &[]).exits(0);
}

#[test]
fn a_fresh_deployment_is_as_planned() {
    let (workflow, namespace) = audited();
    audit(&workflow, &namespace, &[])
        .exits(0)
        .answers("✓ audited in ")
        .answers("  ✓ NetworkPolicy/audited-netpol\n")
        .answers("  ✓ Secret/audited-secrets\n");
}

#[test]
fn each_tamper_with_the_pod_is_found_by_itself() {
    each_is_found(&OF_THE_POD);
}

#[test]
fn each_tamper_with_anything_else_is_found_by_itself() {
    each_is_found(&OF_EVERYTHING_ELSE);
}

#[test]
fn each_object_that_was_deleted_or_added_is_found_by_itself() {
    let (workflow, namespace) = audited();
    let deployed = Deployed::save(&namespace);
    for (object, expected) in [
        ("secret/audited-secrets", "Secret/audited-secrets missing "),
        (
            "networkpolicy/audited-netpol",
            "NetworkPolicy/audited-netpol missing ",
        ),
        (
            "networkpolicy/audited-trigger-netpol",
            "NetworkPolicy/audited-trigger-netpol missing ",
        ),
        ("cronjob/audited-cron", "CronJob/audited-cron missing "),
        ("service/audited", "Service/audited missing "),
    ] {
        namespace.kubectl(["delete", object]);
        is_found(&workflow, &namespace, expected);
        deployed.restore(object);
    }
    let more = |object: &str, name: &str, change: &dyn Fn(&mut Value)| {
        let mut added = deployed.objects[object].clone();
        added["metadata"]["name"] = json!(name);
        change(&mut added);
        namespace.create(&added);
    };
    more("cronjob/audited-cron", "audited-nightly", &|_| {});
    is_found(&workflow, &namespace, "CronJob/audited-nightly extra ");
    namespace.kubectl(["delete", "cronjob", "audited-nightly"]);
    more("networkpolicy/audited-netpol", "opener", &|policy| {
        policy["spec"] = json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]});
    });
    is_found(&workflow, &namespace, "NetworkPolicy/opener extra ");
    namespace.kubectl(["delete", "networkpolicy", "opener"]);
    audit(&workflow, &namespace, &[]).exits(0);
}

#[test]
fn the_commands_that_it_prints_end_in_a_clean_audit() {
    let namespace = Namespace::new("remedies");
    let workflow = Workflow::of_one_node("audited", "return input;");
    workflow.write(".secrets.yaml", "github: {token: x}\n");
    deploy(&workflow, &namespace);
    let patch = |object: &str, patch: &str| {
        namespace.kubectl(["patch", object, "--type=json", "-p", patch]);
    };
    patch(
        "secret/audited-secrets",
        r#"[{"op": "add", "path": "/data/added", "value": "eA=="}]"#,
    );
    patch(
        "networkpolicy/audited-netpol",
        r#"[{"op": "add", "path": "/spec/egress/-", "value": {}}]"#,
    );
    namespace.kubectl(["set", "env", "deployment/audited", "ADDED=1"]);
    let mut opener = namespace.get("networkpolicy", "audited-netpol");
    opener["metadata"] = json!({"name": "opener"});
    namespace.create(&opener);
    let hints = audit(&workflow, &namespace, &["-o", "json"])
        .exits(1)
        .json()["hints"]
        .clone();
    for hint in hints.as_array().expect("hints") {
        let (_, command) = hint
            .as_str()
            .and_then(|it| it.split_once(": "))
            .expect("a command");
        let mut words: Vec<_> = command.split(' ').collect();
        match words.remove(0) {
            "kubectl" => drop(kubectl(words)),
            _ => drop(
                tntc(words.into_iter().chain(["--image", engine_image()]))
                    .run()
                    .exits(0),
            ),
        }
    }
    audit(&workflow, &namespace, &[]).exits(0);
}

#[test]
fn a_workflow_that_is_not_deployed_is_missing_in_every_object() {
    let workflow = Workflow::of_one_node("audited", "return input;");
    let namespace = Namespace::new("unaudited");
    audit(&workflow, &namespace, &[])
        .exits(1)
        .answers("  ✗ Deployment/audited\n    -> the object is missing\n")
        .says(&format!(
            "hint: bring it back to what is planned with: tntc deploy {} -n {}",
            workflow.path(),
            namespace.name
        ));
}
