//! Webhooks of senders that prove who they are, and nodes that are given less than everything, in real pods.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::images::program;
use crate::support::{Namespace, Workflow, deployed, deploying, log, run, tntc, wait_for};

/// The key that every sender of the tests shares with its engine: base64, as Standard Webhooks has it.
const KEY: &str = "c2hhcmVkLXdpdGgtbm9ib2R5LWVsc2U=";
const OTHER_KEY: &str = "c29tZWJvZHktZWxzZSdzLW93bi1rZXkh";

type Headers = Vec<(&'static str, String)>;

/// A kind of sender: its name, and what the file says to verify it.
struct Sender {
    name: &'static str,
    verify: &'static str,
    /// What goes with a body that it sends at a time, in seconds.
    sign: fn(key: &str, body: &str, at: u64) -> Headers,
    /// Whether the time is part of what it proves.
    timed: bool,
}

impl Sender {
    /// Whether it proves no body, so that any number of equal requests are as good.
    fn is_token(&self) -> bool {
        self.verify.contains("bearer")
    }
}

const SENDERS: [Sender; 7] = [
    Sender {
        name: "hex",
        verify: "{hmac: sha256, header: X-Signature, prefix: \"sha256=\", secret: shop.key}",
        sign: |key, body, _| {
            vec![(
                "X-Signature",
                format!("sha256={}", hex(&hmac(key.as_bytes(), body))),
            )]
        },
        timed: false,
    },
    Sender {
        name: "base64",
        verify: "{hmac: sha256, header: X-Shop-Hmac, encoding: base64, secret: shop.key}",
        sign: |key, body, _| vec![("X-Shop-Hmac", STANDARD.encode(hmac(key.as_bytes(), body)))],
        timed: false,
    },
    Sender {
        name: "standard",
        verify: "{type: standard-webhooks, secret: shop.whsec}",
        sign: |key, body, at| {
            let key = STANDARD.decode(key).expect("base64");
            let signature = STANDARD.encode(hmac(&key, &format!("msg_{at}.{at}.{body}")));
            vec![
                ("webhook-id", format!("msg_{at}")),
                ("webhook-timestamp", at.to_string()),
                ("webhook-signature", format!("v1,b2xk v1,{signature}")),
            ]
        },
        timed: true,
    },
    Sender {
        name: "stripe",
        verify: "{type: stripe, secret: shop.key}",
        sign: |key, body, at| {
            let signature = hex(&hmac(key.as_bytes(), &format!("{at}.{body}")));
            vec![("Stripe-Signature", format!("t={at},v1={signature},v0=00"))]
        },
        timed: true,
    },
    Sender {
        name: "slack",
        verify: "{type: slack, secret: shop.key}",
        sign: |key, body, at| {
            let signature = hex(&hmac(key.as_bytes(), &format!("v0:{at}:{body}")));
            vec![
                ("X-Slack-Request-Timestamp", at.to_string()),
                ("X-Slack-Signature", format!("v0={signature}")),
            ]
        },
        timed: true,
    },
    Sender {
        name: "bearer",
        verify: "{type: bearer, secret: shop.key}",
        sign: |key, _, _| vec![("Authorization", format!("Bearer {key}"))],
        timed: false,
    },
    Sender {
        name: "gitlab",
        verify: "{type: bearer, header: X-Gitlab-Token, secret: shop.key}",
        sign: |key, _, _| vec![("X-Gitlab-Token", key.to_owned())],
        timed: false,
    },
];

/// HMAC-SHA256, by openssl.
fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("a file");
    let path = file.path().display().to_string();
    let key = format!("hexkey:{}", hex(key));
    let arguments = [
        "dgst", "-sha256", "-mac", "HMAC", "-macopt", &key, "-r", &path,
    ];
    let digest = program("openssl", arguments);
    let digits = digest.split(' ').next().expect("a digest");
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex");
    (0..digits.len()).step_by(2).map(byte).collect()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text");
        text
    })
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a time after 1970").as_secs()
}

/// Where the webhooks of a deployed workflow arrive.
struct Receiver {
    base: String,
}

impl Receiver {
    fn of(workflow: &str, namespace: &Namespace) -> Self {
        let service = namespace.get("service", workflow);
        let address = service["spec"]["clusterIP"].as_str().expect("an address");
        Self {
            base: format!("http://{address}:8081"),
        }
    }

    /// Posts as a sender would; the status and the answer.
    fn post(&self, path: &str, headers: &Headers, body: &str) -> (String, Value) {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), body).expect("a file");
        let data = format!("@{}", file.path().display());
        let url = format!("{}/{path}", self.base);
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        let mut arguments = vec![
            "-sS",
            "-m",
            "30",
            "-w",
            "\n%{http_code}",
            "-H",
            "content-type: application/json",
        ];
        for header in &headers {
            arguments.extend(["-H", header]);
        }
        arguments.extend(["--data-binary", &data, &url]);
        let answer = program("curl", arguments);
        let (body, status) = answer.rsplit_once('\n').expect("a status");
        (
            status.to_owned(),
            serde_json::from_str(body).unwrap_or_default(),
        )
    }

    #[track_caller]
    fn refuses(&self, path: &str, headers: &Headers, body: &str, what: &str) {
        let (status, answer) = self.post(path, headers, body);
        assert_eq!(status, "401", "{path}, {what}: {answer}");
    }
}

fn receiver() -> Workflow {
    let body = "ctx.log.info(\"ran\", ctx.run.trigger.name, JSON.stringify(input), ctx.run.trigger.delivery ?? \"unnamed\"); return input;";
    let workflow = Workflow::of_one_node("hooks", body);
    let triggers: Vec<_> = SENDERS
        .iter()
        .map(|it| {
            format!(
                "{{type: webhook, name: {0}, path: /{0}, verify: {1}}}",
                it.name, it.verify
            )
        })
        .collect();
    let triggers = format!("triggers: [{}]", triggers.join(", "));
    workflow.replace("workflow.yaml", "triggers: [{type: manual}]", &triggers);
    let secrets = json!({"shop": {"key": KEY, "whsec": format!("whsec_{KEY}")}});
    workflow.write(".secrets.yaml", &secrets.to_string());
    workflow
}

/// What is no proof: headers that are missing or there twice, another key, another time, another body.
fn refuses_all_else(receiver: &Receiver, sender: &Sender, body: &str, at: u64) {
    let Sender { name, sign, .. } = sender;
    let genuine = sign(KEY, body, at);
    receiver.refuses(name, &Vec::new(), body, "nothing");
    for (index, (header, value)) in genuine.iter().enumerate() {
        let mut without = genuine.clone();
        without.remove(index);
        receiver.refuses(name, &without, body, &format!("without {header}"));
        let twice = [genuine.clone(), vec![(*header, value.clone())]].concat();
        receiver.refuses(name, &twice, body, &format!("{header} twice"));
    }
    receiver.refuses(name, &sign(OTHER_KEY, body, at), body, "another key");
    if sender.timed {
        receiver.refuses(name, &sign(KEY, body, at - 310), body, "too old");
        receiver.refuses(name, &sign(KEY, body, at + 330), body, "too new");
    }
    if !sender.is_token() {
        receiver.refuses(name, &genuine, &format!("{body} "), "another body");
    }
}

#[test]
fn each_kind_of_sender_is_believed_when_it_proves_who_it_is_and_never_else() {
    let workflow = receiver();
    let namespace = deployed(&workflow, "hooks");
    let receiver = Receiver::of("hooks", &namespace);
    for sender in &SENDERS {
        let name = sender.name;
        let (body, at) = (format!("{{\"of\":\"{name}\"}}"), now());
        refuses_all_else(&receiver, sender, &body, at);
        let genuine = (sender.sign)(KEY, &body, at);
        let (status, answer) = receiver.post(name, &genuine, &body);
        assert_eq!(
            (status.as_str(), &answer["accepted"]),
            ("202", &json!(true)),
            "{name}: {answer}"
        );
        let (status, answer) = receiver.post(name, &genuine, &body);
        let again = ("202", &json!(sender.is_token()));
        assert_eq!(
            (status.as_str(), &answer["accepted"]),
            again,
            "{name}: {answer}"
        );
    }
    let runs = |name: &str| {
        let line = format!("ran {name} {{\"of\":\"{name}\"}} ");
        let text = log(&namespace, "hooks", &[]);
        text.lines().filter(|it| it.contains(&line)).count()
    };
    for sender in &SENDERS {
        let expected = if sender.is_token() { 2 } else { 1 };
        wait_for(sender.name, || {
            (runs(sender.name) == expected).then_some(())
        });
    }
    let text = log(&namespace, "hooks", &[]);
    assert_eq!(text.matches("INFO ran ").count(), 9, "{text}");
    assert!(
        text.contains("ran standard {\"of\":\"standard\"} msg_"),
        "{text}"
    );
    assert!(!text.contains(KEY), "{text}");
}

#[test]
fn slack_is_answered_its_challenge() {
    let workflow = receiver();
    let namespace = deployed(&workflow, "slack");
    let receiver = Receiver::of("hooks", &namespace);
    let body = r#"{"type": "url_verification", "challenge": "3eZbrw1aBm2rZgRNFdxV"}"#;
    let Sender { sign, .. } = &SENDERS[4];
    let (status, answer) = receiver.post("slack", &sign(KEY, body, now()), body);
    assert_eq!(
        (status.as_str(), answer),
        ("200", json!({"challenge": "3eZbrw1aBm2rZgRNFdxV"}))
    );
    receiver.refuses("slack", &sign(OTHER_KEY, body, now()), body, "another key");
}

#[test]
fn a_deploy_wants_the_secret_of_a_webhook_and_an_engine_without_it_refuses() {
    let workflow = receiver();
    workflow.write(".secrets.yaml", "shop: {whsec: whsec_!}\n");
    let namespace = Namespace::new("keyless");
    deploying(&workflow, &namespace, &[])
        .run()
        .exits(1)
        .says("shop.key");
    deploying(&workflow, &namespace, &["--warn", "--wait"])
        .run()
        .exits(0);
    let receiver = Receiver::of("hooks", &namespace);
    for Sender { name, sign, .. } in &SENDERS {
        let (status, answer) = receiver.post(name, &sign(KEY, "{}", now()), "{}");
        assert_eq!(status, "503", "{name}: {answer}");
    }
    let text = log(&namespace, "hooks", &[]);
    assert!(
        text.contains("WARN secrets not provisioned: shop.key"),
        "{text}"
    );
    assert!(
        text.contains("refused a webhook at /stripe: the secret shop.key is not provisioned"),
        "{text}"
    );
    assert!(
        text.contains(
            "refused a webhook at /standard: its secret is not whsec_ followed by base64"
        ),
        "{text}"
    );
}

#[test]
fn a_node_is_given_what_its_uses_name_and_nothing_else() {
    let body = "const ask = (what: () => unknown) => { try { return what() ?? \"none\"; } catch (error) { return (error as Error).message; } };
  return { api: ask(() => ctx.dependency(\"api\").secret), db: ask(() => ctx.dependency(`d${\"b\"}`).host), secrets: ask(() => ctx[\"sec\" + \"rets\" as \"secrets\"]) };";
    let workflow = Workflow::of_one_node("narrow", body);
    workflow.replace(
        "workflow.yaml",
        "nodes: {only: {path: nodes/only.ts}}",
        "nodes: {only: {path: nodes/only.ts, uses: [api]}, all: {path: nodes/all.ts}}",
    );
    workflow.write(
        "nodes/all.ts",
        &crate::support::node(
            "return [ctx.dependency(\"api\").host, ctx.dependency(\"db\").host];",
        ),
    );
    workflow.replace(
        "workflow.yaml",
        "dependencies: {}",
        "dependencies: {api: {protocol: https, host: api.example.com, auth: {type: bearer-token, secret: api.token}}, db: {protocol: postgresql, host: db.example.com, database: d, user: u}}",
    );
    workflow.write(".secrets.yaml", "api: {token: t0ken-of-the-api}\n");
    let namespace = deployed(&workflow, "narrow");
    let outputs = run("narrow", &namespace, &json!({}))["outputs"].clone();
    assert_eq!(outputs["only"]["api"], "t0ken-of-the-api");
    let refused = outputs["only"]["db"].as_str().expect("a message");
    assert!(
        refused.ends_with("write in workflow.yaml: nodes.only.uses: [api, db]"),
        "{refused}"
    );
    let refused = outputs["only"]["secrets"].as_str().expect("a message");
    assert!(refused.contains("has no ctx.secrets"), "{refused}");
    assert_eq!(outputs["all"], json!(["api.example.com", "db.example.com"]));
}

#[test]
fn a_node_that_goes_beyond_its_uses_is_not_deployed() {
    let body = "return [ctx.dependency(\"api\").host, ctx.dependency(\"db\").host];";
    let workflow = Workflow::of_one_node("beyond", body);
    workflow.replace(
        "workflow.yaml",
        "path: nodes/only.ts",
        "path: nodes/only.ts, uses: [api, cache]",
    );
    workflow.replace(
        "workflow.yaml",
        "dependencies: {}",
        "dependencies: {api: {protocol: https, host: api.example.com}, db: {protocol: https, host: db.example.com}, cache: {protocol: https, host: cache.example.com}}",
    );
    let namespace = Namespace::new("beyond");
    let answer = deploying(&workflow, &namespace, &["-o", "json"])
        .run()
        .exits(1)
        .json();
    let summary = &answer["drift"]["summary"];
    assert_eq!(summary["undeclaredUses"], json!(["only: db"]));
    assert_eq!(summary["deadUses"], json!(["only: cache"]));
    assert_eq!(namespace.list("deployments"), Vec::<Value>::new());
    tntc(["visualize", workflow.path(), "--rich"])
        .run()
        .exits(0)
        .answers("n0 -. uses .-> d0")
        .answers("n0 -.-> d1")
        .answers("n0 -. uses .-> d2");
}
