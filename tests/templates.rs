//! The templates of `tntc init`, deployed and run against stand-ins for what they talk to.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Namespace, engine_image, kubectl, tntc};

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
