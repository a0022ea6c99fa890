//! Who somebody is to a cluster.

use serde_json::json;

use super::setup::Setup;
use super::{Case, refused, try_all, works};

#[test]
fn users_are_known_as_to_kubectl() {
    try_all(&USERS);
}

/// A JSON Web Token that says nothing but when it ends.
const ENDED: &str = "e30.eyJleHAiOjF9.c2ln";

fn certificate_files(it: &mut Setup<'_>) {
    let certificate = Setup::decoded(&it.user()["client-certificate-data"]);
    let key = Setup::decoded(&it.user()["client-key-data"]);
    it.file("pki/me.crt", certificate);
    it.file("pki/me.key", key);
    *it.user() = json!({"client-certificate": "pki/me.crt", "client-key": "pki/me.key"});
}

/// A `user` whose tokens a provider of identities gives.
fn oidc(token: &str) -> serde_json::Value {
    json!({"auth-provider": {"name": "oidc", "config": {
        "idp-issuer-url": "https://issuer.invalid", "client-id": "c", "id-token": token,
    }}})
}

const USERS: [Case; 33] = [
    works(
        "certificate and key in files beside the kubeconfig",
        certificate_files,
    ),
    refused(
        "a certificate without a key",
        |it| {
            it.user()
                .as_object_mut()
                .expect("a map")
                .remove("client-key-data");
        },
        &["client certificate without a key"],
    ),
    refused(
        "a certificate that is none",
        |it| it.user()["client-certificate-data"] = json!("aGVsbG8="),
        &["its certificates cannot be used"],
    ),
    refused(
        "a certificate in a file that is missing",
        |it| {
            certificate_files(it);
            it.user()["client-certificate"] = json!("pki/gone.crt");
        },
        &["cannot read client-certificate", "pki/gone.crt"],
    ),
    refused(
        "a certificate twice",
        |it| it.user()["client-certificate"] = json!("me.crt"),
        &["client-certificate and client-certificate-data"],
    ),
    refused(
        "no user",
        |it| {
            it.context().as_object_mut().expect("a map").remove("user");
        },
        &["system:anonymous", "does not know who you are"],
    ),
    refused(
        "a user without credentials",
        |it| *it.user() = json!({}),
        &["system:anonymous", "does not know who you are"],
    ),
    works("a token", |it| {
        it.wants("Bearer t0ken");
        *it.user() = json!({"token": "t0ken"});
    }),
    refused(
        "another token",
        |it| {
            it.wants("Bearer t0ken");
            *it.user() = json!({"token": "other"});
        },
        &["Unauthorized", "kubeconfig user `testbed-admin`"],
    ),
    refused(
        "a token with a line break",
        |it| {
            it.wants("Bearer t0ken");
            *it.user() = json!({"token": "t0ken\n"});
        },
        &["line break or another control character", "on one line"],
    ),
    works("a token in a file with a final line break", |it| {
        it.wants("Bearer t0ken");
        it.file("token", "t0ken\n");
        *it.user() = json!({"tokenFile": "token"});
    }),
    works("a token in a file before one in the kubeconfig", |it| {
        it.wants("Bearer t0ken");
        it.file("token", "t0ken\n");
        *it.user() = json!({"tokenFile": "token", "token": "other"});
    }),
    refused(
        "a token in a file that is missing",
        |it| *it.user() = json!({"tokenFile": "token"}),
        &["cannot read", "token"],
    ),
    works("user name and password", |it| {
        it.wants("Basic YWRhOnA6dw==");
        *it.user() = json!({"username": "ada", "password": "p:w"});
    }),
    refused(
        "user name and password that the cluster does not take",
        |it| *it.user() = json!({"username": "ada", "password": "pw"}),
        &["system:anonymous", "does not know who you are"],
    ),
    refused(
        "a token and a password",
        |it| *it.user() = json!({"token": "t", "username": "ada", "password": "pw"}),
        &["only one can count"],
    ),
    works("credentials are not sent in the clear", |it| {
        let server = format!("http://{}/anonymous", it.servers.at("plain"));
        *it.cluster() = json!({"server": server});
        *it.user() = json!({"token": "t0ken"});
    }),
    works("acting as somebody else", |it| {
        it.user()["as"] = json!("somebody");
        it.user()["as-groups"] = json!(["system:masters"]);
        it.user()["as-user-extra"] = json!({"reason": ["a", "b"]});
    }),
    refused(
        "acting as somebody who may not",
        |it| it.user()["as"] = json!("nobody"),
        &["nobody", "cannot list"],
    ),
    refused(
        "acting as a group of nobody",
        |it| it.user()["as-groups"] = json!(["system:masters"]),
        &["does not name"],
    ),
    works("a plugin of version 1", |it| {
        it.wants("Bearer t0ken");
        it.plugin_for("v1", "t0ken");
    }),
    works("a plugin of version 1beta1 without interactiveMode", |it| {
        it.wants("Bearer t0ken");
        it.plugin_for("v1beta1", "t0ken");
        it.user()["exec"]
            .as_object_mut()
            .expect("a map")
            .remove("interactiveMode");
    }),
    refused(
        "a plugin of version 1 without interactiveMode",
        |it| {
            it.plugin_for("v1", "t");
            it.user()["exec"]
                .as_object_mut()
                .expect("a map")
                .remove("interactiveMode");
        },
        &["no interactiveMode"],
    ),
    refused(
        "a plugin of a version that was removed",
        |it| it.plugin_for("v1alpha1", "t"),
        &["v1alpha1", "removed"],
    ),
    works("a plugin with arguments, variables and the cluster", |it| {
        it.wants("Bearer t0ken-x");
        it.plugin("v1", "echo \"$KUBERNETES_EXEC_INFO\" | grep -q certificate-authority-data || exit 3\nprintf '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"%s-%s\"}}' \"$TOKEN\" \"$1\"");
        it.user()["exec"]["args"] = json!(["x"]);
        it.user()["exec"]["env"] = json!([{"name": "TOKEN", "value": "t0ken"}]);
        it.user()["exec"]["provideClusterInfo"] = json!(true);
    }),
    works("a plugin by a path relative to the kubeconfig", |it| {
        it.wants("Bearer t0ken");
        it.plugin_for("v1", "t0ken");
        it.user()["exec"]["command"] = json!("bin/plugin");
    }),
    refused(
        "a plugin that is not installed",
        |it| {
            it.plugin_for("v1", "t");
            it.user()["exec"]["command"] = json!("no-such-plugin");
            it.user()["exec"]["installHint"] = json!("get it from the shop");
        },
        &[
            "credential plugin no-such-plugin is not installed",
            "get it from the shop",
        ],
    ),
    refused(
        "a plugin that fails",
        |it| it.plugin("v1", "echo expired >&2; exit 7"),
        &["credential plugin failed", "expired"],
    ),
    refused(
        "a plugin of another version than it says",
        |it| {
            it.plugin_for("v1beta1", "t");
            it.user()["exec"]["apiVersion"] = json!("client.authentication.k8s.io/v1");
        },
        &["not an ExecCredential of client.authentication.k8s.io/v1"],
    ),
    refused(
        "a plugin that must ask somebody, where nobody is",
        |it| {
            it.plugin_for("v1", "t");
            it.user()["exec"]["interactiveMode"] = json!("Always");
        },
        &["standard input is not a terminal"],
    ),
    refused(
        "an auth-provider that was removed",
        |it| *it.user() = json!({"auth-provider": {"name": "gcp", "config": {}}}),
        &["auth-provider `gcp`", "gke-gcloud-auth-plugin"],
    ),
    refused(
        "an auth-provider that nobody knows",
        |it| *it.user() = json!({"auth-provider": {"name": "other"}}),
        &["auth-provider `other`", "exec plugin"],
    ),
    refused(
        "an auth-provider whose token has ended",
        |it| {
            it.wants("Bearer t0ken");
            *it.user() = oidc(ENDED);
        },
        &["auth-provider `oidc` expired on", "kubelogin"],
    ),
];
