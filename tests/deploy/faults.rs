//! An API server that goes away or refuses, and credentials that are no longer good.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::support::{
    HANG_UP, Kubeconfig, Namespace, StandIn, TOO_BUSY, Workflow, deploy, deployed, deploying, run,
};

/// A `Status` as the API server writes it.
fn status(code: u16, reason: &str, message: &str) -> String {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message})
        .to_string()
}

/// Deploys by this kubeconfig, which must fail with this status; the answer.
#[track_caller]
fn failing(
    workflow: &Workflow,
    namespace: &Namespace,
    kubeconfig: &Kubeconfig,
    exit_status: i32,
) -> Value {
    deploying(workflow, namespace, &["-o", "json"])
        .env("KUBECONFIG", kubeconfig.path())
        .run()
        .exits(exit_status)
        .json()
}

#[track_caller]
fn says(answer: &Value, field: &str, text: &str) {
    let found = answer[field].to_string();
    assert!(
        found.contains(text),
        "`{text}` is not in `{field}`: {answer}"
    );
}

fn made(namespace: &Namespace) -> Vec<Value> {
    namespace.list("deployments,services,networkpolicies,secrets")
}

#[test]
fn an_api_server_that_is_gone() {
    let namespace = Namespace::new("gone");
    let workflow = Workflow::of_one_node("late", "return 1;");
    let nowhere = Kubeconfig::current().at("https://127.0.0.1:9");
    let answer = failing(&workflow, &namespace, &nowhere, 3);
    says(&answer, "summary", "cannot reach the Kubernetes API");
    says(&answer, "hints", "--context");
}

#[test]
fn an_api_server_that_goes_away_half_way_is_told_and_a_second_deploy_heals() {
    let workflow = Workflow::of_one_node("healed", "return 1;");
    let namespace = deployed(&workflow, "halfway");
    workflow.replace("nodes/only.ts", "return 1;", "return 2;");
    // The code arrives, and the Deployment does not.
    let server = StandIn::start(|request: &str, _: &str| {
        let sends = request.starts_with("PATCH") && !request.contains("dryRun");
        (sends && request.contains("/deployments/")).then(|| {
            (
                "500 Internal Server Error",
                status(500, "InternalError", "made to fail"),
            )
        })
    });
    let answer = failing(&workflow, &namespace, &server.kubeconfig(), 3);
    says(
        &answer,
        "summary",
        "applying Deployment/healed: made to fail",
    );
    says(&answer, "phases", "\"apply\"");
    deploy(&workflow, &namespace).exits(0);
    assert_eq!(run("healed", &namespace, &json!({}))["outputs"]["only"], 2);
    deploy(&workflow, &namespace).exits(0).answers("unchanged");
}

#[test]
fn a_connection_that_breaks_half_way_is_told_and_a_second_deploy_heals() {
    let workflow = Workflow::of_one_node("cutoff", "return 1;");
    let namespace = deployed(&workflow, "cutoff");
    workflow.replace("nodes/only.ts", "return 1;", "return 2;");
    let server = StandIn::start(|request: &str, _: &str| {
        let sends = request.starts_with("PATCH") && !request.contains("dryRun");
        (sends && request.contains("/deployments/")).then(|| (HANG_UP, String::new()))
    });
    let answer = failing(&workflow, &namespace, &server.kubeconfig(), 3);
    says(&answer, "summary", "Deployment/cutoff");
    deploy(&workflow, &namespace).exits(0);
    assert_eq!(run("cutoff", &namespace, &json!({}))["outputs"]["only"], 2);
    deploy(&workflow, &namespace).exits(0).answers("unchanged");
}

#[test]
fn a_server_that_fails_leaves_nothing_half_done() {
    let namespace = Namespace::new("broken");
    let workflow = Workflow::of_one_node("refused", "return 1;");
    for (code, line, reason) in [
        (500, "500 Internal Server Error", "InternalError"),
        (403, "403 Forbidden", "Forbidden"),
    ] {
        let server = StandIn::start(move |request: &str, _: &str| {
            let asks = request.starts_with("PATCH") && request.contains("/deployments/");
            asks.then(|| (line, status(code, reason, "made to fail")))
        });
        let answer = failing(&workflow, &namespace, &server.kubeconfig(), 3);
        says(
            &answer,
            "summary",
            "applying Deployment/refused: made to fail",
        );
        assert_eq!(made(&namespace), Vec::<Value>::new());
    }
}

#[test]
fn a_server_that_is_too_busy_for_a_moment_is_asked_again() {
    let namespace = Namespace::new("busy");
    let workflow = Workflow::of_one_node("patient", "return 1;");
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    let server = StandIn::start(move |request: &str, _: &str| {
        let is_first =
            request.contains("/configmaps/") && counted.fetch_add(1, Ordering::Relaxed) < 2;
        is_first.then(|| (TOO_BUSY, status(429, "TooManyRequests", "too many")))
    });
    deploying(&workflow, &namespace, &[])
        .env("KUBECONFIG", server.kubeconfig().path())
        .run()
        .exits(0);
    assert!(asked.load(Ordering::Relaxed) > 2);
}

#[test]
fn a_server_that_stays_too_busy_is_told_after_a_few_requests() {
    let namespace = Namespace::new("overrun");
    let workflow = Workflow::of_one_node("hopeless", "return 1;");
    for (line, answer) in [
        (
            TOO_BUSY,
            "Too many requests, please try again later.\n".to_owned(),
        ),
        (
            "503 Service Unavailable",
            status(503, "ServiceUnavailable", "made to be busy"),
        ),
    ] {
        let asked = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&asked);
        let said = answer.clone();
        let server = StandIn::start(move |request: &str, _: &str| {
            let looks = request.starts_with("GET") && request.contains("/configmaps/hopeless-code");
            looks.then(|| {
                counted.fetch_add(1, Ordering::Relaxed);
                (line, said.clone())
            })
        });
        let answer = failing(&workflow, &namespace, &server.kubeconfig(), 3);
        says(&answer, "summary", "ConfigMap/hopeless-code");
        says(&answer, "summary", "the API server is too busy");
        says(&answer, "hints", "again later");
        let asked = asked.load(Ordering::Relaxed);
        assert!((2..10).contains(&asked), "{asked} requests");
        assert_eq!(made(&namespace), Vec::<Value>::new());
    }
}

#[test]
fn a_server_that_asks_for_an_hour_is_not_waited_for() {
    let namespace = Namespace::new("hour");
    let workflow = Workflow::of_one_node("hopeless", "return 1;");
    let server = StandIn::start(|request: &str, _: &str| {
        let busy = "429 Too Many Requests\r\nRetry-After: 3600";
        request
            .contains("/configmaps/")
            .then(|| (busy, status(429, "TooManyRequests", "made to be busy")))
    });
    let answer = failing(&workflow, &namespace, &server.kubeconfig(), 3);
    says(&answer, "summary", "made to be busy");
}

#[test]
fn an_object_that_somebody_changes_meanwhile_is_looked_at_again() {
    let namespace = Namespace::new("meanwhile");
    let workflow = Workflow::of_one_node("contested", "return 1;");
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    let server = StandIn::start(move |request: &str, _: &str| {
        let sends = request.starts_with("PATCH") && !request.contains("dryRun");
        let is_first = sends && counted.fetch_add(1, Ordering::Relaxed) == 0;
        let message = "the object has been modified; please apply your changes to the latest version and try again";
        is_first.then(|| ("409 Conflict", status(409, "Conflict", message)))
    });
    deploying(&workflow, &namespace, &[])
        .env("KUBECONFIG", server.kubeconfig().path())
        .run()
        .exits(0);
    assert_eq!(namespace.list("deployments").len(), 1);
}

#[test]
fn objects_that_a_quota_does_not_allow_leave_nothing_half_done() {
    let namespace = Namespace::new("full");
    namespace.kubectl(["create", "quota", "few", "--hard=services=0"]);
    crate::support::wait_for("the quota's count", || {
        let hard = &namespace.get("quota", "few")["status"]["hard"]["services"];
        (hard == "0").then_some(())
    });
    let workflow = Workflow::of_one_node("barred", "return 1;");
    let answer = failing(&workflow, &namespace, &Kubeconfig::current(), 1);
    says(&answer, "summary", "Service/barred");
    says(&answer, "summary", "exceeded quota");
    says(&answer, "hints", "ResourceQuota");
    assert_eq!(made(&namespace), Vec::<Value>::new());
}

/// A policy of the cluster for one namespace, deleted with the test.
struct Policy<'a> {
    namespace: &'a Namespace,
}

impl<'a> Policy<'a> {
    /// Refuses objects of this resource, such as `deployments`.
    fn against(group: &str, resource: &str, namespace: &'a Namespace) -> Self {
        let name = namespace.name.as_str();
        let policy = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}},
                    "resourceRules": [{"apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": [resource]}],
                },
                "validations": [{"expression": "false", "message": "made to be refused"}],
            },
        });
        let binding = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Deny"]},
        });
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        let list = json!({"apiVersion": "v1", "kind": "List", "items": [policy, binding]});
        std::fs::write(file.path(), list.to_string()).expect("a file");
        let path = file.path().display().to_string();
        crate::support::kubectl(["apply", "-f", &path]);
        Self { namespace }
    }
}

impl Drop for Policy<'_> {
    fn drop(&mut self) {
        let name = self.namespace.name.as_str();
        let kinds = "validatingadmissionpolicybinding,validatingadmissionpolicy";
        let deleted = std::process::Command::new("kubectl")
            .args(["delete", kinds, name])
            .output();
        drop(deleted);
    }
}

#[test]
fn admission_that_refuses_the_deployment_leaves_nothing_half_done() {
    let namespace = Namespace::new("admission");
    let workflow = Workflow::of_one_node("unwelcome", "return 1;");
    let _policy = Policy::against("apps", "deployments", &namespace);
    // The API server takes a moment to compile a new policy.
    crate::support::wait_for("the policy's refusal", || {
        let probe = [
            "create",
            "deployment",
            "probe",
            "--image=i",
            "--dry-run=server",
        ];
        (!namespace.tries(probe)).then_some(())
    });
    let answer = failing(&workflow, &namespace, &Kubeconfig::current(), 1);
    says(&answer, "summary", "Deployment/unwelcome");
    says(&answer, "summary", "made to be refused");
    says(&answer, "hints", "admission");
    assert_eq!(made(&namespace), Vec::<Value>::new());
}

#[test]
fn admission_that_refuses_the_pods_is_told_by_the_rollout() {
    let namespace = Namespace::new("podless");
    let workflow = Workflow::of_one_node("unwelcome", "return 1;");
    let _policy = Policy::against("", "pods", &namespace);
    crate::support::wait_for("the policy's refusal", || {
        let answer = deploying(
            &workflow,
            &namespace,
            &["--wait", "--restart", "-o", "json"],
        )
        .run();
        (answer.status != 0).then(|| {
            let answer = answer.exits(1).json();
            says(&answer, "summary", "made to be refused");
            says(&answer, "events", "made to be refused");
            says(&answer, "hints", "admission");
        })
    });
}
