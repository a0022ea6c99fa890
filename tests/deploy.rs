//! `tntc deploy` on a real cluster.

use serde_json::{Value, json};

use crate::support::{Namespace, Workflow, engine_image, example, kubectl, tntc};

/// Deploys and waits.
fn deploy(workflow: &Workflow, namespace: &Namespace) -> crate::support::Answer {
    tntc([
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--image",
        engine_image(),
        "--wait",
    ])
    .run()
}

fn run(name: &str, namespace: &Namespace, input: &Value) -> Value {
    let input = input.to_string();
    tntc(["run", name, "-n", &namespace.name, "--input", "-"])
        .stdin(&input)
        .run()
        .exits(0)
        .json()
}

#[test]
fn a_real_pod_counts_the_words_of_a_real_document() {
    let namespace = Namespace::new("words");
    let text = include_str!("../README.md");
    deploy(&example("word-counter"), &namespace)
        .exits(0)
        .answers("deployed word-counter");
    let result = run("word-counter", &namespace, &json!({ "text": text }));
    let report = &result["outputs"]["report"];
    assert_eq!(result["success"], true);
    assert_eq!(report["characters"], text.chars().count());
    assert_eq!(report["lines"], text.lines().count());
    assert!(
        report["words"].as_u64().is_some_and(|words| words > 100),
        "{report}"
    );
}

#[test]
fn editing_a_node_and_deploying_again_changes_the_answer_without_a_build() {
    let namespace = Namespace::new("edit");
    let workflow = Workflow::of_one_node("greeter", r#"return { said: "before" };"#);
    deploy(&workflow, &namespace).exits(0);
    assert_eq!(
        run("greeter", &namespace, &json!({}))["outputs"]["only"]["said"],
        "before"
    );
    workflow.replace("nodes/only.ts", "before", "after");
    deploy(&workflow, &namespace)
        .exits(0)
        .answers("applied ConfigMap/greeter-code");
    // New connections may reach the old pod for a moment; the revision in the answer tells which code gave it.
    let revision = revision(&namespace, "greeter");
    let answer = (0..50)
        .map(|_| run("greeter", &namespace, &json!({})))
        .find(|answer| answer["revision"] == revision);
    assert_eq!(
        answer.expect("an answer of the new revision")["outputs"]["only"]["said"],
        "after"
    );
}

fn revision(namespace: &Namespace, name: &str) -> Value {
    namespace.get("deployment", name)["spec"]["template"]["metadata"]["annotations"]["tentacular.dev/code-hash"].clone()
}

#[test]
fn an_unchanged_deploy_changes_nothing_on_the_server() {
    let namespace = Namespace::new("same");
    let workflow = example("word-counter");
    deploy(&workflow, &namespace).exits(0);
    let before = versions(&namespace);
    deploy(&workflow, &namespace).exits(0).answers("unchanged");
    assert_eq!(versions(&namespace), before);
}

/// Generation of the Deployment and resource version of everything else; a Deployment's own changes with its status.
fn versions(namespace: &Namespace) -> Vec<String> {
    let kinds = [
        "configmap/word-counter-code",
        "service/word-counter",
        "networkpolicy/word-counter-netpol",
    ];
    let mut versions: Vec<_> = kinds
        .iter()
        .map(|object| {
            namespace.kubectl(["get", object, "-o", "jsonpath={.metadata.resourceVersion}"])
        })
        .collect();
    versions.push(namespace.kubectl([
        "get",
        "deployment/word-counter",
        "-o",
        "jsonpath={.metadata.generation}",
    ]));
    versions
}

#[test]
fn restart_replaces_the_pods_of_an_unchanged_workflow() {
    let namespace = Namespace::new("restart");
    let workflow = example("word-counter");
    deploy(&workflow, &namespace).exits(0);
    let before = versions(&namespace);
    let again = [
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--image",
        engine_image(),
        "--wait",
        "--restart",
    ];
    tntc(again)
        .run()
        .exits(0)
        .answers("applied Deployment/word-counter");
    let restarted = versions(&namespace);
    assert_ne!(restarted, before);
    deploy(&workflow, &namespace).exits(0).answers("unchanged");
    assert_eq!(versions(&namespace), restarted);
}

#[test]
fn a_deploy_heals_pods_that_may_have_started_with_other_code() {
    let namespace = Namespace::new("torn");
    let workflow = Workflow::of_one_node("torn", "return 1;");
    deploy(&workflow, &namespace).exits(0);
    // What a deploy of other code leaves when it is stopped between the two objects.
    let other = Workflow::of_one_node("torn", "return 2;");
    let dry_run = [
        "deploy",
        other.path(),
        "-n",
        &namespace.name,
        "--dry-run",
        "-o",
        "json",
    ];
    let manifests = tntc(dry_run).run().exits(0).json()["manifests"].clone();
    let config_map = manifests
        .as_array()
        .and_then(|all| all.iter().find(|object| object["kind"] == "ConfigMap"));
    other.write(
        "configmap.json",
        &config_map.expect("a ConfigMap").to_string(),
    );
    let file = format!("{}/configmap.json", other.path());
    namespace.kubectl([
        "apply",
        "--server-side",
        "--field-manager=tntc",
        "-f",
        &file,
    ]);
    deploy(&workflow, &namespace)
        .exits(0)
        .answers("applied Deployment/torn");
    deploy(&workflow, &namespace).exits(0).answers("unchanged");
    assert_eq!(run("torn", &namespace, &json!({}))["outputs"]["only"], 1);
}

#[test]
fn a_removed_cron_trigger_loses_its_cron_job() {
    let namespace = Namespace::new("cron");
    let workflow = example("word-counter");
    workflow.replace(
        "workflow.yaml",
        "- type: manual",
        "- {type: cron, schedule: \"0 9 * * *\"}\n  - {type: cron, schedule: \"@hourly\"}",
    );
    deploy(&workflow, &namespace).exits(0);
    assert_eq!(namespace.list("cronjobs").len(), 2);
    workflow.replace(
        "workflow.yaml",
        "\n  - {type: cron, schedule: \"@hourly\"}",
        "",
    );
    deploy(&workflow, &namespace)
        .exits(0)
        .answers("deleted CronJob/word-counter-cron-0");
    let left: Vec<_> = namespace
        .list("cronjobs")
        .iter()
        .map(|job| job["metadata"]["name"].clone())
        .collect();
    assert_eq!(left, [json!("word-counter-cron")]);
}

#[test]
fn an_object_of_somebody_else_is_never_taken_over() {
    let namespace = Namespace::new("theirs");
    namespace.kubectl([
        "create",
        "configmap",
        "word-counter-code",
        "--from-literal=theirs=yes",
    ]);
    let workflow = example("word-counter");
    tntc([
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--image",
        engine_image(),
    ])
    .run()
    .exits(1)
    .says("ConfigMap/word-counter-code")
    .says("not managed by tentacular");
    assert_eq!(
        namespace.get("configmap", "word-counter-code")["data"],
        json!({"theirs": "yes"})
    );
    assert_eq!(namespace.list("deployments"), Vec::<Value>::new());
}

#[test]
fn an_image_that_cannot_be_pulled_is_told_in_the_pods_own_words() {
    let namespace = Namespace::new("pull");
    let workflow = example("word-counter");
    let image = "127.0.0.1:9/absent:v1";
    let deploy = [
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--image",
        image,
        "--wait",
    ];
    tntc(deploy).run().exits(1).says("ImagePull").says(image);
    let status = tntc([
        "status",
        "word-counter",
        "-n",
        &namespace.name,
        "-o",
        "json",
    ])
    .run()
    .exits(0)
    .json();
    let problem = status["workflow"]["problem"].as_str().unwrap_or_default();
    assert!(
        problem.contains("ImagePull") && problem.contains(image),
        "{status}"
    );
    tntc(["run", "word-counter", "-n", &namespace.name])
        .run()
        .exits(1)
        .says("ImagePull");
}

#[test]
fn code_that_crashes_at_start_fails_the_rollout_and_the_log_tells_why() {
    let namespace = Namespace::new("crash");
    let workflow = Workflow::of_one_node("crasher", "return 1;");
    workflow.write("nodes/only.ts", "throw new Error(\"made to fail\");\n");
    deploy(&workflow, &namespace).exits(1).says("exit status 1");
    tntc(["logs", "crasher", "-n", &namespace.name])
        .run()
        .exits(0)
        .answers("made to fail");
}

#[test]
fn a_namespace_that_does_not_exist_is_told_before_anything_is_applied() {
    let workflow = example("word-counter");
    let answer = tntc([
        "deploy",
        workflow.path(),
        "-n",
        "no-such-namespace",
        "-o",
        "json",
    ])
    .run()
    .exits(3)
    .json();
    assert_eq!(answer["status"], "fail");
    assert_eq!(
        answer["summary"],
        "Namespace \"no-such-namespace\" not found"
    );
    assert!(
        answer["hints"][0]
            .as_str()
            .is_some_and(|hint| hint.contains("kubectl create namespace")),
        "{answer}"
    );
}

#[test]
fn a_runtime_class_that_the_cluster_lacks_is_told_before_anything_is_applied() {
    let namespace = Namespace::new("runtime");
    let workflow = example("word-counter");
    let deploy = [
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--runtime-class",
        "no-such-runtime",
    ];
    tntc(deploy)
        .run()
        .exits(3)
        .says("RuntimeClass \"no-such-runtime\" not found");
    assert_eq!(namespace.list("deployments"), Vec::<Value>::new());
}

#[test]
fn on_kind_the_adjustments_are_told() {
    let workflow = example("word-counter");
    let answer = tntc(["deploy", workflow.path(), "--dry-run"])
        .run()
        .exits(0);
    let context = kubectl(["config", "current-context"]);
    let cluster = context
        .trim()
        .strip_prefix("kind-")
        .expect("the test cluster's context is named as kind names it");
    answer
        .says(&format!(
            "Detected kind cluster '{cluster}', adjusted: no gVisor, imagePullPolicy=IfNotPresent"
        ))
        .answers("imagePullPolicy: IfNotPresent");
}

#[test]
fn secrets_are_provisioned_changed_and_their_keys_removed() {
    let namespace = Namespace::new("secrets");
    let workflow = Workflow::of_one_node("keeper", "return Object.keys(ctx.secrets).sort();");
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
    let workflow = Workflow::of_one_node("keeper", "return Object.keys(ctx.secrets);");
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
fn overrides_of_an_environment_reach_the_pod_and_comments_stay() {
    let namespace = Namespace::new("overrides");
    let workflow = Workflow::of_one_node("configured", "return ctx.config;");
    workflow.replace(
        "workflow.yaml",
        "nodes:",
        "config: {timeout: 30s, deep: {a: 1}}\n# the nodes\nnodes:",
    );
    let config = "environments: {test: {runtime_class: '', config_overrides: {timeout: 60s, deep: {b: 2}, debug: true}}}\n";
    workflow.write(".tentacular/config.yaml", config);
    let deploy = [
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--image",
        engine_image(),
        "--wait",
        "--env",
        "test",
    ];
    tntc(deploy).run().exits(0);
    let expected = json!({"timeout": "60s", "deep": {"a": 1, "b": 2}, "debug": true});
    assert_eq!(
        run("configured", &namespace, &json!({}))["outputs"]["only"],
        expected
    );
    let delivered = namespace.get("configmap", "configured-code")["data"]["workflow.yaml"].clone();
    assert!(
        delivered
            .as_str()
            .is_some_and(|text| text.contains("# the nodes\n")),
        "{delivered}"
    );
}

#[test]
fn a_verified_deploy_carries_the_result_of_its_own_revision() {
    let namespace = Namespace::new("verify");
    let workflow = Workflow::of_one_node("checked", "return 1;");
    let deploy = |workflow: &Workflow| {
        let arguments = [
            "deploy",
            workflow.path(),
            "-n",
            &namespace.name,
            "--image",
            engine_image(),
            "--verify",
            "-o",
            "json",
        ];
        tntc(arguments).run()
    };
    let answer = deploy(&workflow).exits(0).json();
    assert_eq!(answer["execution"]["outputs"]["only"], 1);
    assert_eq!(
        answer["execution"]["revision"],
        revision(&namespace, "checked")
    );
    let phases: Vec<_> = answer["phases"]
        .as_array()
        .expect("phases")
        .iter()
        .map(|phase| phase["name"].clone())
        .collect();
    assert_eq!(phases, ["preflight", "apply", "rollout", "verify"]);
    workflow.replace(
        "nodes/only.ts",
        "return 1;",
        "throw new Error(\"made to fail\");",
    );
    let answer = deploy(&workflow).exits(1).json();
    assert_eq!(answer["execution"]["success"], false);
    let summary = answer["summary"].as_str().unwrap_or_default();
    assert!(
        summary.starts_with("verification: workflow returned success=false"),
        "{summary}"
    );
}

/// A workflow with a `dev` environment, and production's and development's namespaces.
fn gated(body: &str) -> (Workflow, Namespace, Namespace) {
    let (production, development) = (Namespace::new("prod"), Namespace::new("dev"));
    let workflow = Workflow::of_one_node("gated", body);
    let config = format!(
        "environments: {{dev: {{namespace: {}, image: {}}}}}\n",
        development.name,
        engine_image()
    );
    workflow.write(".tentacular/config.yaml", &config);
    (workflow, production, development)
}

#[test]
fn a_failing_live_test_keeps_a_deploy_from_production_and_cleans_up() {
    let (workflow, production, development) = gated("throw new Error(\"made to fail\");");
    let deploy = [
        "deploy",
        workflow.path(),
        "-n",
        &production.name,
        "--image",
        engine_image(),
        "-o",
        "json",
    ];
    let answer = tntc(deploy).run().exits(1).json();
    let summary = answer["summary"].as_str().unwrap_or_default();
    assert!(summary.starts_with("deploy failed: pre-deploy live test failed (use --force to skip): workflow returned success=false"), "{summary}");
    assert_eq!(
        answer["execution"]["errors"],
        json!(["node only threw: made to fail"])
    );
    assert_eq!(production.list("deployments"), Vec::<Value>::new());
    assert_eq!(
        development
            .list("deployments,services,configmaps,networkpolicies")
            .len(),
        1,
        "kube-root-ca.crt alone is left"
    );
    let forced = [
        "deploy",
        workflow.path(),
        "-n",
        &production.name,
        "--image",
        engine_image(),
        "--force",
    ];
    tntc(forced).run().exits(0);
}

#[test]
fn a_passing_live_test_leaves_a_deployment_of_that_name_alone() {
    let (workflow, production, development) = gated("return 1;");
    let deploy = |namespace: &Namespace, extra: &[&str]| {
        let arguments = [
            "deploy",
            workflow.path(),
            "-n",
            &namespace.name,
            "--image",
            engine_image(),
        ];
        tntc(arguments.into_iter().chain(extra.iter().copied())).run()
    };
    deploy(&development, &["--force", "--wait"]).exits(0);
    let before = development.get("deployment", "gated")["metadata"]["generation"].clone();
    deploy(&production, &[]).exits(0).says("live test: pass");
    assert_eq!(development.list("deployments").len(), 1);
    assert_eq!(
        development.get("deployment", "gated")["metadata"]["generation"],
        before
    );
    assert_eq!(production.list("deployments").len(), 1);
}

#[test]
fn a_field_that_somebody_took_over_is_a_conflict_that_names_them() {
    let namespace = Namespace::new("conflict");
    let workflow = Workflow::of_one_node("contested", "return 1;");
    deploy(&workflow, &namespace).exits(0);
    let patch = r#"{"spec":{"template":{"spec":{"containers":[{"name":"engine","imagePullPolicy":"Always"}]}}}}"#;
    namespace.kubectl([
        "patch",
        "deployment",
        "contested",
        "--field-manager=somebody",
        "-p",
        patch,
    ]);
    deploy(&workflow, &namespace)
        .exits(1)
        .says("somebody")
        .says("--force-conflicts");
    let forced = [
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--image",
        engine_image(),
        "--force-conflicts",
    ];
    tntc(forced).run().exits(0);
    let policy = namespace.get("deployment", "contested")["spec"]["template"]["spec"]["containers"]
        [0]["imagePullPolicy"]
        .clone();
    assert_eq!(policy, "IfNotPresent");
}

#[test]
fn scaling_by_hand_survives_a_deploy() {
    let namespace = Namespace::new("scale");
    let workflow = Workflow::of_one_node("scaled", "return 1;");
    deploy(&workflow, &namespace).exits(0);
    namespace.kubectl(["scale", "deployment", "scaled", "--replicas=2"]);
    workflow.replace("nodes/only.ts", "return 1;", "return 2;");
    deploy(&workflow, &namespace).exits(0);
    assert_eq!(namespace.get("deployment", "scaled")["spec"]["replicas"], 2);
}

#[test]
fn a_key_that_a_running_pod_mounts_stays_until_no_pod_does() {
    let namespace = Namespace::new("retain");
    let workflow = Workflow::of_one_node("keeper", "return 1;");
    workflow.write("nodes/helper.ts", "export const a = 1;\n");
    deploy(&workflow, &namespace).exits(0);
    std::fs::remove_file(std::path::Path::new(workflow.path()).join("nodes/helper.ts"))
        .expect("a file");
    deploy(&workflow, &namespace).exits(0);
    let keys = |namespace: &Namespace| {
        namespace.get("configmap", "keeper-code")["data"]
            .as_object()
            .map(serde_json::Map::len)
    };
    assert_eq!(keys(&namespace), Some(3), "the old pod's key is kept");
    namespace.kubectl([
        "wait",
        "--for=delete",
        "pod",
        "--field-selector=status.phase!=Running",
        "--timeout=60s",
    ]);
    let gone = (0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        namespace.list("pods").len() == 1
    });
    assert!(gone, "the old pod did not go");
    deploy(&workflow, &namespace).exits(0);
    assert_eq!(keys(&namespace), Some(2));
}

#[test]
fn undeploy_then_deploy_at_once_works() {
    let namespace = Namespace::new("again");
    let workflow = Workflow::of_one_node("phoenix", "return 1;");
    deploy(&workflow, &namespace).exits(0);
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
fn no_request_is_lost_during_a_rollout() {
    let namespace = Namespace::new("outage");
    let workflow = Workflow::of_one_node("steady", "return 1;");
    deploy(&workflow, &namespace).exits(0);
    let address = namespace.kubectl([
        "get",
        "service",
        "steady",
        "-o",
        "jsonpath={.spec.clusterIP}",
    ]);
    let requests = crate::support::requests(&format!("{}:8080", address.trim()));
    workflow.replace("nodes/only.ts", "return 1;", "return 2;");
    deploy(&workflow, &namespace).exits(0);
    // The old pod serves on for two seconds after it was told to stop.
    std::thread::sleep(std::time::Duration::from_secs(3));
    let (answered, failures) = requests.stop();
    assert_eq!(
        failures,
        Vec::<String>::new(),
        "{answered} requests were answered"
    );
    assert!(answered > 50, "{answered}");
}

#[test]
fn two_deploys_at_once_end_in_one_consistent_state() {
    let namespace = Namespace::new("race");
    let (one, two) = (
        Workflow::of_one_node("racer", "return 1;"),
        Workflow::of_one_node("racer", "return 2;"),
    );
    std::thread::scope(|scope| {
        for workflow in [&one, &two] {
            scope.spawn(|| {
                let arguments = [
                    "deploy",
                    workflow.path(),
                    "-n",
                    &namespace.name,
                    "--image",
                    engine_image(),
                ];
                tntc(arguments).run()
            });
        }
    });
    // Whoever came last, a deploy afterwards finds nothing broken.
    deploy(&two, &namespace).exits(0);
    let answer = (0..50)
        .map(|_| run("racer", &namespace, &json!({})))
        .find(|answer| answer["revision"] == revision(&namespace, "racer"));
    assert_eq!(
        answer.expect("an answer of the new revision")["outputs"]["only"],
        2
    );
}

#[test]
fn a_source_file_that_begins_with_space_or_a_tab_arrives_as_it_is() {
    let namespace = Namespace::new("indent");
    let workflow = Workflow::of_one_node("indented", "return 1;");
    let source = "\t \n\texport default () => \"kept\";\n  ";
    workflow.write("nodes/only.ts", source);
    deploy(&workflow, &namespace).exits(0);
    assert_eq!(
        namespace.get("configmap", "indented-code")["data"]["nodes__only.ts"],
        source
    );
    assert_eq!(
        run("indented", &namespace, &json!({}))["outputs"]["only"],
        "kept"
    );
}

#[test]
fn a_quota_that_is_exceeded_is_told_by_the_rollout() {
    let namespace = Namespace::new("quota");
    namespace.kubectl(["create", "quota", "none", "--hard=pods=0"]);
    let workflow = Workflow::of_one_node("barred", "return 1;");
    deploy(&workflow, &namespace)
        .exits(1)
        .says("exceeded quota")
        .says("ResourceQuota");
}

#[test]
fn a_namespace_that_is_being_deleted_is_told() {
    let namespace = Namespace::new("dying");
    // A finalizer keeps the namespace in that state for as long as the test looks at it.
    namespace.kubectl(["create", "configmap", "holder"]);
    namespace.kubectl([
        "patch",
        "configmap",
        "holder",
        "--type=merge",
        "-p",
        r#"{"metadata":{"finalizers":["example.com/hold"]}}"#,
    ]);
    kubectl(["delete", "namespace", &namespace.name, "--wait=false"]);
    let workflow = Workflow::of_one_node("late", "return 1;");
    let answer = deploy(&workflow, &namespace);
    namespace.kubectl([
        "patch",
        "configmap",
        "holder",
        "--type=merge",
        "-p",
        r#"{"metadata":{"finalizers":null}}"#,
    ]);
    answer.exits(3).says("being deleted");
}
