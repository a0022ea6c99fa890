//! Secrets on their way to the cluster.

use serde_json::{Value, json};

use crate::support::{Namespace, Workflow, deploy, deployed, deploying, node, run, tntc, wait_for};

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
        // The salt makes the hash in the pod template unguessable.
        Some(vec![".tentacular-salt".to_owned(), "github".to_owned()])
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
        .answers("# Secret/keeper-secrets is left out")
        .answers("kind: NetworkPolicy");
    assert!(
        !answer.stdout.contains("ghp_hidden") && !answer.stdout.contains("ImdocF9oaWRkZW4"),
        "{}",
        answer.stdout
    );
    assert_eq!(namespace.list("deployments,secrets"), Vec::<Value>::new());
    let json = tntc(dry_run.into_iter().chain(["-o", "json"])).run().json();
    let manifests = json["manifests"].as_array().expect("manifests");
    assert!(manifests.iter().all(|object| object["kind"] != "Secret"));
    tntc(dry_run.into_iter().chain(["--show-secrets"]))
        .run()
        .exits(0)
        .answers("kind: Secret")
        .answers("ImdocF9oaWRkZW4");
}

#[test]
fn what_a_dry_run_prints_can_be_applied_and_compared() {
    let namespace = Namespace::new("applied");
    let workflow = Workflow::without_contract("keeper", "return Object.keys(ctx.secrets);");
    workflow.write(".secrets.yaml", "github: {token: hidden}\n");
    let printed = |flags: &[&str]| {
        let text = deploying(
            &workflow,
            &namespace,
            &["--dry-run"]
                .iter()
                .chain(flags)
                .copied()
                .collect::<Vec<_>>(),
        );
        let text = text.run().exits(0).stdout;
        workflow.write("manifests.yaml", &text);
    };
    let file = format!("{}/manifests.yaml", workflow.path());
    printed(&[]);
    namespace.kubectl(["apply", "-f", &file]);
    // Its pods run without secrets until a deploy has brought them.
    deploying(&workflow, &namespace, &["--verify"])
        .run()
        .exits(0);
    assert_eq!(
        run("keeper", &namespace, &json!({}))["outputs"]["only"],
        json!(["github"])
    );
    for flags in [&[][..], &["--show-secrets"]] {
        printed(flags);
        namespace.kubectl(["diff", "-f", &file]);
    }
    // Nor does kubectl stay an owner of fields that a deploy changes.
    for number in [1, 2] {
        workflow.write("nodes/only.ts", &node(&format!("return {number};")));
        workflow.write(
            ".secrets.yaml",
            &format!("github: {{token: hidden-{number}}}\n"),
        );
        deploy(&workflow, &namespace).exits(0);
        deploy(&workflow, &namespace).exits(0).answers("unchanged");
    }
}

#[test]
fn a_deploy_without_local_secrets_restarts_nothing_after_one_with_them() {
    let workflow = Workflow::without_contract("keeper", "return Object.keys(ctx.secrets);");
    workflow.write(".secrets.yaml", "github: {token: hidden}\n");
    let namespace = deployed(&workflow, "inturn");
    let mine = workflow.read(".secrets.yaml");
    for _ in 0..2 {
        workflow.remove(".secrets.yaml");
        deploy(&workflow, &namespace).exits(0).answers("unchanged");
        workflow.write(".secrets.yaml", &mine);
        deploy(&workflow, &namespace).exits(0).answers("unchanged");
    }
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

#[test]
fn a_dry_run_in_yaml_is_the_manifests_and_by_name_what_kubectl_calls_them() {
    let workflow = Workflow::of_one_node("named", "return null;");
    workflow.write(".secrets.yaml", "github: {token: ghp_hidden}\n");
    let dry_run = |more: &[&str]| {
        let deploy = ["deploy", workflow.path(), "--dry-run", "--image", "e:v1"];
        let answer = tntc(deploy.into_iter().chain(more.iter().copied())).run();
        answer.exits(0).stdout
    };
    assert_eq!(dry_run(&["-o", "yaml"]), dry_run(&[]));
    let names = "configmap/named-code\nnetworkpolicy.networking.k8s.io/named-netpol\n\
        networkpolicy.networking.k8s.io/named-trigger-netpol\nservice/named\ndeployment.apps/named\n";
    assert_eq!(dry_run(&["-o", "name"]), names);
    let with_secret = dry_run(&["-o", "name", "--show-secrets"]);
    assert_eq!(with_secret, format!("secret/named-secrets\n{names}"));
}
