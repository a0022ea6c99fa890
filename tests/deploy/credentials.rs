//! The ways to be somebody to a cluster.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Answer, Kubeconfig, Namespace, Workflow, deploying, tntc};

/// A service account that may do in the namespace what the cluster's role `admin` may; its token.
pub fn token_in(namespace: &Namespace) -> String {
    namespace.kubectl(["create", "serviceaccount", "deployer"]);
    let account = format!("--serviceaccount={}:deployer", namespace.name);
    let bind = ["create", "rolebinding", "deployer", "--clusterrole=admin"];
    namespace.kubectl(bind.into_iter().chain([account.as_str()]));
    let token = namespace.kubectl(["create", "token", "deployer"]);
    token.trim().to_owned()
}

#[track_caller]
fn deploy_as(user: &serde_json::Value, namespace: &Namespace) -> Answer {
    let kubeconfig = Kubeconfig::current().with_user(user);
    let workflow = Workflow::of_one_node("entrusted", "return 1;");
    deploying(&workflow, namespace, &["--wait"])
        .env("KUBECONFIG", kubeconfig.path())
        .run()
}

/// A program that prints this, as an exec plugin.
pub fn plugin(dir: &TempDir, printed: &str, status: u8) -> serde_json::Value {
    scripted_plugin(dir, &format!("cat <<'END'\n{printed}\nEND\nexit {status}"))
}

/// A kubeconfig's `user` with an exec plugin that runs this in a shell.
pub fn scripted_plugin(dir: &TempDir, script: &str) -> serde_json::Value {
    let program = dir.path().join("plugin");
    let script = format!("#!/bin/sh\n{script}\n");
    std::fs::write(&program, script).expect("a plugin");
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&program, executable).expect("a mode");
    json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": program, "interactiveMode": "Never",
    }})
}

#[test]
fn a_token_of_somebody_who_may_do_no_more_than_deploy_is_enough() {
    let namespace = Namespace::new("token");
    let token = token_in(&namespace);
    deploy_as(&json!({ "token": token }), &namespace).exits(0);
}

#[test]
fn an_exec_plugin_is_asked() {
    let namespace = Namespace::new("exec");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {"token": token_in(&namespace)},
    });
    let user = plugin(&dir, &credential.to_string(), 0);
    deploy_as(&user, &namespace).exits(0);
}

#[test]
fn an_exec_plugin_that_fails_is_told() {
    let namespace = Namespace::new("noexec");
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (printed, status, why) in [
        ("half-a-secret", 7, "exit status: 7): it said nothing"),
        ("token: [half-a-secret", 0, "not an ExecCredential"),
    ] {
        let answer = deploy_as(&plugin(&dir, printed, status), &namespace)
            .exits(3)
            .says("cannot authenticate")
            .says(why)
            .says("log in again");
        assert!(
            !answer.stderr.contains("half-a-secret"),
            "{}",
            answer.stderr
        );
    }
}

#[test]
fn a_token_that_was_taken_away_is_told_and_never_shown() {
    let namespace = Namespace::new("revoked");
    let token = token_in(&namespace);
    namespace.kubectl(["delete", "serviceaccount", "deployer"]);
    let answer = deploy_as(&json!({ "token": token }), &namespace)
        .exits(3)
        .says("Unauthorized")
        .says("log in again");
    assert!(!answer.stderr.contains(&token), "{}", answer.stderr);
}

#[test]
fn a_client_certificate_that_the_cluster_does_not_know_is_told() {
    let namespace = Namespace::new("badcert");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let [key, certificate] = ["key.pem", "certificate.pem"].map(|name| dir.path().join(name));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=nobody",
        ])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("openssl runs");
    assert!(made.status.success());
    let user = json!({"client-certificate": certificate, "client-key": key});
    deploy_as(&user, &namespace)
        .exits(3)
        .says("Unauthorized")
        .says("log in again");
}

#[test]
fn in_a_pod_the_service_account_is_used() {
    let namespace = Namespace::new("inpod");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let write = |name: &str, text: &str| {
        std::fs::write(dir.path().join(name), text).expect("a file");
    };
    write("token", &token_in(&namespace));
    write("namespace", &namespace.name);
    let authority = namespace.get("configmap", "kube-root-ca.crt")["data"]["ca.crt"].clone();
    write("ca.crt", authority.as_str().expect("a certificate"));
    let current = Kubeconfig::current();
    let (host, port) = current.authority().rsplit_once(':').expect("a port");
    let workflow = Workflow::of_one_node("entrusted", "return 1;");
    let deploy = deploying(&workflow, &namespace, &[]).command();
    // What the kubelet mounts into a pod, in a mount namespace of this process alone.
    let script =
        "mount -t tmpfs none /run && mkdir -p \"$0\" && cp \"$1\"/* \"$0\" && shift && exec \"$@\"";
    let output = Command::new("unshare")
        .args([
            "--mount",
            "sh",
            "-c",
            script,
            "/run/secrets/kubernetes.io/serviceaccount",
        ])
        .arg(dir.path())
        .arg(deploy.get_program())
        .args(deploy.get_args())
        .env_remove("KUBECONFIG")
        .env("HOME", dir.path())
        .env("KUBERNETES_SERVICE_HOST", host)
        .env("KUBERNETES_SERVICE_PORT", port)
        .output()
        .expect("unshare runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert_eq!(namespace.list("deployments").len(), 1);
}

#[test]
fn the_kubeconfig_of_an_environment_is_the_one_that_is_used() {
    let namespace = Namespace::new("ownfile");
    let token = token_in(&namespace);
    let kubeconfig = Kubeconfig::current().with_user(&json!({ "token": token }));
    let workflow = Workflow::of_one_node("entrusted", "return 1;");
    let config = format!(
        "environments: {{lab: {{kubeconfig: {}}}}}\n",
        kubeconfig.path().display()
    );
    let home = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(home.path().join(".tentacular")).expect("a directory");
    std::fs::write(home.path().join(".tentacular/config.yaml"), config).expect("a file");
    let nowhere = Kubeconfig::current().at("https://127.0.0.1:9");
    deploying(&workflow, &namespace, &["--env", "lab"])
        .env("HOME", home.path())
        .env("KUBECONFIG", nowhere.path())
        .run()
        .exits(0);
}

#[test]
fn a_context_is_used_and_never_switched_to() {
    let namespace = Namespace::new("context");
    let mut files = vec![Kubeconfig::current()];
    let named = files[0].named("other");
    files.push(named);
    let paths = std::env::join_paths(files.iter().map(Kubeconfig::path)).expect("paths");
    let before: Vec<_> = files.iter().map(|file| read(file.path())).collect();
    tntc(["list", "-n", &namespace.name, "--context", "other"])
        .env("KUBECONFIG", &paths)
        .run()
        .exits(0);
    tntc(["list", "-n", &namespace.name, "--context", "absent"])
        .env("KUBECONFIG", &paths)
        .run()
        .exits(3)
        .says("no context `absent`")
        .says("other");
    let after: Vec<_> = files.iter().map(|file| read(file.path())).collect();
    assert_eq!(before, after);
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a kubeconfig")
}
