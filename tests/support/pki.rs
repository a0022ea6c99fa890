//! Credentials signed by the keys of the test cluster, for any time that a test likes.

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// When the credentials of a test expired, as the standards write it: in X.509, in JSON Web Tokens, and for people.
pub const LONG_AGO: (&str, u32, &str) = ("20200102000000Z", 1_577_923_200, "2020-01-02T00:00:00Z");

/// What `openssl ca` asks for before it signs with a given end.
const AUTHORITY: &str = "[ca]\ndefault_ca = own\n[own]\ndatabase = index\nnew_certs_dir = .\nrand_serial = yes\n\
    default_md = sha256\npolicy = any\nx509_extensions = client\n[any]\ncommonName = supplied\n[client]\n\
    keyUsage = critical,digitalSignature\nextendedKeyUsage = clientAuth\n";

/// A kubeconfig's `user` with a client certificate of the cluster's own authority, in this directory.
pub fn client_certificate(dir: &Path, user: &str, until: &str) -> Value {
    std::fs::write(dir.join("authority.conf"), AUTHORITY).expect("a file");
    std::fs::write(dir.join("index"), "").expect("a file");
    let subject = format!("/CN={user}");
    let request = [
        "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "user.key", "-out", "user.csr",
        "-subj", &subject,
    ];
    openssl(dir, request);
    let [authority, key] =
        ["ca.crt", "ca.key"].map(|name| cluster_file(name).display().to_string());
    let sign = [
        "ca",
        "-batch",
        "-notext",
        "-config",
        "authority.conf",
        "-cert",
        &authority,
        "-keyfile",
        &key,
        "-startdate",
        "20200101000000Z",
        "-enddate",
        until,
        "-in",
        "user.csr",
        "-out",
        "user.crt",
    ];
    openssl(dir, sign);
    json!({"client-certificate": dir.join("user.crt"), "client-key": dir.join("user.key")})
}

/// A service account's token that was issued long ago and has another end, signed as the cluster signs them.
pub fn token_until(token: &str, expires: u32) -> String {
    let mut parts = token.split('.');
    let (header, claims) = (
        parts.next().expect("a header"),
        parts.next().expect("claims"),
    );
    let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64");
    let mut claims: Value = serde_json::from_slice(&claims).expect("JSON");
    let issued = LONG_AGO.1 - 3600;
    for (claim, time) in [("iat", issued), ("nbf", issued), ("exp", expires)] {
        claims[claim] = json!(time);
    }
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(dir.path().join("signed"), &signed).expect("a file");
    let key = cluster_file("sa.key").display().to_string();
    openssl(
        dir.path(),
        [
            "dgst",
            "-sha256",
            "-sign",
            &key,
            "-out",
            "signature",
            "signed",
        ],
    );
    let signature = std::fs::read(dir.path().join("signature")).expect("a signature");
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A key or certificate of the test cluster.
fn cluster_file(name: &str) -> PathBuf {
    let dir = std::env::var("TNTC_TEST_PKI").expect(
        "TNTC_TEST_PKI names the directory of the cluster's keys; `tests/cluster/env` prints it",
    );
    Path::new(&dir).join(name)
}

#[track_caller]
fn openssl<const N: usize>(dir: &Path, arguments: [&str; N]) {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(dir)
        .output();
    let output = output.expect("openssl runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
