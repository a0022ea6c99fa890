//! Proxies: of the kubeconfig and of the environment, of each kind, with the right login and with a wrong one.

use serde_json::json;

use super::servers::Servers;
use super::setup::Setup;
use super::{Case, refused, try_all, works};
use crate::support::{Kubeconfig, Workflow, deployed, tntc};

#[test]
fn proxies_lead_to_the_cluster_as_for_kubectl() {
    try_all(&PROXIES);
}

const WRONG: &str = "the proxy wants other credentials";

/// The cluster by this proxy alone.
fn by(it: &mut Setup<'_>, scheme: &str, login: &str, name: &str) {
    it.behind_a_proxy();
    let url = format!("{scheme}://{login}{}", it.servers.at(name));
    it.cluster()["proxy-url"] = json!(url);
}

/// As [`by`], but by the cluster's address: kubectl expects the cluster's `tls-server-name` of a proxy in TLS, too.
fn by_tls(it: &mut Setup<'_>, login: &str, name: &str) {
    let url = format!("https://{login}{}", it.servers.at(name));
    it.cluster()["proxy-url"] = json!(url);
    trust(it);
}

/// kubectl lets the cluster's authorities sign for a proxy in TLS as well, and nobody else.
fn trust(it: &mut Setup<'_>) {
    let mut authorities = Setup::decoded(&it.cluster()["certificate-authority-data"]);
    let ca = it.servers.dir.path().join("ca.pem");
    authorities.extend(std::fs::read(ca).expect("a certificate"));
    it.cluster()["certificate-authority-data"] = json!(Setup::encoded(&authorities));
}

/// The cluster's real address, and a proxy that nobody listens on: only what goes past it arrives.
fn past(it: &mut Setup<'_>, no_proxy: &str) {
    it.env("HTTPS_PROXY", "http://127.0.0.1:9");
    it.env("NO_PROXY", no_proxy);
}

const PROXIES: [Case; 29] = [
    works("proxy-url with http", |it| by(it, "http", "", "proxy")),
    works("proxy-url with http and a login", |it| {
        by(it, "http", "ada:p%40ss%3Aword@", "proxyLogin");
    }),
    refused(
        "proxy-url with http and a wrong login",
        |it| by(it, "http", "ada:wrong@", "proxyLogin"),
        &[WRONG, "by the proxy http://127.0.0.1"],
    ),
    refused(
        "proxy-url with http and no login",
        |it| by(it, "http", "", "proxyLogin"),
        &[WRONG],
    ),
    works("proxy-url with https", |it| by_tls(it, "", "proxyTls")),
    works("proxy-url with https and a login", |it| {
        by_tls(it, "ada:p%40ss%3Aword@", "proxyTlsLogin");
    }),
    refused(
        "proxy-url with https and a wrong login",
        |it| by_tls(it, "ada:wrong@", "proxyTlsLogin"),
        &[WRONG],
    ),
    works("proxy-url with socks5", |it| by(it, "socks5", "", "socks")),
    works("proxy-url with socks5 and a login", |it| {
        by(it, "socks5", "ada:p%40ss%3Aword@", "socksLogin");
    }),
    refused(
        "proxy-url with socks5 and a wrong login",
        |it| by(it, "socks5", "ada:wrong@", "socksLogin"),
        &[WRONG],
    ),
    refused(
        "proxy-url with another scheme",
        |it| by(it, "ftp", "", "proxy"),
        &["proxy-url", "`ftp`"],
    ),
    refused(
        "proxy-url with socks5h",
        |it| by(it, "socks5h", "", "socks"),
        &["socks5h"],
    ),
    refused(
        "a proxy that nobody listens on",
        |it| it.cluster()["proxy-url"] = json!("http://127.0.0.1:9"),
        &[
            "by the proxy http://127.0.0.1:9",
            "the proxy does not answer",
        ],
    ),
    refused(
        "a proxy that does not let this through",
        |it| {
            by(it, "http", "", "proxy");
            it.cluster()["server"] = json!("https://forbidden.test:6443");
        },
        &["does not let the connection through"],
    ),
    works("HTTPS_PROXY", |it| {
        it.behind_a_proxy();
        let at = format!("http://{}", it.servers.at("proxy"));
        it.env("HTTPS_PROXY", at);
    }),
    works("https_proxy without a scheme, with a login", |it| {
        it.behind_a_proxy();
        let at = format!("ada:p%40ss%3Aword@{}", it.servers.at("proxyLogin"));
        it.env("https_proxy", at);
    }),
    refused(
        "HTTPS_PROXY with a wrong login",
        |it| {
            it.behind_a_proxy();
            let at = format!("http://ada:wrong@{}", it.servers.at("proxyLogin"));
            it.env("HTTPS_PROXY", at);
        },
        &[WRONG],
    ),
    works("HTTPS_PROXY with https", |it| {
        trust(it);
        let at = format!("https://{}", it.servers.at("proxyTls"));
        it.env("HTTPS_PROXY", at);
    }),
    works("HTTPS_PROXY with socks5h", |it| {
        it.behind_a_proxy();
        let at = format!("socks5h://{}", it.servers.at("socks"));
        it.env("HTTPS_PROXY", at);
    }),
    works("proxy-url before HTTPS_PROXY and NO_PROXY", |it| {
        by(it, "http", "", "proxy");
        past(it, "*");
    }),
    refused(
        "HTTPS_PROXY that nobody listens on",
        |it| past(it, "example.com"),
        &["by the proxy http://127.0.0.1:9"],
    ),
    works("NO_PROXY with an address", |it| {
        past(it, "example.com, 198.18.128.1");
    }),
    works("NO_PROXY with an address and a port", |it| {
        past(it, "198.18.128.1:6443");
    }),
    refused(
        "NO_PROXY with another port",
        |it| past(it, "198.18.128.1:443"),
        &["by the proxy"],
    ),
    works("NO_PROXY with a range", |it| {
        past(it, "10.0.0.0/8,198.18.0.0/15");
    }),
    works("NO_PROXY with a star", |it| past(it, "*")),
    works("no_proxy in lower case", |it| {
        it.env("https_proxy", "http://127.0.0.1:9");
        it.env("no_proxy", "198.18.128.1");
    }),
    works("HTTP_PROXY is not for TLS", |it| {
        it.env("HTTP_PROXY", "http://127.0.0.1:9");
    }),
    works("loopback needs no NO_PROXY", |it| {
        it.wants("Bearer t0ken");
        *it.user() = json!({"token": "t0ken"});
        past(it, "");
    }),
];

#[test]
fn a_workflow_runs_by_attached_streams_and_forwarded_ports_behind_a_proxy() {
    let servers = Servers::start();
    let workflow = Workflow::of_one_node("behind", "return 42;");
    let namespace = deployed(&workflow, "behind");
    let kubeconfig = Kubeconfig::current()
        .at("https://cluster.test:6443")
        .with_server_name("kubernetes");
    for (scheme, name) in [("http", "proxyLogin"), ("socks5", "socksLogin")] {
        let proxy = format!("{scheme}://ada:p%40ss%3Aword@{}", servers.at(name));
        let before = servers.tunnels();
        for via in ["pod", "port-forward"] {
            let answer = tntc(["run", "behind", "-n", &namespace.name, "--via", via])
                .env("KUBECONFIG", kubeconfig.path())
                .env("HTTPS_PROXY", &proxy)
                .run();
            if via == "port-forward" && answer.status != 0 {
                // A contract's NetworkPolicy may not let this way in; the stream itself was opened by the proxy.
                assert!(
                    answer.stderr.contains("forwarded port"),
                    "{}",
                    answer.stderr
                );
                continue;
            }
            answer.exits(0).answers("42");
        }
        assert!(
            servers.tunnels() > before,
            "nothing came by the {scheme} proxy"
        );
    }
}
