//! Deploys that met, or were stopped half-way.

use serde_json::{Value, json};

use super::revision;
use crate::support::{
    Kubeconfig, Namespace, Workflow, deploy, deployed, deploying, engine_image, run, tntc,
};

/// Applies one object of the workflow as a deploy would, and nothing else: what one leaves that is stopped on the way.
fn apply_alone(workflow: &Workflow, namespace: &Namespace, object: &Value) {
    workflow.write("object.json", &object.to_string());
    let file = format!("{}/object.json", workflow.path());
    let apply = ["apply", "--server-side", "--field-manager=tntc", "-f"];
    namespace.kubectl(apply.into_iter().chain([file.as_str()]));
}

#[test]
fn a_deploy_heals_pods_that_may_have_started_with_other_code() {
    let workflow = Workflow::of_one_node("torn", "return 1;");
    let namespace = deployed(&workflow, "torn");
    let other = Workflow::of_one_node("torn", "return 2;");
    let manifests = deploying(&other, &namespace, &["--dry-run", "-o", "json"])
        .run()
        .exits(0)
        .json()["manifests"]
        .clone();
    let mut manifests = manifests.as_array().expect("manifests").iter();
    let config_map = manifests.find(|object| object["kind"] == "ConfigMap");
    apply_alone(&other, &namespace, config_map.expect("a ConfigMap"));
    deploy(&workflow, &namespace)
        .exits(0)
        .answers("applied ConfigMap/torn-code")
        .answers("applied Deployment/torn");
    deploy(&workflow, &namespace).exits(0).answers("unchanged");
    assert_eq!(run("torn", &namespace, &json!({}))["outputs"]["only"], 1);
}

#[test]
fn a_deploy_heals_pods_that_may_have_started_with_other_secrets() {
    let workflow = Workflow::without_contract(
        "torn",
        "return (ctx.secrets.github as { token: string }).token;",
    );
    workflow.write(".secrets.yaml", "github: {token: mine}\n");
    let namespace = deployed(&workflow, "torn");
    let mut secret = namespace.get("secret", "torn-secrets");
    secret["metadata"] = json!({
        "name": "torn-secrets",
        "labels": secret["metadata"]["labels"],
        "annotations": {"tentacular.dev/secrets-hash": "another"},
    });
    // {"token":"theirs"}
    secret["data"]["github"] = json!("eyJ0b2tlbiI6InRoZWlycyJ9");
    apply_alone(&workflow, &namespace, &secret);
    deploy(&workflow, &namespace)
        .exits(0)
        .answers("applied Secret/torn-secrets")
        .answers("applied Deployment/torn");
    deploy(&workflow, &namespace).exits(0).answers("unchanged");
    assert_eq!(
        run("torn", &namespace, &json!({}))["outputs"]["only"],
        "mine"
    );
}

/// Makes the engine's pods anew, as when their node is drained, and waits for them.
fn recreate_pods(namespace: &Namespace, name: &str) {
    let label = format!("app.kubernetes.io/name={name}");
    namespace.kubectl(["delete", "pods", "-l", &label]);
    let deployment = format!("deployment/{name}");
    namespace.kubectl(["rollout", "status", &deployment, "--timeout=60s"]);
}

#[test]
fn pods_that_started_without_their_secret_are_restarted_with_it() {
    let workflow = Workflow::without_contract("lost", "return Object.keys(ctx.secrets);");
    workflow.write(".secrets.yaml", "github: {token: mine}\n");
    let namespace = deployed(&workflow, "lost");
    namespace.kubectl(["delete", "secret", "lost-secrets"]);
    recreate_pods(&namespace, "lost");
    deploying(&workflow, &namespace, &["--verify"])
        .run()
        .exits(0);
    let answer = run("lost", &namespace, &json!({}));
    assert_eq!(answer["outputs"]["only"], json!(["github"]));
}

#[test]
fn pods_that_started_with_tampered_code_are_told_and_restarted() {
    let workflow = Workflow::of_one_node("lied", "return 1;");
    let namespace = deployed(&workflow, "lied");
    let honest = namespace.get("configmap", "lied-code")["data"]["nodes__only.ts"].clone();
    let replace = |content: &Value| {
        let patch = json!({"data": {"nodes__only.ts": content}}).to_string();
        // As somebody who then has nothing to do with it any more: no field is left that shows it.
        namespace.kubectl([
            "patch",
            "configmap",
            "lied-code",
            "--field-manager=tntc",
            "-p",
            &patch,
        ]);
    };
    replace(&json!(
        honest
            .as_str()
            .expect("text")
            .replace("return 1", "return 1000")
    ));
    recreate_pods(&namespace, "lied");
    replace(&honest);
    let audit = [
        "audit",
        workflow.path(),
        "-n",
        &namespace.name,
        "--image",
        engine_image(),
    ];
    tntc(audit)
        .run()
        .exits(1)
        .answers("loaded code is other, expected that of the ConfigMap");
    let status = ["status", "lied", "-n", &namespace.name];
    tntc(status)
        .run()
        .exits(0)
        .answers("has loaded other code than the cluster holds");
    let kubeconfig = Kubeconfig::current();
    let path = kubeconfig.path().display().to_string();
    let hint = format!(
        "restarts such pods: tntc deploy DIR -n {} --kubeconfig {path}\n",
        namespace.name
    );
    tntc(status.into_iter().chain(["--kubeconfig", &path]))
        .run()
        .exits(0)
        .says(&hint);
    let list = ["list", "-n", &namespace.name];
    tntc(list).run().exits(0).answers("out of sync");
    deploying(&workflow, &namespace, &["--verify"])
        .run()
        .exits(0)
        .answers("applied Deployment/lied");
    assert_eq!(run("lied", &namespace, &json!({}))["outputs"]["only"], 1);
    tntc(audit).run().exits(0);
    tntc(list).run().exits(0).answers("ready");
    deploy(&workflow, &namespace).exits(0).answers("unchanged");
}

#[test]
fn undeploy_then_deploy_at_once_works() {
    let workflow = Workflow::of_one_node("phoenix", "return 1;");
    let namespace = deployed(&workflow, "again");
    namespace.kubectl([
        "delete",
        "deployment",
        "phoenix",
        "--wait=false",
        "--cascade=foreground",
    ]);
    deploy(&workflow, &namespace).exits(0);
    assert_eq!(run("phoenix", &namespace, &json!({}))["outputs"]["only"], 1);
}

#[test]
fn two_deploys_at_once_end_in_one_consistent_state() {
    let namespace = Namespace::new("race");
    let body = |number| {
        format!("return [\"{number}\", (ctx.secrets.own as {{ number: string }}).number];")
    };
    let racers = [1, 2].map(|number| {
        let workflow = Workflow::without_contract("racer", &body(number));
        workflow.write(".secrets.yaml", &format!("own: {{number: {number}}}\n"));
        workflow
    });
    std::thread::scope(|scope| {
        for workflow in &racers {
            scope.spawn(|| deploying(workflow, &namespace, &[]).run());
        }
    });
    namespace.kubectl(["rollout", "status", "deployment/racer", "--timeout=60s"]);
    // New connections may reach the old pod for a moment.
    let answer = (0..50)
        .map(|_| run("racer", &namespace, &json!({})))
        .find(|answer| answer["revision"] == revision(&namespace, "racer"))
        .expect("an answer of the new revision");
    let output = &answer["outputs"]["only"];
    assert!(
        *output == json!(["1", "1"]) || *output == json!(["2", "2"]),
        "code of one and secrets of the other: {output}"
    );
}
