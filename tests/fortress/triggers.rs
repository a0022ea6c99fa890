//! What strangers send to a workflow: forged, cut, replayed, ambiguous, too much and without an end.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Map, json};

use super::attack::Layer::Engine;
use super::attack::Outcome::{Blocked, Contained, Limit};
use super::attack::{Attack, answered, judge, tested};
use super::network::webhook_workflow;
use crate::support::{Namespace, Workflow, deploying, log, runs, wait_for};

const fn bad_request(name: &'static str, what: &'static str) -> Attack {
    answered(name, what, Blocked(Engine), "400 | nothing")
}

const fn unsigned(name: &'static str, what: &'static str) -> Attack {
    answered(name, what, Blocked(Engine), "401")
}

const fn unknown(name: &'static str, what: &'static str) -> Attack {
    answered(name, what, Blocked(Engine), "404")
}

/// Those that [`requests`] sends to the port of webhooks, with the statuses of the answers.
pub const REQUESTS: &[Attack] = &[
    answered(
        "honest",
        "an honest webhook, to know that the others could be answered",
        Contained("this is what the trigger is for"),
        "202",
    ),
    bad_request(
        "smuggle-length-and-chunks",
        "hides a request in a body with both a length and chunks",
    ),
    bad_request(
        "smuggle-two-lengths",
        "hides a request in a body of two lengths",
    ),
    bad_request(
        "smuggle-list-of-lengths",
        "writes two lengths in one header",
    ),
    bad_request("smuggle-signed-length", "writes a length with a sign"),
    bad_request("smuggle-hex-length", "writes a length in another base"),
    bad_request(
        "smuggle-unknown-coding",
        "names a transfer coding that nobody knows",
    ),
    bad_request("smuggle-folded-header", "folds a header"),
    bad_request(
        "smuggle-space-before-colon",
        "puts a space before a header's colon",
    ),
    bad_request("smuggle-old-chunks", "sends chunks by HTTP/1.0"),
    bad_request(
        "smuggle-long-chunk",
        "sends a chunk of more than 2^64 bytes",
    ),
    bad_request("nul-in-header", "puts a NUL into a header"),
    bad_request("host-is-a-path", "names a path in the Host header"),
    answered(
        "pipelined",
        "asks for a run behind a webhook on the same connection",
        Blocked(Engine),
        "202 404",
    ),
    unknown("absolute-url", "names the other port in an absolute URL"),
    unknown("encoded-path", "encodes the path of a run"),
    unknown("dots-in-path", "reaches the path of a run by `..`"),
    unknown("double-slash", "doubles the slash of the path of a run"),
    unknown("metrics", "reads metrics on the port of webhooks"),
    answered(
        "method-override",
        "overrides the method by a header",
        Blocked(Engine),
        "405",
    ),
    answered(
        "tunnel",
        "asks for a tunnel through the pod",
        Blocked(Engine),
        "400 | 404 | 405 | nothing",
    ),
    answered(
        "long-header",
        "sends a header of 1 MiB",
        Blocked(Engine),
        "400 | 431 | nothing",
    ),
    answered(
        "many-headers",
        "sends 10 000 headers",
        Blocked(Engine),
        "400 | 431 | nothing",
    ),
    answered(
        "long-body",
        "declares a body of 9 MiB",
        Blocked(Engine),
        "413 | nothing",
    ),
    bad_request("not-json", "sends what is not JSON"),
    bad_request("not-utf-8", "sends JSON that is not UTF-8"),
    answered(
        "deep-json",
        "sends JSON 100 000 levels deep",
        Blocked(Engine),
        "400 | 413 | 202",
    ),
    answered(
        "signed",
        "a signed delivery, to know that the others could be accepted",
        Contained("this is what the trigger is for"),
        "202",
    ),
    unsigned("signature-missing", "sends a delivery without a signature"),
    unsigned("signature-empty", "signs it with nothing"),
    unsigned("signature-sha1", "signs it by SHA-1 alone"),
    unsigned(
        "signature-without-prefix",
        "leaves the signature's prefix out",
    ),
    unsigned("signature-cut", "cuts the signature"),
    unsigned("signature-longer", "adds to the signature"),
    unsigned(
        "signature-of-another-body",
        "takes another body's signature",
    ),
    unsigned("signature-of-another-key", "signs it with another key"),
    unsigned("signature-of-no-key", "signs it with the empty key"),
    unsigned("signature-twice", "sends a wrong signature and a right one"),
    answered(
        "signature-header-changed",
        "changes the event of a signed delivery, which is not signed",
        Limit("GitHub signs the body alone"),
        "202",
    ),
];

const QUEUE: &str = "engine/tests/queue_test.ts";
const DURABLE: &str = "engine/tests/durable_test.ts";
const WEBHOOK: &str = "engine/core/webhook_test.ts";
const HERE: &str = "tests/fortress/triggers.rs";

/// Those that have a test of their own.
pub const TESTED: &[Attack] = &[
    tested(
        "flood",
        "sends 8 MiB bodies of every shape beside 1 000 requests that are never finished",
        Blocked(Engine),
        HERE,
        "whatever_strangers_send_a_pod_of_256_mib_lives",
    ),
    tested(
        "slow-body",
        "sends a body that does not come",
        Blocked(Engine),
        "engine/core/admission_test.ts",
        "a body that does not come is given up, and its connection with it",
    ),
    tested(
        "replay",
        "replays a delivery under another id",
        Blocked(Engine),
        WEBHOOK,
        "a replay under another id is ignored, and a redelivery after a failure runs",
    ),
    tested(
        "forged-id",
        "uses up the id of a delivery that is on its way",
        Blocked(Engine),
        WEBHOOK,
        "a forged delivery does not use up a delivery's id",
    ),
    tested(
        "no-key",
        "sends a delivery while the key is not provisioned",
        Blocked(Engine),
        WEBHOOK,
        "without its secret a GitHub webhook is refused, not waved through",
    ),
    tested(
        "web-page",
        "posts from a web page to `tntc dev`",
        Blocked(Engine),
        "tests/fortress/page.rs",
        "a_web_page_starts_no_run",
    ),
    tested(
        "rebound-name",
        "rebinds a web page's name to the developer's machine",
        Blocked(Engine),
        "engine/tests/seal_test.ts",
        "a web page cannot start a run on a developer's machine",
    ),
    tested(
        "reply-subject",
        "has a result published on a subject of its choice",
        Blocked(Engine),
        QUEUE,
        "a result is published on inboxes and the trigger's own prefix only",
    ),
    tested(
        "message-flood",
        "sends messages faster than they are handled",
        Blocked(Engine),
        QUEUE,
        "a burst that there is no room for is dropped and counted, and ends nothing",
    ),
    tested(
        "poison",
        "sends a message that no engine survives",
        Blocked(Engine),
        DURABLE,
        "a message that no engine survives is buried without another try",
    ),
    tested(
        "dead-letters",
        "has dead letters make dead letters without an end",
        Blocked(Engine),
        DURABLE,
        "a dead letter that fails again is not buried again",
    ),
    tested(
        "large-dead-letter",
        "sends a message whose dead letter the server refuses",
        Blocked(Engine),
        DURABLE,
        "a dead letter that is too large for the server is buried without its data",
    ),
    tested(
        "own-dead-letters",
        "writes a trigger that is started by its own dead letters",
        Blocked(super::attack::Layer::Tntc),
        "engine/core/subject_test.ts",
        "triggers whose dead letters come back to them are refused, alone or together",
    ),
];

/// Longer than the engine takes for any of them; it is reached only where a connection stays open.
const PATIENCE: Duration = Duration::from_secs(5);

/// The key of the webhooks that are signed.
const KEY: &str = "CANARY-hook-7c11";

/// `HMAC-SHA256`, as GitHub writes it.
fn signature(key: &str, body: &str) -> String {
    let key = key
        .bytes()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let mut openssl = Command::new("openssl")
        .args(["dgst", "-sha256", "-mac", "HMAC", "-macopt"])
        .args([format!("hexkey:{key}"), "-r".to_owned()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("openssl runs");
    let mut stdin = openssl.stdin.take().expect("a pipe");
    stdin.write_all(body.as_bytes()).expect("openssl reads");
    drop(stdin);
    let output = openssl.wait_with_output().expect("openssl ends");
    let text = String::from_utf8(output.stdout).expect("text");
    text.split(' ').next().expect("a digest").to_owned()
}

/// A delivery with this body and these headers.
fn delivery(body: &str, headers: &[&str]) -> Vec<u8> {
    let mut head = format!(
        "POST /webhook/github HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-github-event: push\r\n\
         content-length: {}\r\n",
        body.len()
    );
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    format!("{head}\r\n{body}").into_bytes()
}

fn deliveries() -> Vec<(&'static str, Vec<u8>)> {
    let right = |body: &str| signature(KEY, body);
    let header = |value: &str| format!("x-hub-signature-256: {value}");
    let prefixed = |value: &str| header(&format!("sha256={value}"));
    let one = |body: &str, header: String| delivery(body, &[&header]);
    let body = "{\"n\":1}";
    let cut = &right(body)[..63];
    vec![
        ("signed", one("{\"n\":0}", prefixed(&right("{\"n\":0}")))),
        ("signature-missing", delivery(body, &[])),
        ("signature-empty", one(body, header(""))),
        (
            "signature-sha1",
            one(
                body,
                "x-hub-signature: sha1=0000000000000000000000000000000000000000".to_owned(),
            ),
        ),
        ("signature-without-prefix", one(body, header(&right(body)))),
        ("signature-cut", one(body, prefixed(cut))),
        (
            "signature-longer",
            one(body, prefixed(&format!("{}0", right(body)))),
        ),
        (
            "signature-of-another-body",
            one(body, prefixed(&right("{}"))),
        ),
        (
            "signature-of-another-key",
            one(body, prefixed(&signature("guess", body))),
        ),
        ("signature-of-no-key", one(body, prefixed(&keyless(body)))),
        (
            "signature-twice",
            delivery(body, &[&prefixed(cut), &prefixed(&right(body))]),
        ),
        (
            "signature-header-changed",
            delivery(
                "{\"n\":2}",
                &[&prefixed(&right("{\"n\":2}")), "x-github-delivery: other"],
            ),
        ),
    ]
}

/// openssl takes no empty key; a key of zeros is the same one, by RFC 2104.
fn keyless(body: &str) -> String {
    signature("\0", body)
}

fn raw(first: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("{first} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n{body}").into_bytes()
}

fn hook(headers: &str, body: &str) -> Vec<u8> {
    raw("POST /in", headers, body)
}

/// Requests that two readers could take for different ones.
fn ambiguous() -> Vec<(&'static str, Vec<u8>)> {
    let hidden = "0\r\n\r\nPOST /run HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}";
    let length = format!("content-length: {}\r\n", hidden.len());
    let chunked = "transfer-encoding: chunked\r\n";
    vec![
        (
            "smuggle-length-and-chunks",
            hook(&format!("{length}{chunked}"), hidden),
        ),
        (
            "smuggle-two-lengths",
            hook(&format!("content-length: 0\r\n{length}"), hidden),
        ),
        (
            "smuggle-list-of-lengths",
            hook("content-length: 2, 3\r\n", "{}"),
        ),
        (
            "smuggle-signed-length",
            hook("content-length: +2\r\n", "{}"),
        ),
        ("smuggle-hex-length", hook("content-length: 0x2\r\n", "{}")),
        (
            "smuggle-unknown-coding",
            hook("transfer-encoding: xchunked\r\n", hidden),
        ),
        (
            "smuggle-folded-header",
            hook("x: a\r\n content-length: 2\r\n", "{}"),
        ),
        (
            "smuggle-space-before-colon",
            hook("content-length : 2\r\n", "{}"),
        ),
        (
            "smuggle-old-chunks",
            format!("POST /in HTTP/1.0\r\nhost: x\r\n{chunked}\r\n{hidden}").into_bytes(),
        ),
        (
            "smuggle-long-chunk",
            hook(chunked, "fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
        ),
        (
            "nul-in-header",
            hook("x: a\0b\r\ncontent-length: 2\r\n", "{}"),
        ),
    ]
}

/// What is sent, by the names of the attacks.
fn requests() -> Vec<(&'static str, Vec<u8>)> {
    let json = |body: &str| hook(&format!("content-length: {}\r\n", body.len()), body);
    let run = |path: &str| raw(&format!("POST {path}"), "content-length: 2\r\n", "{}");
    let pipelined = "POST /in HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}POST /run HTTP/1.1\r\nhost: x\r\n\
                     connection: close\r\ncontent-length: 2\r\n\r\n{}";
    let not_utf8 = [&hook("content-length: 3\r\n", "")[..], b"\"\xff\""].concat();
    let mut all = vec![
        ("honest", json("{}")),
        (
            "host-is-a-path",
            b"POST / HTTP/1.1\r\nhost: x/in?\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}"
                .to_vec(),
        ),
        ("pipelined", pipelined.as_bytes().to_vec()),
        ("absolute-url", run("http://x:8080/run")),
        ("encoded-path", run("/%72un")),
        ("dots-in-path", run("/in/../run")),
        ("double-slash", run("//run")),
        ("metrics", raw("GET /metrics", "", "")),
        (
            "method-override",
            raw("GET /in", "x-http-method-override: POST\r\n", ""),
        ),
        ("tunnel", raw("CONNECT 127.0.0.1:8080", "", "")),
        (
            "long-header",
            hook(&format!("x: {}\r\n", "y".repeat(1 << 20)), ""),
        ),
        ("many-headers", hook(&"x: y\r\n".repeat(10_000), "")),
        ("long-body", hook("content-length: 9437184\r\n", "{")),
        ("not-json", json("{")),
        ("not-utf-8", not_utf8),
        (
            "deep-json",
            json(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))),
        ),
    ];
    all.extend(ambiguous());
    all.extend(deliveries());
    all
}

/// The statuses of what is answered to these bytes, one after the other.
fn statuses(address: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    // What is refused is not read to its end.
    drop(stream.write_all(request));
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    let text = String::from_utf8_lossy(&answer);
    let found = text.match_indices("HTTP/1.1 ");
    let found: Vec<_> = found.map(|(at, _)| &text[at + 9..at + 12]).collect();
    if found.is_empty() {
        return "nothing".to_owned();
    }
    found.join(" ")
}

#[test]
fn no_request_of_a_stranger_is_taken_for_another() {
    let namespace = Namespace::new("forged");
    let workflow = webhook_workflow();
    workflow.replace(
        "workflow.yaml",
        "{type: webhook, path: /in}",
        "{type: webhook, path: /in}, {type: webhook, provider: github}",
    );
    workflow.write(
        ".secrets.yaml",
        &format!("github: {{webhook_secret: {KEY}}}\n"),
    );
    let address = open_to_all(&workflow, &namespace);
    becomes("202", || statuses(&address, &requests()[0].1));
    let mut found = Map::new();
    for (name, request) in requests() {
        found.insert(name.to_owned(), json!(statuses(&address, &request)));
    }
    judge(REQUESTS, &found.into(), "the port of webhooks");
    assert_eq!(restarts(&namespace), 0);
}

#[track_caller]
fn becomes(expected: &str, look: impl Fn() -> String) {
    wait_for(expected, || (look() == expected).then_some(()));
}

/// Sends the head of a request and the beginning of its body; the connection stays open.
fn half_sent(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("a connection");
    let head = "POST /in HTTP/1.1\r\nhost: x\r\ncontent-length: 8388608\r\n\r\n{";
    stream.write_all(head.as_bytes()).expect("the engine reads");
    stream
}

/// Posts a body; the status of the answer, or nothing when the connection was closed.
fn post(address: &str, body: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(address).ok()?;
    let head = format!(
        "POST /in HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    // A refused body is not read to its end.
    drop(stream.write_all(body));
    let mut answer = String::new();
    drop(stream.read_to_string(&mut answer));
    answer.get(9..12)?.parse().ok()
}

/// Restarts of the only engine pod's container.
fn restarts(namespace: &Namespace) -> u64 {
    let pod = namespace.list("pods").into_iter().next().expect("a pod");
    pod["status"]["containerStatuses"][0]["restartCount"]
        .as_u64()
        .expect("a count")
}

fn open_to_all(workflow: &Workflow, namespace: &Namespace) -> String {
    deploying(workflow, namespace, &["--wait"]).run().exits(0);
    let service = namespace.get("service", "hooked");
    format!(
        "{}:8081",
        service["spec"]["clusterIP"].as_str().expect("an address")
    )
}

#[test]
fn whatever_strangers_send_a_pod_of_256_mib_lives() {
    let namespace = Namespace::new("flooded");
    let address = open_to_all(&webhook_workflow(), &namespace);
    becomes("202", || {
        post(&address, b"{}").map_or_else(String::new, |status| status.to_string())
    });
    let bodies_each = runs(40);
    let held: Vec<_> = (0..bodies_each * 25).map(|_| half_sent(&address)).collect();
    let row = b"{\"id\":1,\"name\":\"some name that is not short\"},";
    let mut rows = b"[".to_vec();
    while rows.len() < 8_000_000 {
        rows.extend_from_slice(row);
    }
    rows.extend_from_slice(b"0]");
    let bodies = [
        rows,
        [&b"["[..], &b"[],".repeat(2_600_000), &b"0]"[..]].concat(),
        b"[".repeat(8_000_000),
        [&b"\""[..], &b"x".repeat(8_000_000), &b"\""[..]].concat(),
    ];
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for body in bodies.iter().cycle().take(bodies_each) {
                    let status = post(&address, body);
                    assert!(
                        matches!(status, None | Some(202 | 400 | 413 | 503)),
                        "{status:?}"
                    );
                }
            });
        }
    });
    assert_eq!(restarts(&namespace), 0);
    drop(held);
    becomes("202", || {
        post(&address, b"{}").map_or_else(String::new, |status| status.to_string())
    });
}

/// The pod's own grace period is over an hour here; a liveness probe has its own.
#[test]
fn an_endless_loop_costs_a_restart_and_not_the_grace_period() {
    let namespace = Namespace::new("looping");
    let workflow = webhook_workflow();
    workflow.replace(
        "workflow.yaml",
        "version: \"1.0\"",
        "version: \"1.0\"\nconfig: {timeout: 1h}",
    );
    workflow.write(
        "nodes/only.ts",
        &crate::support::node("if (input.loop) while (true); return input;"),
    );
    let address = open_to_all(&workflow, &namespace);
    becomes("202", || {
        post(&address, b"{}").map_or_else(String::new, |status| status.to_string())
    });
    assert_eq!(
        post(&address, b"{\"loop\":true}"),
        Some(202),
        "answered before the root computes"
    );
    let mut looks = 0;
    while restarts(&namespace) == 0 {
        looks += 1;
        assert!(looks < 360, "the pod is still looping");
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
    becomes("202", || {
        post(&address, b"{}").map_or_else(String::new, |status| status.to_string())
    });
    let before = log(&namespace, "hooked", &["--previous"]);
    let culprit = "the event loop has been blocked for 5 s; last to start: node only runId=";
    assert!(before.contains(culprit), "{before}");
}
