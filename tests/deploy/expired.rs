//! Credentials that were good once, and the real API server's word on them.

use serde_json::{Value, json};

use super::credentials::{plugin, scripted_plugin, token_in};
use crate::support::{
    Kubeconfig, LONG_AGO, Namespace, Workflow, client_certificate, deploying, tntc, token_until,
};

/// `deploy` and `list` with these credentials; both must say this, in JSON as well, and neither any of these secrets.
#[track_caller]
fn refused(user: &Value, namespace: &Namespace, said: &[&str], secrets: &[&str]) {
    let kubeconfig = Kubeconfig::current().with_user(user);
    let workflow = Workflow::of_one_node("expired", "return 1;");
    let list = ["list", "-n", &namespace.name];
    let commands = [
        deploying(&workflow, namespace, &[]),
        deploying(&workflow, namespace, &["-o", "json"]),
        tntc(list),
        tntc(list.into_iter().chain(["-o", "json"])),
    ];
    for command in commands {
        let answer = command.env("KUBECONFIG", kubeconfig.path()).run().exits(3);
        let all = format!("{}{}", answer.stdout, answer.stderr);
        for text in said.iter().chain(&["Unauthorized", "log in again"]) {
            assert!(all.contains(text), "`{text}` is not in {all}");
        }
        assert!(!secrets.iter().any(|secret| all.contains(secret)), "{all}");
    }
}

/// Deploys with these credentials, which shows that nothing but their end was wrong with the others.
#[track_caller]
fn accepted(user: &Value, namespace: &Namespace) {
    let kubeconfig = Kubeconfig::current().with_user(user);
    let workflow = Workflow::of_one_node("accepted", "return 1;");
    deploying(&workflow, namespace, &[])
        .env("KUBECONFIG", kubeconfig.path())
        .run()
        .exits(0);
}

#[test]
fn a_client_certificate_that_has_expired() {
    let namespace = Namespace::new("oldcert");
    let name = namespace.name.as_str();
    let user = format!("--user={name}");
    namespace.kubectl([
        "create",
        "rolebinding",
        "deployer",
        "--clusterrole=admin",
        &user,
    ]);
    let dir = tempfile::tempdir().expect("a temporary directory");
    accepted(
        &client_certificate(dir.path(), name, "20991231235959Z"),
        &namespace,
    );
    let expired = client_certificate(dir.path(), name, LONG_AGO.0);
    let said = [
        "the client certificate of kubeconfig user",
        "expired on",
        LONG_AGO.2,
    ];
    refused(&expired, &namespace, &said, &["BEGIN"]);
}

#[test]
fn a_token_that_has_expired() {
    let namespace = Namespace::new("oldtoken");
    let token = token_in(&namespace);
    accepted(&json!({"token": token_until(&token, u32::MAX)}), &namespace);
    let expired = token_until(&token, LONG_AGO.1);
    let said = ["the token of kubeconfig user", "expired on", LONG_AGO.2];
    refused(&json!({ "token": expired }), &namespace, &said, &[&expired]);
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("token");
    std::fs::write(&file, &expired).expect("a file");
    refused(
        &json!({ "tokenFile": file }),
        &namespace,
        &said,
        &[&expired],
    );
}

fn credential(token: &str, until: &str) -> String {
    json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {"token": token, "expirationTimestamp": until},
    })
    .to_string()
}

#[test]
fn an_exec_plugin_that_gives_a_token_that_has_expired() {
    let namespace = Namespace::new("oldexec");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let token = token_in(&namespace);
    accepted(
        &plugin(&dir, &credential(&token, LONG_AGO.2), 0),
        &namespace,
    );
    let expired = token_until(&token, LONG_AGO.1);
    let user = plugin(&dir, &credential(&expired, LONG_AGO.2), 0);
    let said = ["the token that the plugin of kubeconfig user", "expired on"];
    refused(&user, &namespace, &said, &[&expired]);
}

#[test]
fn an_exec_plugin_that_fails_when_its_token_has_expired() {
    let namespace = Namespace::new("oncexec");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let again = dir.path().join("again");
    let script = format!(
        "if [ -e {again} ]; then echo half-a-secret; echo log in first >&2; exit 1; fi\ntouch {again}\n\
         cat <<'END'\n{}\nEND\n",
        credential("half-a-secret", LONG_AGO.2),
        again = again.display(),
    );
    let kubeconfig = Kubeconfig::current().with_user(&scripted_plugin(&dir, &script));
    let answer = tntc(["list", "-n", &namespace.name])
        .env("KUBECONFIG", kubeconfig.path())
        .run()
        .exits(3)
        .says("cannot authenticate")
        .says("log in first");
    assert!(
        !answer.stderr.contains("half-a-secret"),
        "{}",
        answer.stderr
    );
}
