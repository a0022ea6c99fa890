//! Permissions: what `tntc cluster check` says of them, and what `--fix` grants.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Kubeconfig, Namespace, StandIn, Workflow, check, deployed, engine_image, found, kubectl, tntc,
};

/// A `ClusterRole` and its binding to one user, deleted with the test.
struct Grant {
    user: String,
}

impl Grant {
    /// Each right is verbs and resources, as `kubectl create clusterrole` takes them.
    fn new(user: &str, rules: &Value) -> Self {
        let user = format!("{user}-{:x}", std::process::id());
        let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": user}, "rules": rules});
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), role.to_string()).expect("a role");
        kubectl(["create", "-f", &file.path().display().to_string()]);
        let role = format!("--clusterrole={user}");
        kubectl([
            "create",
            "clusterrolebinding",
            &user,
            &role,
            &format!("--user={user}"),
        ]);
        Self { user }
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        let grants = ["clusterrolebinding", "clusterrole"];
        for kind in grants {
            let deleted = std::process::Command::new("kubectl")
                .args(["delete", kind, &self.user])
                .output();
            drop(deleted);
        }
    }
}

#[test]
fn a_user_without_permission_is_told_which_are_missing() {
    let namespace = Namespace::new("nobody");
    let nobody = Kubeconfig::current().acting_as("nobody");
    let path = nobody.path().display().to_string();
    check(&namespace.name, &["--kubeconfig", &path])
        .exits(3)
        .answers("? Namespace")
        .answers("deployments.apps: get, list, watch, create, patch, delete;")
        .answers("pods/attach: get, create;")
        .answers(
            "    -> Have an administrator grant them: tntc cluster check --fix --for nobody -n ",
        );
    for command in [
        ["list"].as_slice(),
        &["run", "any"],
        &["logs", "any"],
        &["status", "any"],
        &["undeploy", "any", "-y"],
    ] {
        let arguments = command.iter().copied();
        tntc(arguments.chain(["-n", &namespace.name, "--kubeconfig", &path]))
            .run()
            .exits(3)
            .says("nobody");
    }
}

#[test]
fn fix_needs_no_more_than_the_rights_to_create_and_grants_enough_for_every_command() {
    let rules = json!([
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["create"]},
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["create", "escalate"]},
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["rolebindings"], "verbs": ["create"]},
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["bind"]},
    ]);
    let maker = Grant::new("maker", &rules);
    let kubeconfig = Kubeconfig::current().acting_as(&maker.user);
    let path = kubeconfig.path().display().to_string();
    let namespace = Namespace::planned("fixed");
    check(&namespace.name, &["--kubeconfig", &path, "--fix"])
        .exits(0)
        .answers(&format!("  + created namespace \"{}\"", namespace.name))
        .answers("  + created Role \"tentacular-operator\"")
        .answers(&format!("for user \"{}\"", maker.user))
        .answers("✓ Permissions in namespace");
    let again = check(
        &namespace.name,
        &["--kubeconfig", &path, "--fix", "-o", "json"],
    )
    .exits(0)
    .json();
    assert_eq!(again["fixed"], json!([]));
    let label = &namespace.own()["metadata"]["labels"]["pod-security.kubernetes.io/enforce"];
    assert_eq!(label, "restricted");
    every_command_works(&namespace.name, &path);
}

#[test]
fn an_administrator_grants_somebody_else_what_their_check_asked_for() {
    let namespace = Namespace::new("for-user");
    let users = ["newcomer", "system:serviceaccount:ci:deployer"];
    for user in users {
        let kubeconfig = Kubeconfig::current().acting_as(user);
        let path = kubeconfig.path().display().to_string();
        check(&namespace.name, &["--kubeconfig", &path]).exits(3);
        check(&namespace.name, &["--fix", "--for", user])
            .exits(0)
            .answers(&format!("for user \"{user}\""));
        check(&namespace.name, &["--kubeconfig", &path])
            .exits(0)
            .answers("✓ Permissions in namespace");
    }
}

fn every_command_works(namespace: &str, kubeconfig: &str) {
    let workflow = Workflow::of_one_node("granted", "return input;");
    workflow.replace(
        "workflow.yaml",
        "{type: manual}",
        "{type: cron, schedule: \"0 9 * * *\"}",
    );
    let deploy = [
        "deploy",
        workflow.path(),
        "--image",
        engine_image(),
        "--wait",
    ];
    for command in [
        deploy.as_slice(),
        &["run", "granted"],
        &["logs", "granted"],
        &["list"],
        &["status", "granted", "--detail"],
        &["audit", workflow.path(), "--image", engine_image()],
        &["undeploy", "granted", "--yes"],
    ] {
        let arguments = command.iter().copied();
        tntc(arguments.chain(["-n", namespace, "--kubeconfig", kubeconfig]))
            .run()
            .exits(0);
    }
}

#[test]
fn a_status_without_events_and_replica_sets_shows_the_rest() {
    let workflow = Workflow::of_one_node("seen", "return input;");
    let namespace = deployed(&workflow, "seen");
    let rules = json!([
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["pods", "services"], "verbs": ["get", "list"]},
        {"apiGroups": ["batch"], "resources": ["cronjobs", "jobs"], "verbs": ["list"]},
    ]);
    let onlooker = Grant::new("onlooker", &rules);
    let kubeconfig = Kubeconfig::current().acting_as(&onlooker.user);
    let path = kubeconfig.path().display().to_string();
    let status = [
        "status",
        "seen",
        "-n",
        &namespace.name,
        "--kubeconfig",
        &path,
    ];
    tntc(status)
        .run()
        .exits(0)
        .answers("replicas: 1/1")
        .says("replicasets.apps is forbidden")
        .says("events is forbidden");
    let json = tntc(status.into_iter().chain(["--detail", "-o", "json"]))
        .run()
        .exits(0)
        .json();
    let workflow = &json["workflow"];
    assert_eq!(workflow["pods"].as_array().map(Vec::len), Some(1));
    assert_eq!(workflow["refused"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_way_of_running_without_a_pod_is_checked_when_it_is_named() {
    let namespace = Namespace::new("via");
    let nobody = Kubeconfig::current().acting_as("nobody");
    let path = nobody.path().display().to_string();
    let missing = |more: &[&str]| {
        let arguments = ["--kubeconfig", path.as_str()];
        let all: Vec<_> = arguments.into_iter().chain(more.iter().copied()).collect();
        check(&namespace.name, &all).exits(3).stdout
    };
    let (proxy, forward) = ("services/proxy: create", "pods/portforward: get, create");
    assert!(!missing(&[]).contains(proxy));
    assert!(missing(&["--via", "proxy"]).contains(proxy));
    assert!(missing(&["--via", "port-forward"]).contains(forward));
}

#[test]
fn rules_that_are_listed_incompletely_are_asked_for_one_by_one() {
    let namespace = Namespace::new("node");
    // The API server does not list what a node may do: that hangs on what runs there.
    let node = Kubeconfig::current()
        .acting_as("system:node:nowhere")
        .in_groups(&["system:nodes"]);
    let path = node.path().display().to_string();
    let json = check(&namespace.name, &["--kubeconfig", &path, "-o", "json"])
        .exits(3)
        .json();
    let may_not = |verb: &str, resource: &str| is_missing(&json, verb, resource);
    assert!(may_not("create", "deployments.apps"), "{json}");
    assert!(may_not("delete", "cronjobs.batch"), "{json}");
    assert!(!may_not("get", "services"), "a node may do that: {json}");
}

/// Whether the check lists this verb, which it lists once, for this resource.
fn is_missing(json: &Value, verb: &str, resource: &str) -> bool {
    let message = found(json, "permissions")["message"]
        .as_str()
        .expect("a message");
    let (_, listed) = message.split_once("\": ").expect("resources");
    let verbs = listed
        .split("; ")
        .find_map(|group| group.strip_prefix(&format!("{resource}: ")));
    let count = verbs.map_or(0, |verbs| {
        verbs.split(", ").filter(|it| *it == verb).count()
    });
    assert!(count < 2, "{message}");
    count == 1
}

#[test]
fn a_user_who_may_not_list_rules_is_asked_for_one_by_one() {
    let namespace = Namespace::new("unlisted");
    let rules = json!([
        {"apiGroups": ["authorization.k8s.io"], "resources": ["selfsubjectaccessreviews"], "verbs": ["create"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create"]},
    ]);
    let unlisted = Grant::new("unlisted", &rules);
    // Only the authenticated may list their own rules.
    let kubeconfig = Kubeconfig::current()
        .acting_as(&unlisted.user)
        .in_groups(&["system:unauthenticated"]);
    let path = kubeconfig.path().display().to_string();
    let json = check(&namespace.name, &["--kubeconfig", &path, "-o", "json"])
        .exits(3)
        .json();
    assert!(is_missing(&json, "patch", "deployments.apps"), "{json}");
    assert!(!is_missing(&json, "create", "deployments.apps"), "{json}");
}

/// Each review is held back until a second one has come.
#[test]
fn reviews_are_asked_for_side_by_side() {
    let namespace = Namespace::new("reviews");
    let (waiting, more) = (Mutex::new(0), Condvar::new());
    let server = StandIn::start(move |request: &str, _: &str| {
        let refusal =
            || json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403});
        if request.contains("selfsubjectrulesreviews") {
            return Some(("403 Forbidden", refusal().to_string()));
        }
        if request.contains("selfsubjectaccessreviews") {
            let mut come = waiting.lock().expect("a count");
            *come += 1;
            more.notify_all();
            let limit = Duration::from_secs(30);
            let (come, _) = more
                .wait_timeout_while(come, limit, |come| *come < 2)
                .expect("a count");
            if *come < 2 {
                return Some(("500 Internal Server Error", refusal().to_string()));
            }
        }
        None
    });
    let kubeconfig = server.kubeconfig();
    let path = kubeconfig.path().display().to_string();
    let json = check(&namespace.name, &["--kubeconfig", &path, "-o", "json"]).json();
    assert_eq!(found(&json, "permissions")["status"], "pass", "{json}");
}

#[test]
fn a_run_that_is_refused_tells_only_what_is_refused() {
    let workflow = Workflow::of_one_node("refused", "return input;");
    let namespace = deployed(&workflow, "refused");
    let rules = json!([{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]}]);
    let reader = Grant::new("reader", &rules);
    let kubeconfig = Kubeconfig::current().acting_as(&reader.user);
    let path = kubeconfig.path().display().to_string();
    let run = |via: &str| {
        let run = ["run", "refused", "-n", &namespace.name, "--via", via];
        tntc(run.into_iter().chain(["--kubeconfig", &path]))
            .run()
            .exits(3)
            .says("hint: ask for this permission")
    };
    let said = run("pod").says("creating the trigger pod: ").stderr;
    assert!(
        !said.contains("deleting"),
        "there is nothing to delete: {said}"
    );
    run("proxy").says("403 Forbidden: services \"refused:8080\" is forbidden");
    run("port-forward").says("listing pods: ");
}

#[test]
fn fix_grants_permissions_also_where_namespaces_may_neither_be_seen_nor_made() {
    let namespace = Namespace::new("granting");
    let rules = json!([
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["create", "escalate", "bind"]},
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["rolebindings"], "verbs": ["create"]},
    ]);
    let granter = Grant::new("granter", &rules);
    let kubeconfig = Kubeconfig::current().acting_as(&granter.user);
    let path = kubeconfig.path().display().to_string();
    check(&namespace.name, &["--kubeconfig", &path, "--fix"])
        .exits(0)
        .answers("  + created Role \"tentacular-operator\"")
        .answers("  ? Namespace")
        .answers("✓ Permissions in namespace");
}

#[test]
fn who_may_not_read_logs_is_told_what_could_not_be_seen_and_nothing_fails() {
    let workflow = Workflow::of_one_node("unread", "return 1;");
    let namespace = deployed(&workflow, "unread");
    let all = json!(["*"]);
    let core = [
        "configmaps",
        "secrets",
        "services",
        "events",
        "pods",
        "pods/attach",
        "namespaces",
    ];
    let rules = json!([
        {"apiGroups": ["apps", "batch", "networking.k8s.io", "discovery.k8s.io", "node.k8s.io"], "resources": all, "verbs": all},
        {"apiGroups": [""], "resources": core, "verbs": all},
    ]);
    let illiterate = Grant::new("illiterate", &rules);
    let kubeconfig = Kubeconfig::current().acting_as(&illiterate.user);
    let path = kubeconfig.path().display().to_string();
    let run = |arguments: &[&str]| {
        let place = ["-n", &namespace.name, "--kubeconfig", &path];
        tntc(arguments.iter().copied().chain(place)).run()
    };
    let unseen = ["has loaded is not known: reading its log: ", "pods/log"];
    let image = engine_image();
    let audit = ["audit", workflow.path(), "--image", image];
    let answer = run(&audit)
        .exits(0)
        .answers("unread in ")
        .answers("is in sync");
    answer.says(unseen[0]).says(unseen[1]);
    let quiet = run(&["status", "unread"]).exits(0).answers("status: ready");
    assert_eq!(quiet.stderr, "");
    let verbose = run(&["status", "unread", "-v"]).exits(0);
    verbose.says(unseen[0]).says(unseen[1]);
    run(&["list"]).exits(0).answers("ready");
    let deploy = ["deploy", workflow.path(), "--image", image, "--verify"];
    run(&deploy).exits(0).says(unseen[0]).says(unseen[1]);
    run(&["logs", "unread"]).exits(3).says("pods/log");
}
