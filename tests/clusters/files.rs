//! Which files count, and what stands in them.

use serde_json::json;

use super::setup::Setup;
use super::{Case, refused, try_all, works};

#[test]
fn files_and_contexts_count_as_for_kubectl() {
    try_all(&FILES);
}

#[test]
fn servers_are_reached_as_by_kubectl() {
    try_all(&SERVERS);
}

const FILES: [Case; 24] = [
    works("as it is", |_| {}),
    works("a list with files that are missing", |it| {
        it.list = Some(format!(
            "{}::{}:{}",
            it.path("gone"),
            it.path("config"),
            it.path("lost")
        ));
    }),
    works("the first of two files that name a user decides", |it| {
        let mut later = it.config.clone();
        later["users"][0]["user"] = json!({"token": "wrong"});
        later["current-context"] = json!("elsewhere");
        let later = it.file("later", later.to_string());
        it.list = Some(format!("{}:{}", it.path("config"), later.display()));
    }),
    refused(
        "the first of two files decides also when it is wrong",
        |it| {
            let mut first = it.config.clone();
            first["users"][0]["user"] = json!({"token": "wrong"});
            let first = it.file("first", first.to_string());
            it.list = Some(format!("{}:{}", first.display(), it.path("config")));
        },
        &["Unauthorized", "kubeconfig user"],
    ),
    works("a cluster in one file and the user in another", |it| {
        let mut users = json!({"apiVersion": "v1", "kind": "Config"});
        users["users"] = it.config["users"].take();
        let users = it.file("users", users.to_string());
        it.list = Some(format!("{}:{}", it.path("config"), users.display()));
    }),
    refused(
        "only files that are missing",
        |it| {
            it.list = Some(format!("{}:{}", it.path("gone"), it.path("lost")));
        },
        &["no cluster", "gone", "lost", "does not exist"],
    ),
    refused(
        "one file of a list is no YAML",
        |it| {
            let broken = it.file("broken", "a: [");
            it.list = Some(format!("{}:{}", broken.display(), it.path("config")));
        },
        &["broken:", "not valid YAML"],
    ),
    works("--kubeconfig before KUBECONFIG", |it| {
        let own = it.file("own", it.config.to_string());
        it.arguments = vec!["--kubeconfig".to_owned(), own.display().to_string()];
        it.text = Some("{}".to_owned());
    }),
    refused(
        "--kubeconfig with a list",
        |it| {
            let config = it.path("config");
            it.arguments = vec!["--kubeconfig".to_owned(), format!("{config}:{config}")];
        },
        &["does not exist", "takes one file", "KUBECONFIG="],
    ),
    refused(
        "--kubeconfig that does not exist",
        |it| {
            it.arguments = vec!["--kubeconfig".to_owned(), it.path("nonexist")];
        },
        &["nonexist", "(from command line) does not exist"],
    ),
    refused(
        "a directory",
        |it| it.list = Some(it.path("")),
        &["cannot read the kubeconfig"],
    ),
    works("a context by its name", |it| {
        let name = it.config["current-context"].take();
        it.arguments = vec![
            "--context".to_owned(),
            name.as_str().expect("a name").to_owned(),
        ];
    }),
    refused(
        "a context that does not exist",
        |it| {
            it.arguments = vec!["--context".to_owned(), "absent".to_owned()];
        },
        &["no context `absent`", "it has: kind-tntc"],
    ),
    refused(
        "an empty current-context",
        |it| it.config["current-context"] = json!(""),
        &["names no current context", "kind-tntc"],
    ),
    refused(
        "an empty file",
        |it| it.text = Some(String::new()),
        &["names no current context", "no contexts at all"],
    ),
    refused(
        "a current-context that does not exist",
        |it| it.config["current-context"] = json!("absent"),
        &["no context `absent`"],
    ),
    refused(
        "a context whose cluster is missing",
        |it| it.context()["cluster"] = json!("absent"),
        &["there is no cluster `absent`"],
    ),
    refused(
        "a context whose user is missing",
        |it| it.context()["user"] = json!("absent"),
        &["there is no user `absent`"],
    ),
    refused(
        "something else than a kubeconfig",
        |it| it.config["kind"] = json!("Pod"),
        &["is not a kubeconfig"],
    ),
    refused(
        "a number for a token",
        |it| *it.user() = json!({"token": 12345}),
        &["user.token` must be text"],
    ),
    refused(
        "a list that is none",
        |it| it.config["users"] = json!("none"),
        &["`users` must be a list"],
    ),
    refused(
        "two users of one name",
        |it| {
            let user = it.config["users"][0].clone();
            it.config["users"].as_array_mut().expect("users").push(user);
        },
        &["two of its users are named"],
    ),
    works(
        "YAML with a byte order mark, comments and an anchor",
        |it| {
            let yaml = format!("\u{feff}# mine\n{}\n", it.config);
            it.text = Some(yaml);
        },
    ),
    works("a namespace in the context", |it| {
        it.context()["namespace"] = json!("kube-system");
    }),
];

fn authority(it: &mut Setup<'_>) -> Vec<u8> {
    Setup::decoded(&it.cluster()["certificate-authority-data"])
}

fn without_authority(it: &mut Setup<'_>) {
    let cluster = it.cluster().as_object_mut().expect("a map");
    cluster.remove("certificate-authority-data");
}

const SERVERS: [Case; 26] = [
    works("base64 broken into lines", |it| {
        let data = it.cluster()["certificate-authority-data"].take();
        let lines: Vec<_> = data
            .as_str()
            .expect("base64")
            .as_bytes()
            .chunks(64)
            .collect();
        it.cluster()["certificate-authority-data"] =
            json!(String::from_utf8(lines.join(&b"\n"[..])).expect("text") + "\n");
    }),
    refused(
        "what is no base64",
        |it| it.cluster()["certificate-authority-data"] = json!("#"),
        &["certificate-authority-data` is not valid base64"],
    ),
    refused(
        "base64 of no certificate",
        |it| it.cluster()["certificate-authority-data"] = json!("aGVsbG8="),
        &["holds no certificate in PEM", "context `kind-tntc`"],
    ),
    works("an authority in a file beside the kubeconfig", |it| {
        let authority = authority(it);
        it.file("pki/ca.crt", authority);
        without_authority(it);
        it.cluster()["certificate-authority"] = json!("pki/ca.crt");
    }),
    refused(
        "an authority in a file that is missing",
        |it| {
            without_authority(it);
            it.cluster()["certificate-authority"] = json!("pki/ca.crt");
        },
        &["cannot read certificate-authority", "pki/ca.crt"],
    ),
    refused(
        "an authority twice",
        |it| {
            let authority = authority(it);
            it.file("ca.crt", authority);
            it.cluster()["certificate-authority"] = json!("ca.crt");
        },
        &["only one can count"],
    ),
    refused(
        "no authority",
        without_authority,
        &[
            "signed by an authority that the kubeconfig does not name",
            "https://198.18.128.1:6443",
            "context `kind-tntc`, user `testbed-admin`",
        ],
    ),
    works("no authority, and none asked for", |it| {
        without_authority(it);
        it.cluster()["insecure-skip-tls-verify"] = json!(true);
    }),
    refused(
        "an authority that is not to be asked",
        |it| it.cluster()["insecure-skip-tls-verify"] = json!(true),
        &["exclude each other"],
    ),
    works("an authority of the system", |it| {
        let authority = authority(it);
        let file = it.file("system.pem", authority);
        without_authority(it);
        it.env("SSL_CERT_FILE", file.display().to_string());
    }),
    works("the name in the certificate", |it| {
        it.cluster()["tls-server-name"] = json!("kubernetes.default");
    }),
    refused(
        "another name than the certificate's",
        |it| it.cluster()["tls-server-name"] = json!("other.test"),
        &["certificate is for another name", "tls-server-name"],
    ),
    refused(
        "no server",
        |it| it.cluster()["server"] = json!(""),
        &["it has no server"],
    ),
    refused(
        "no cluster at all",
        |it| *it.cluster() = json!({}),
        &["it has no server"],
    ),
    refused(
        "a server without a scheme",
        |it| it.cluster()["server"] = json!("198.18.128.1:6443"),
        &["not an API server", "https://"],
    ),
    works("a server without a scheme that speaks plain HTTP", |it| {
        let at = it.servers.at("plain");
        *it.cluster() = json!({"server": at});
    }),
    works("plain HTTP", |it| it.plain("plain")),
    refused(
        "another scheme",
        |it| it.cluster()["server"] = json!("ftp://198.18.128.1"),
        &["neither https nor http"],
    ),
    refused(
        "plain HTTP where TLS is expected",
        |it| {
            let server = format!("https://{}", it.servers.at("plain"));
            it.cluster()["server"] = json!(server);
        },
        &["does not speak TLS", "user `testbed-admin`"],
    ),
    refused(
        "a port that nobody listens on",
        |it| it.cluster()["server"] = json!("https://127.0.0.1:9"),
        &[
            "cannot reach the Kubernetes API at https://127.0.0.1:9",
            "connection refused",
        ],
    ),
    refused(
        "a name that nobody knows",
        |it| it.cluster()["server"] = json!("https://nobody.invalid"),
        &["host name is not known", "https://nobody.invalid:443"],
    ),
    refused(
        "a web page",
        |it| {
            it.plain("page");
            it.raw = false;
        },
        &[
            "not an API server",
            "a web page (200 OK)",
            "http://127.0.0.1",
        ],
    ),
    refused(
        "a gateway that reaches nobody",
        |it| it.plain("gateway"),
        &["a web page (502 Bad Gateway)", "try again later"],
    ),
    refused(
        "half an answer",
        |it| {
            it.plain("nonsense");
            it.raw = false;
        },
        &["answer cannot be read"],
    ),
    refused(
        "a server that closes each connection",
        |it| it.plain("closing"),
        &["closed the connection"],
    ),
    refused(
        "a server that accepts and never answers",
        |it| {
            let server = format!("https://{}", it.servers.at("silent"));
            it.cluster()["server"] = json!(server);
        },
        &["no answer within 15 s", "https://127.0.0.1"],
    ),
];
