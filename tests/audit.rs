//! `tntc audit` on a real cluster, against tampers made by hand.

use serde_json::Value;

use crate::support::{Answer, Namespace, Workflow, engine_image, tntc};

fn audited() -> (Workflow, Namespace) {
    let workflow = Workflow::of_one_node("audited", "return input;");
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
    let deploy = [
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--image",
        engine_image(),
        "--force-conflicts",
    ];
    tntc(deploy).run().exits(0);
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

/// Tampers that are made one on top of the other: what is patched, with which JSON patch, and what it must be found as.
const TAMPERS: [(&str, &str, &str); 18] = [
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
];

#[test]
fn a_fresh_deployment_is_as_planned_and_each_of_twenty_tampers_is_found() {
    let (workflow, namespace) = audited();
    audit(&workflow, &namespace, &[])
        .exits(0)
        .answers("✓ audited in ")
        .answers("  ✓ NetworkPolicy/audited-netpol\n");
    for (object, patch, expected) in TAMPERS {
        namespace.kubectl(["patch", object, "--type=json", "-p", patch]);
        let found = differences(
            &audit(&workflow, &namespace, &["-o", "json"])
                .exits(1)
                .json(),
        );
        assert!(
            found.iter().any(|found| found == expected),
            "{expected} is not in {found:?}"
        );
    }
    for (object, expected) in [
        ("secret/audited-secrets", "Secret/audited-secrets missing "),
        (
            "networkpolicy/audited-netpol",
            "NetworkPolicy/audited-netpol missing ",
        ),
    ] {
        namespace.kubectl(["delete", object]);
        let found = differences(
            &audit(&workflow, &namespace, &["-o", "json"])
                .exits(1)
                .json(),
        );
        assert!(
            found.iter().any(|found| found == expected),
            "{expected} is not in {found:?}"
        );
    }
}

#[test]
fn a_workflow_that_is_not_deployed_is_missing_in_every_object() {
    let workflow = Workflow::of_one_node("audited", "return input;");
    let namespace = Namespace::new("unaudited");
    audit(&workflow, &namespace, &[])
        .exits(1)
        .answers("  ✗ Deployment/audited\n    -> the object is missing\n")
        .says("hint: bring it back");
}
