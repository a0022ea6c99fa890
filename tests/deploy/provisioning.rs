//! Secrets on their way to the cluster.

use serde_json::{Value, json};

use crate::support::{Namespace, Workflow, deploy, deploying, run, tntc, wait_for};

#[test]
fn secrets_are_provisioned_changed_and_their_keys_removed() {
    let namespace = Namespace::new("secrets");
    let workflow = Workflow::without_contract("keeper", "return Object.keys(ctx.secrets).sort();");
    workflow.write(
        ".secrets.yaml",
        "github: {token: ghp_hidden}\nslack: {webhook_url: hidden}\n",
    );
    deploy(&workflow, &namespace)
        .exits(0)
        .answers("applied Secret/keeper-secrets");
    let generation = |namespace: &Namespace| {
        namespace.get("deployment", "keeper")["metadata"]["generation"].clone()
    };
    assert_eq!(
        run("keeper", &namespace, &json!({}))["outputs"]["only"],
        json!(["github", "slack"])
    );
    let before = generation(&namespace);
    deploy(&workflow, &namespace).exits(0).answers("unchanged");
    assert_eq!(generation(&namespace), before);
    workflow.write(".secrets.yaml", "github: {token: another}\n");
    deploy(&workflow, &namespace)
        .exits(0)
        .answers("applied Secret/keeper-secrets")
        .answers("applied Deployment/keeper");
    let data = namespace.get("secret", "keeper-secrets")["data"].clone();
    assert_eq!(
        data.as_object()
            .map(|data| data.keys().cloned().collect::<Vec<_>>()),
        Some(vec!["github".to_owned()])
    );
}

#[test]
fn without_local_secrets_the_clusters_secret_is_left_alone() {
    let namespace = Namespace::new("byhand");
    namespace.kubectl([
        "create",
        "secret",
        "generic",
        "keeper-secrets",
        "--from-literal=github={\"token\":\"t\"}",
    ]);
    let workflow = Workflow::without_contract("keeper", "return Object.keys(ctx.secrets);");
    deploy(&workflow, &namespace).exits(0);
    assert_eq!(
        run("keeper", &namespace, &json!({}))["outputs"]["only"],
        json!(["github"])
    );
    let version = namespace.get("secret", "keeper-secrets")["metadata"]["resourceVersion"].clone();
    deploy(&workflow, &namespace).exits(0).answers("unchanged");
    assert_eq!(
        namespace.get("secret", "keeper-secrets")["metadata"]["resourceVersion"],
        version
    );
    workflow.write(".secrets.yaml", "github: {token: local}\n");
    deploy(&workflow, &namespace)
        .exits(1)
        .says("Secret/keeper-secrets")
        .says("kubectl label secret keeper-secrets");
}

#[test]
fn a_dry_run_shows_no_secret_value_and_changes_nothing() {
    let namespace = Namespace::new("dry");
    let workflow = Workflow::of_one_node("keeper", "return null;");
    workflow.write(".secrets.yaml", "github: {token: ghp_hidden}\n");
    let dry_run = [
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--dry-run",
    ];
    let answer = tntc(dry_run)
        .run()
        .exits(0)
        .answers("github: <redacted>")
        .answers("kind: NetworkPolicy");
    assert!(
        !answer.stdout.contains("ghp_hidden") && !answer.stdout.contains("Z2hwX2hpZGRlbg"),
        "{}",
        answer.stdout
    );
    assert_eq!(namespace.list("deployments,secrets"), Vec::<Value>::new());
}

#[test]
fn the_shared_pool_and_an_environments_own_source_reach_the_pod() {
    let namespace = Namespace::new("pooling");
    let source = "return (ctx.secrets.api as { key: string }).key;";
    let workflow = Workflow::without_contract("pooling", source);
    std::fs::create_dir(format!("{}/.git", workflow.path())).expect("a directory");
    workflow.write(".secrets/pooled", r#"{"key": "from the pool"}"#);
    workflow.write(".secrets.yaml", "api: $shared.pooled\n");
    deploy(&workflow, &namespace).exits(0);
    let answer = || run("pooling", &namespace, &json!({}))["outputs"]["only"].clone();
    assert_eq!(answer(), "from the pool");
    workflow.write("staging.yaml", "api: {key: of staging}\n");
    let config = "environments: {staging: {runtime_class: '', secrets_source: staging.yaml}}\n";
    workflow.write(".tentacular/config.yaml", config);
    deploying(&workflow, &namespace, &["--wait", "--env", "staging"])
        .run()
        .exits(0)
        .answers("applied Secret/pooling-secrets");
    // New connections may reach the old pod for a moment.
    wait_for("the new secret", || {
        (answer() == "of staging").then_some(())
    });
}
