//! Whether everything is there that a deployment needs.

use serde_json::json;
use tntc_core::manifests::Plan;
use tntc_core::observe::permissions;

use super::{Answer, FakeServer, plan, shown};
use crate::cluster::preflight::{self, Wanted, fix};
use crate::outcome::Check;

/// A cluster in which nothing is missing.
fn complete() -> FakeServer {
    let restricted = json!({"pod-security.kubernetes.io/enforce": "restricted"});
    FakeServer::with([
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team", "labels": restricted}}),
        json!({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "handler": "runsc", "metadata": {"name": "gvisor"}}),
    ])
}

/// The plan without local secrets, so that the cluster's are looked at.
fn without_secrets() -> Plan {
    Plan {
        secret: None,
        ..plan()
    }
}

async fn report(server: &FakeServer, plan: &Plan) -> String {
    let report = preflight::look(&server.cluster(), &Wanted::by(plan)).await;
    report.lines().join("\n")
}

/// The line of one check and what follows from it.
async fn check(server: &FakeServer, id: &str) -> String {
    let plan = without_secrets();
    let report = preflight::look(&server.cluster(), &Wanted::by(&plan)).await;
    let checks = report.checks.iter().filter(|check| check.id == id);
    checks.flat_map(Check::lines).collect::<Vec<_>>().join("\n")
}

fn rules(verbs: &[&str], incomplete: bool) -> serde_json::Value {
    json!({"incomplete": incomplete, "nonResourceRules": [], "resourceRules": [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": verbs},
    ]})
}

#[tokio::test(start_paused = true)]
async fn a_cluster_in_which_nothing_is_missing_passes() {
    let server = complete();
    insta::assert_snapshot!(report(&server, &plan()).await);
    assert_eq!(server.writes(), Vec::<String>::new());
    assert!(server.asked("create selfsubjectaccessreviews").is_empty());
}

#[tokio::test(start_paused = true)]
async fn everything_that_is_missing_is_told_at_once() {
    let server = FakeServer::new();
    server.review(
        "selfsubjectrulesreviews",
        rules(&["get", "list", "watch"], false),
    );
    insta::assert_snapshot!("as_a_report", report(&server, &without_secrets()).await);
    let failed = preflight::require(&server.cluster(), &without_secrets(), false).await;
    let error = failed.expect_err("a failure");
    insta::assert_snapshot!("as_an_error", shown(&error));
    assert!(error.evidence.checks.is_some_and(|checks| checks.len() > 4));
}

#[tokio::test(start_paused = true)]
async fn missing_secrets_may_warn_but_unreadable_ones_fail() {
    let server = complete();
    let plan = without_secrets();
    let warned = preflight::require(&server.cluster(), &plan, true).await;
    let warned = warned.expect("warnings");
    assert!(
        warned.iter().any(|line| line.contains("report-secrets")),
        "{warned:?}"
    );
    server.on("get secrets", Answer::internal_error());
    let failed = preflight::require(&server.cluster(), &plan, true).await;
    assert!(failed.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_secret_without_the_keys_that_are_needed_fails() {
    let server = complete();
    server.put(
        json!({"apiVersion": "v1", "kind": "Secret", "data": {"other": ""},
        "metadata": {"name": "report-secrets", "namespace": "team"}}),
    );
    insta::assert_snapshot!(check(&server, "secrets").await);
}

#[tokio::test(start_paused = true)]
async fn an_api_that_is_not_reached_is_the_only_failure() {
    let server = complete();
    for request in ["get", "list", "create"] {
        server.on(request, Answer::Cut);
    }
    insta::assert_snapshot!(report(&server, &plan()).await);
}

#[tokio::test(start_paused = true)]
async fn an_old_version_fails() {
    let server = complete();
    server.on("get version", Answer::json(&json!({"major": "1", "minor": "26+", "gitVersion": "v1.26.3",
        "gitCommit": "", "gitTreeState": "", "buildDate": "", "goVersion": "", "compiler": "", "platform": ""})));
    insta::assert_snapshot!(check(&server, "api").await);
}

#[tokio::test(start_paused = true)]
async fn what_the_user_may_not_look_at_is_not_known() {
    let server = complete();
    for kind in ["namespaces", "runtimeclasses", "secrets"] {
        server.on(&format!("get {kind}"), Answer::forbidden("forbidden"));
    }
    let plan = without_secrets();
    insta::assert_snapshot!(report(&server, &plan).await);
    preflight::require(&server.cluster(), &plan, false)
        .await
        .expect("a pass");
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_is_being_deleted_fails() {
    let server = complete();
    server.put(json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": "team", "deletionTimestamp": "2026-01-02T03:04:05Z"}}));
    insta::assert_snapshot!(check(&server, "namespace").await);
}

#[tokio::test(start_paused = true)]
async fn rules_that_may_be_incomplete_are_asked_about_one_by_one() {
    let server = complete();
    server.review(
        "selfsubjectrulesreviews",
        rules(&["get", "list", "watch", "create"], true),
    );
    server.review("selfsubjectaccessreviews", json!({"allowed": true}));
    assert!(
        check(&server, "permissions")
            .await
            .contains("are sufficient")
    );
    let asked = server.sent().into_iter();
    let asked = asked.filter(|sent| sent.resource == "selfsubjectaccessreviews");
    let verbs: Vec<_> = asked
        .map(|sent| sent.body["spec"]["resourceAttributes"]["verb"].clone())
        .collect();
    assert!(
        verbs.iter().all(|verb| verb == "patch" || verb == "delete"),
        "{verbs:?}"
    );
    server.review("selfsubjectaccessreviews", json!({"allowed": false}));
    insta::assert_snapshot!(check(&server, "permissions").await);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_list_their_rules_may_still_ask_about_each() {
    let server = complete();
    server.on("create selfsubjectrulesreviews", Answer::forbidden("no"));
    server.review("selfsubjectaccessreviews", json!({"allowed": true}));
    assert!(
        check(&server, "permissions")
            .await
            .contains("are sufficient")
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_created_once() {
    let server = FakeServer::new();
    let cluster = server.cluster();
    let wanted = permissions::to_everything();
    for is_first in [true, false] {
        let namespace = fix::namespace(&cluster, "team").await.expect("a namespace");
        assert_eq!(namespace.is_some(), is_first);
        let granted =
            fix::permissions(&cluster, "team", "system:serviceaccount:ci:bot", &wanted).await;
        assert_eq!(granted.expect("a Role").len(), if is_first { 2 } else { 0 });
    }
    let namespace = server.get("namespaces/team").expect("a namespace");
    assert_eq!(
        namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"],
        "restricted"
    );
    let binding = server.get("rolebindings/tentacular-operator:system:serviceaccount:ci:bot");
    let subject = &binding.expect("a RoleBinding")["subjects"][0];
    assert_eq!(
        *subject,
        json!({"kind": "ServiceAccount", "name": "bot", "namespace": "ci"})
    );
}
