//! The templates of `tntc init`, deployed and run against stand-ins for what they talk to.

use std::fs;

use serde_json::{Value, json};

use crate::dev::Running;
use crate::images::program;
use crate::support::{NODE_ADDRESS, Namespace, Nats, Postgres, Stub, Workflow, deployed, tntc};

/// Lets an HTTPS dependency be the stub.
fn redirect(workflow: &Workflow, host: &str, stub: &Stub) {
    let port = stub.port();
    workflow.replace(
        "workflow.yaml",
        &format!("protocol: https\n      host: {host}"),
        &format!("protocol: http\n      host: {NODE_ADDRESS}\n      port: {port}"),
    );
}

/// Deploys a workflow with these secrets, and waits until it serves.
fn deploy(workflow: &Workflow, secrets: &Value) -> Namespace {
    workflow.write(".secrets.yaml", &secrets.to_string());
    deployed(workflow, "templates")
}

/// The outputs of one run.
fn outputs(name: &str, namespace: &Namespace) -> Value {
    let answer = tntc(["run", name, "-n", &namespace.name, "--timeout", "60s"]).run();
    answer.exits(0).json()["outputs"].clone()
}

#[test]
fn the_http_check_finds_a_site_well_and_tells_of_one_that_is_not() {
    let stub = Stub::start(&[("/", json!("fine")), ("/hook", json!("ok"))]);
    let workflow = Workflow::from_template("http-check");
    redirect(&workflow, "www.example.com", &stub);
    redirect(&workflow, "hooks.slack.com", &stub);
    let secrets = json!({"chat": {"webhook_path": "/hook"}});
    let namespace = deploy(&workflow, &secrets);
    let well = outputs("http-check", &namespace);
    assert_eq!(well["probe"]["healthy"], true, "{well}");
    assert_eq!(well["notify"], json!({"sent": false}));
    workflow.replace("workflow.yaml", "path: /\n", "path: /absent\n");
    let namespace = deploy(&workflow, &secrets);
    let ill = outputs("http-check", &namespace);
    assert_eq!(ill["probe"]["healthy"], false, "{ill}");
    assert_eq!(ill["notify"], json!({"sent": true}));
    let message = String::from_utf8(stub.asked_for("/hook").body).expect("text");
    assert!(message.contains("404"), "{message}");
}

#[test]
fn the_report_joins_what_three_questions_gave() {
    let now = program("date", ["-u", "+%Y-%m-%dT%H:%M:%SZ"]);
    let stub = Stub::start(&[
        (
            "/repos/denoland/deno/issues",
            json!([{"number": 1, "title": "Slow"}]),
        ),
        ("/repos/denoland/deno/pulls", json!([])),
        (
            "/repos/denoland/deno/releases/latest",
            json!({"tag_name": "v1", "published_at": now.trim()}),
        ),
    ]);
    let workflow = Workflow::from_template("report");
    redirect(&workflow, "api.github.com", &stub);
    let namespace = deploy(&workflow, &json!({"github": {"token": "t0ken"}}));
    let report = outputs("report", &namespace);
    let markdown = report["report"]["markdown"].as_str().unwrap_or_default();
    assert!(markdown.contains("v1 is 0 days old."), "{markdown}");
    let asked = stub.asked_for("/repos/denoland/deno/pulls");
    assert_eq!(asked.headers["authorization"], "Bearer t0ken");
}

#[test]
fn the_summary_is_what_the_model_answers() {
    let stub = Stub::start(&[
        (
            "/api/v1/search",
            json!({"hits": [{"title": "A new engine", "points": 120}]}),
        ),
        (
            "/v1/chat/completions",
            json!({"choices": [{"message": {"content": "An engine came out."}}]}),
        ),
    ]);
    let workflow = Workflow::from_template("llm-summary");
    redirect(&workflow, "hn.algolia.com", &stub);
    redirect(&workflow, "api.openai.com", &stub);
    let namespace = deploy(&workflow, &json!({"llm": {"api_key": "k3y"}}));
    let summary = outputs("llm-summary", &namespace);
    assert_eq!(
        summary["summarize"],
        json!({"summary": "An engine came out."})
    );
    let asked = stub.asked_for("/v1/chat/completions");
    assert_eq!(asked.headers["authorization"], "Bearer k3y");
    let question = String::from_utf8(asked.body).expect("text");
    assert!(question.contains("A new engine"), "{question}");
}

#[test]
fn records_of_an_api_arrive_in_a_real_database() {
    let database = Postgres::start();
    database.query("postgres", "CREATE ROLE shop LOGIN PASSWORD 'sh0p';");
    database.query("postgres", "CREATE DATABASE shop OWNER shop;");
    database.query(
        "shop",
        "CREATE TABLE products (id int PRIMARY KEY, name text, cents int); ALTER TABLE products OWNER TO shop; \
         INSERT INTO products VALUES (1, 'Old cup', 1), (9, 'Jug', 900);",
    );
    let stub = Stub::start(&[(
        "/v1/products",
        json!([
            {"id": 1, "name": "Cup ", "price": "4.5"},
            {"id": 2, "name": "Plate", "price": "12", "discontinued": true},
            {"id": 3, "name": "Bowl", "price": "7.25"},
        ]),
    )]);
    let workflow = Workflow::from_template("api-to-database");
    redirect(&workflow, "api.example.com", &stub);
    let place = format!("host: {NODE_ADDRESS}\n      port: {}", database.port);
    workflow.replace("workflow.yaml", "host: db.example.com", &place);
    let secrets = json!({"api": {"token": "t0ken"}, "db": {"password": "sh0p"}});
    let namespace = deploy(&workflow, &secrets);
    assert_eq!(
        outputs("api-to-database", &namespace)["store"],
        json!({"stored": 2})
    );
    let stored = database.query("shop", "SELECT * FROM products ORDER BY id;");
    assert_eq!(stored, "1|Cup|450\n3|Bowl|725\n9|Jug|900\n");
}

/// The queue consumer as it is for this NATS server, with a warehouse that ships order A-1.
fn queue_consumer(nats: &Nats) -> (Workflow, Stub) {
    let stub = Stub::start(&[("/shipments/A-1", json!({"shipment": "S-9"}))]);
    let workflow = Workflow::from_template("queue-consumer");
    redirect(&workflow, "warehouse.example.com", &stub);
    workflow.replace("workflow.yaml", "nats.example.com:4222", &nats.address);
    (workflow, stub)
}

fn queue_secrets() -> Value {
    json!({"nats": {"token": "sesame"}, "warehouse": {"api_key": "k3y"}})
}

fn order() -> String {
    json!({"id": "A-1", "items": [{"sku": "cup", "quantity": 2}]}).to_string()
}

/// What the warehouse was told of the order.
#[track_caller]
fn require_shipment(warehouse: &Stub) {
    let asked = warehouse.asked_for("/shipments/A-1");
    assert_eq!(asked.method.as_str(), "PUT");
    assert_eq!(asked.headers["x-api-key"], "k3y");
    let body: Value = asked.body_json().expect("JSON");
    assert_eq!(body, json!({"items": [{"sku": "cup", "quantity": 2}]}));
}

#[track_caller]
fn require_dispatch(reply: &str) {
    let result: Value = serde_json::from_str(reply).expect("a result");
    assert_eq!(
        result["outputs"]["dispatch"],
        json!({"order": "A-1", "shipment": "S-9"}),
        "{result}"
    );
}

#[test]
fn the_queue_consumer_answers_an_order_from_its_pod() {
    let nats = Nats::start();
    let (workflow, warehouse) = queue_consumer(&nats);
    let _namespace = deploy(&workflow, &queue_secrets());
    require_dispatch(&nats.request("orders.created", &order()));
    require_shipment(&warehouse);
}

#[test]
fn the_queue_consumer_takes_orders_durably_when_it_is_told_to() {
    let nats = Nats::start();
    let (workflow, warehouse) = queue_consumer(&nats);
    workflow.replace(
        "workflow.yaml",
        "subject: orders.created",
        "subject: orders.created\n    durable: true",
    );
    let _namespace = deploy(&workflow, &queue_secrets());
    let kept: Value =
        serde_json::from_str(&nats.request("orders.created", &order())).expect("JSON");
    assert!(
        kept["stream"].is_string() && kept["seq"].is_number(),
        "{kept}"
    );
    require_shipment(&warehouse);
}

#[test]
fn the_queue_consumer_answers_an_order_on_a_laptop() {
    let nats = Nats::start();
    let (workflow, warehouse) = queue_consumer(&nats);
    workflow.write(".secrets.yaml", &queue_secrets().to_string());
    let mut dev = Running::with(&workflow, |command| command.arg("--queues"));
    require_dispatch(&nats.request("orders.created", &order()));
    require_shipment(&warehouse);
    assert_eq!(dev.end(), Some(130));
}

const ISSUE: &str = r#"{"action": "opened", "issue": {"number": 7, "title": "Crash on start", "body": null}, "repository": {"full_name": "o/r"}}"#;

/// Posts an event as GitHub does, signed with `secret`; gives the status.
fn deliver(address: &str, secret: &str) -> String {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), ISSUE).expect("a file");
    let path = file.path().display().to_string();
    let digest = program("openssl", ["dgst", "-sha256", "-hmac", secret, "-r", &path]);
    let (digest, _) = digest.split_once(' ').expect("a digest");
    let signature = format!("x-hub-signature-256: sha256={digest}");
    let body = format!("@{path}");
    let url = format!("http://{address}/webhook/github");
    let mut arguments = vec!["-sS", "-o", "/dev/null", "-w", "%{http_code}"];
    for header in [
        "content-type: application/json",
        "x-github-event: issues",
        &signature,
    ] {
        arguments.extend(["-H", header]);
    }
    arguments.extend(["--data-binary", &body, &url]);
    program("curl", arguments)
}

#[test]
fn the_webhook_labels_an_issue_that_github_signed_and_no_other() {
    let stub = Stub::start(&[("/repos/o/r/issues/7/labels", json!([{"name": "bug"}]))]);
    let workflow = Workflow::from_template("webhook");
    redirect(&workflow, "api.github.com", &stub);
    let secrets = json!({"github": {"token": "t0ken", "webhook_secret": "sesame"}});
    let namespace = deploy(&workflow, &secrets);
    let service = namespace.get("service", "webhook");
    let address = service["spec"]["clusterIP"].as_str().expect("an address");
    let address = format!("{address}:8081");
    assert_eq!(deliver(&address, "guessed"), "401");
    assert!(stub.requests().is_empty());
    assert_eq!(deliver(&address, "sesame"), "202");
    let asked = stub.asked_for("/repos/o/r/issues/7/labels");
    assert_eq!(asked.headers["authorization"], "Bearer t0ken");
    let body: Value = asked.body_json().expect("JSON");
    assert_eq!(body, json!({"labels": ["bug"]}));
    assert_eq!(stub.requests().len(), 1);
}
