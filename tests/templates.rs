//! The templates of `tntc init`, deployed and run against stand-ins for what they talk to.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;

use serde_json::{Value, json};

use crate::dev::Running;
use crate::support::{Namespace, Workflow, engine_image, kubectl, tntc};

/// Answers everything that a template asks for, on one port, by path.
const STUB: &str = r#"
const answers = {
  "/": "fine",
  "/repos/denoland/deno/issues": [{ number: 1, title: "Slow" }],
  "/repos/denoland/deno/pulls": [],
  "/repos/denoland/deno/releases/latest": { tag_name: "v1", published_at: new Date().toISOString() },
  "/api/v1/search": { hits: [{ title: "A new engine", points: 120 }] },
  "/v1/chat/completions": { choices: [{ message: { content: "An engine came out." } }] },
  "/shipments/A-1": { shipment: "S-9" },
  "/repos/o/r/issues/7/labels": [{ name: "bug" }],
};
Deno.serve({ port: 8000 }, (request) => {
  const answer = answers[new URL(request.url).pathname];
  return answer === undefined ? new Response(null, { status: 404 }) : Response.json(answer);
});
"#;

/// A pod that serves [`STUB`], with a Service `stub` in front of it.
fn serve_stub(namespace: &Namespace) {
    let security = json!({
        "allowPrivilegeEscalation": false,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": true,
        "runAsUser": 65534,
        "seccompProfile": {"type": "RuntimeDefault"},
    });
    let objects = json!({"apiVersion": "v1", "kind": "List", "items": [
        {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "stub", "labels": {"app": "stub"}},
            "spec": {"containers": [{
                "name": "stub", "image": engine_image(), "imagePullPolicy": "IfNotPresent",
                "command": ["deno", "eval", STUB], "securityContext": security,
                "readinessProbe": {"httpGet": {"path": "/", "port": 8000}, "periodSeconds": 1},
            }]},
        },
        {
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "stub"},
            "spec": {"selector": {"app": "stub"}, "ports": [{"port": 8000}]},
        },
    ]});
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), objects.to_string()).expect("a file");
    let path = file.path().display().to_string();
    kubectl(["-n", &namespace.name, "apply", "-f", &path]);
    namespace.kubectl(["wait", "pod/stub", "--for=condition=Ready", "--timeout=60s"]);
}

/// Lets every HTTP dependency be the stub.
fn redirect(workflow: &Path) {
    let file = workflow.join("workflow.yaml");
    let text = fs::read_to_string(&file).expect("a file");
    let mut https = false;
    let lines = text.lines().map(|line| {
        let is_host = https && line.trim_start().starts_with("host:");
        https = line.trim() == "protocol: https" || (https && !is_host);
        match line.trim() {
            "protocol: https" => line.replace("https", "http"),
            _ if is_host => "      host: stub\n      port: 8000".to_owned(),
            _ => line.to_owned(),
        }
    });
    let changed: Vec<_> = lines.collect();
    fs::write(&file, changed.join("\n") + "\n").expect("a file");
}

/// A Secret made by hand, as the guide for operators has it.
fn provision(template: &str, secrets: &Value, namespace: &Namespace) {
    let name = format!("{template}-secrets");
    let services = secrets.as_object().into_iter().flatten();
    let literals: Vec<_> = services
        .map(|(service, keys)| format!("--from-literal={service}={keys}"))
        .collect();
    let command = ["create", "secret", "generic", &name];
    namespace.kubectl(
        command
            .into_iter()
            .chain(literals.iter().map(String::as_str)),
    );
}

/// Writes, deploys and runs a template; gives the outputs of its nodes.
fn outputs(template: &str, secrets: &Value, input: &Value, namespace: &Namespace) -> Value {
    let parent = tempfile::tempdir().expect("a temporary directory");
    let run = |arguments: &[&str]| {
        tntc(arguments.iter().copied())
            .current_dir(parent.path())
            .run()
            .exits(0)
    };
    run(&["init", template, "--template", template]);
    let workflow = parent.path().join(template);
    redirect(&workflow);
    provision(template, secrets, namespace);
    let (namespace, image) = (namespace.name.as_str(), engine_image());
    run(&[
        "deploy", template, "-n", namespace, "--image", image, "--wait",
    ]);
    let input = input.to_string();
    run(&[
        "run",
        template,
        "-n",
        namespace,
        "--timeout",
        "60s",
        "--input",
        &input,
    ])
    .json()["outputs"]
        .clone()
}

#[test]
fn templates_do_their_work_in_a_cluster() {
    let namespace = Namespace::new("templates");
    serve_stub(&namespace);
    let check = outputs(
        "http-check",
        &json!({"chat": {"webhook_path": "/hook"}}),
        &json!({}),
        &namespace,
    );
    assert_eq!(
        check["probe"],
        json!({"healthy": true, "message": "stub is well"})
    );
    assert_eq!(check["notify"], json!({"sent": false}));
    let report = outputs(
        "report",
        &json!({"github": {"token": "t"}}),
        &json!({}),
        &namespace,
    );
    let markdown = report["report"]["markdown"].as_str().unwrap_or_default();
    assert!(markdown.contains("v1 is 0 days old."), "{markdown}");
    let summary = outputs(
        "llm-summary",
        &json!({"llm": {"api_key": "k"}}),
        &json!({}),
        &namespace,
    );
    assert_eq!(
        summary["summarize"],
        json!({"summary": "An engine came out."})
    );
    let order = json!({"id": "A-1", "items": [{"sku": "cup", "quantity": 2}]});
    let secrets = json!({"warehouse": {"api_key": "k"}});
    let shipped = outputs("queue-consumer", &secrets, &order, &namespace);
    assert_eq!(
        shipped["dispatch"],
        json!({"order": "A-1", "shipment": "S-9"})
    );
    let issue = json!({
        "issue": {"number": 7, "title": "Crash on start", "body": null},
        "repository": {"full_name": "o/r"},
    });
    let secrets = json!({"github": {"token": "t", "webhook_secret": "w"}});
    let labelled = outputs("webhook", &secrets, &issue, &namespace);
    assert_eq!(labelled["label"], json!({"added": ["bug"]}));
}

/// A warehouse on this machine that ships whatever it is asked for; its port.
fn serve_warehouse() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut request = [0; 4096];
            // The requests of these tests fit into one read.
            let _ = stream.read(&mut request).expect("a request");
            let body = r#"{"shipment": "S-9"}"#;
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
            let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).expect("a reader");
        }
    });
    port
}

/// Publishes a message and waits for its reply (NATS client protocol).
fn request(server: &str, token: &str, subject: &str, payload: &str) -> String {
    let mut stream = TcpStream::connect(server).expect("a NATS server");
    let connect = json!({"auth_token": token, "verbose": false, "pedantic": false});
    let inbox = format!("_INBOX.{subject}");
    let length = payload.len();
    let lines = format!(
        "CONNECT {connect}\r\nSUB {inbox} 1\r\nPUB {subject} {inbox} {length}\r\n{payload}\r\n"
    );
    stream.write_all(lines.as_bytes()).expect("a reader");
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines
        .find(|line| line.starts_with("MSG "))
        .expect("a message");
    lines.next().expect("its payload")
}

#[test]
fn the_queue_consumer_answers_orders_on_a_laptop() {
    let (Ok(url), Ok(token)) = (
        std::env::var("TNTC_TEST_NATS_URL"),
        std::env::var("TNTC_TEST_NATS_TOKEN"),
    ) else {
        panic!(
            "TNTC_TEST_NATS_URL and TNTC_TEST_NATS_TOKEN name a NATS server; `tests/cluster/env` prints them"
        );
    };
    let server = url.trim_start_matches("nats://");
    let subject = format!("orders.test-{}", std::process::id());
    let workflow = Workflow::from_template("queue-consumer");
    workflow.replace("workflow.yaml", "nats.example.com:4222", server);
    workflow.replace("workflow.yaml", "orders.created", &subject);
    workflow.replace("workflow.yaml", "protocol: https", "protocol: http");
    let host = format!("host: 127.0.0.1\n      port: {}", serve_warehouse());
    workflow.replace("workflow.yaml", "host: warehouse.example.com", &host);
    let secrets = json!({"nats": {"token": token}, "warehouse": {"api_key": "k"}});
    workflow.write(".secrets.yaml", &secrets.to_string());
    let mut dev = Running::start(&workflow);
    dev.until(&subject);
    let order = json!({"id": "A-1", "items": [{"sku": "cup", "quantity": 2}]});
    let reply = request(server, &token, &subject, &order.to_string());
    let result: Value = serde_json::from_str(&reply).expect("a result");
    assert_eq!(
        result["outputs"]["dispatch"],
        json!({"order": "A-1", "shipment": "S-9"}),
        "{result}"
    );
    assert_eq!(dev.end(), Some(0));
}
