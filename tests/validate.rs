//! `tntc validate`.

use serde_json::json;

use crate::support::{Workflow, example, tntc};

#[test]
fn a_valid_workflow_shows_what_is_derived() {
    let workflow = example("word-counter");
    let answer = tntc(["validate", workflow.path(), "-v"]).run().exits(0);
    answer
        .answers("word-counter 1.0 is valid")
        .answers("--allow-net=0.0.0.0:8080");
}

/// Two dependencies with one secret, and a queue.
const SEALED: &str = r#"name: sealed
version: "1.0"
triggers: [{type: queue, name: orders, subject: orders.new}]
nodes: {only: {path: nodes/only.ts}}
config: {nats_url: "nats://nats.example.com:4222"}
contract:
  version: "1"
  dependencies:
    api: {protocol: https, host: api.example.com, auth: {type: bearer-token, secret: api.token}}
    uploads: {protocol: https, host: up.example.com, auth: {type: bearer-token, secret: api.token}}
    db: {protocol: postgresql, host: db.data.svc, database: a, user: u}
"#;

fn sealed() -> Workflow {
    let workflow = Workflow::of_one_node("sealed", "return input;");
    workflow.write("workflow.yaml", SEALED);
    workflow
}

#[test]
fn secrets_and_network_are_shown_as_tables() {
    let answer = tntc(["validate", sealed().path()]).run().exits(0);
    insta::assert_snapshot!(answer.stdout, @"
    sealed 1.0 is valid

    SECRET      NEEDED BY
    api.token   api, uploads
    nats.token  trigger orders

    NETWORK  PEER                  PORTS           BECAUSE OF
    egress   kube-system/kube-dns  53/TCP, 53/UDP  name resolution
    egress   api.example.com       443/TCP         api
    egress   Service data/db       5432/TCP        db
    egress   nats.example.com      4222/TCP        queue trigger
    egress   up.example.com        443/TCP         uploads
    ingress  trigger pods          8080/TCP        triggers
    ");
}

#[test]
fn the_envelope_has_what_is_derived() {
    let answer = tntc(["validate", sealed().path(), "-o", "json"])
        .run()
        .exits(0);
    let derived = &answer.json()["derived"];
    assert_eq!(
        derived["secrets"],
        serde_json::json!(["api.token", "nats.token"])
    );
    let api = derived["network"]
        .as_array()
        .expect("rows")
        .iter()
        .find(|row| row["peer"] == "api.example.com")
        .expect("a row");
    assert_eq!(
        *api,
        serde_json::json!({"direction": "egress", "peer": "api.example.com", "ports": "443/TCP", "because": "api"})
    );
    let flags = derived["denoFlags"].to_string();
    assert!(flags.contains("api.example.com:443"), "{flags}");
}

#[test]
fn without_a_contract_the_network_is_called_open() {
    let workflow = Workflow::of_one_node("open", "return input;");
    workflow.replace(
        "workflow.yaml",
        "contract: {version: \"1\", dependencies: {}}\n",
        "",
    );
    tntc(["validate", workflow.path(), "-v"])
        .run()
        .exits(0)
        .answers("The network is open: there is no contract.")
        .answers("Deno flags: those of the image")
        .says("contract");
}

#[test]
fn an_error_names_file_line_and_column() {
    let workflow = example("word-counter");
    workflow.replace(
        "workflow.yaml",
        "from: tokenize, to: statistics",
        "from: tokenise, to: statistics",
    );
    let answer = tntc(["validate", workflow.path()]).run().exits(1);
    answer
        .says("workflow.yaml:20:13")
        .says("tokenise")
        .says("tokenize");
}

#[test]
fn all_errors_are_in_the_envelope_with_their_places() {
    let workflow = example("word-counter");
    workflow.replace("workflow.yaml", "version: \"1.0\"", "version: \"one\"");
    workflow.replace("workflow.yaml", "nodes/report.ts", "nodes/missing.ts");
    let json = tntc(["validate", workflow.path(), "-o", "json"])
        .run()
        .exits(1)
        .json();
    assert_eq!(json["status"], "fail");
    let errors = json["errors"].as_array().expect("errors");
    let places: Vec<_> = errors
        .iter()
        .map(|error| (error["path"].as_str(), error["line"].as_u64()))
        .collect();
    assert_eq!(
        places,
        [
            (Some("/version"), Some(2)),
            (Some("/nodes/report/path"), Some(16))
        ]
    );
}

#[test]
fn a_directory_that_is_no_workflow_is_told_and_fails_alike_whatever_it_is() {
    let workflow = Workflow::empty("nothing");
    tntc(["validate", workflow.path()])
        .run()
        .exits(1)
        .says("holds no workflow.yaml");
    tntc(["validate", "/nonexistent"])
        .run()
        .exits(1)
        .says("cannot open /nonexistent");
    workflow.write("file", "");
    let file = format!("{}/file", workflow.path());
    tntc(["validate", &file])
        .run()
        .exits(1)
        .says("file is not a directory");
}

#[test]
fn an_environment_changes_what_is_derived_as_it_does_at_a_deploy() {
    let workflow = sealed();
    let config = "environments: {prod: {config_overrides: {nats_url: 'nats://prod.example.com:4333'}, otel_endpoint: 'http://otel.example.com:4318', metrics_namespace: monitoring}}\n";
    workflow.write(".tentacular/config.yaml", config);
    let answer = tntc(["validate", workflow.path(), "--env", "prod", "-v"])
        .run()
        .exits(0);
    let (_, derived) = answer.stdout.split_once("NETWORK").expect("a table");
    for line in [
        "prod.example.com      4333/TCP",
        "otel.example.com      4318/TCP",
        "monitoring",
        "prod.example.com:4333",
    ] {
        assert!(derived.contains(line), "{line} is not in:\n{derived}");
    }
    assert!(!derived.contains("nats.example.com"), "{derived}");
}

#[test]
fn an_override_that_does_not_fit_is_told() {
    let workflow = sealed();
    let config = "environments: {prod: {config_overrides: {timeout: soon}}}\n";
    workflow.write(".tentacular/config.yaml", config);
    let validate = ["validate", workflow.path(), "-o", "json", "--env"];
    let told = |environment| tntc(validate.into_iter().chain([environment])).run();
    let answer = told("prod").exits(1).json();
    assert_eq!(answer["errors"][0]["path"], "/config/timeout", "{answer:#}");
    told("nowhere").exits(2);
}

#[test]
fn what_a_deploy_would_refuse_is_refused_here() {
    let workflow = Workflow::of_one_node("files", "return input;");
    workflow.write("nodes/über.ts", "export default () => null;\n");
    workflow.write("nodes/a/b.ts", "export default () => null;\n");
    workflow.write("nodes/a__b.ts", "export default () => null;\n");
    workflow.write("nodes/large.txt", &"x".repeat(901 * 1024));
    for command in ["validate", "deploy"] {
        let answer = tntc([command, workflow.path()]).run().exits(1);
        answer
            .says("nodes/über.ts: a ConfigMap key cannot hold this file name")
            .says("share the ConfigMap key `nodes__a__b.ts`")
            .says("the largest is nodes/large.txt");
    }
}

#[test]
fn a_node_that_cannot_run_is_told_where_and_what_to_write_before_anything_is_bundled() {
    let workflow = Workflow::of_one_node("faults", "return input;");
    for (code, told) in [
        (
            "export default class Run {}\n",
            "nodes/only.ts:1:1: the default export is a class, which cannot be called",
        ),
        (
            "export default async function* run() {\n  yield 1;\n}\n",
            "nodes/only.ts:1:1: the default export is a generator",
        ),
        (
            "import sharp from \"npm:sharp\";\nexport default () => typeof sharp;\n",
            "nodes/only.ts:1:19: sharp has native code, which a pod does not load: use npm:jimp",
        ),
    ] {
        workflow.write("nodes/only.ts", code);
        for command in ["validate", "deploy"] {
            tntc([command, workflow.path()]).run().exits(1).says(told);
        }
    }
    let local = tntc(["run", "--local", workflow.path()]).run().exits(1);
    local.says("sharp has native code");
}

#[test]
fn the_size_of_a_workflow_that_is_bundled_is_left_to_the_bundle() {
    let workflow = Workflow::of_one_node("bundled", "return input;");
    let large = format!("// {}\n", "x".repeat(901 * 1024));
    workflow.write("nodes/large.ts", &large);
    workflow.write(
        "nodes/only.ts",
        "import pg from \"npm:pg@8\";\nexport default () => typeof pg;\n",
    );
    tntc(["validate", workflow.path()]).run().exits(0);
}

#[test]
fn a_file_with_the_shorter_ending_is_told_to_be_renamed() {
    let workflow = Workflow::of_one_node("short", "return input;");
    let text = workflow.read("workflow.yaml");
    workflow.remove("workflow.yaml");
    workflow.write("workflow.yml", &text);
    tntc(["validate", workflow.path()])
        .run()
        .exits(1)
        .says("rename workflow.yml to workflow.yaml");
}

#[test]
fn hints_are_for_those_who_ask_and_for_programs() {
    let workflow = Workflow::of_one_node("hints", "return input;");
    workflow.write(
        "workflow.yaml",
        "name: hints\nversion: \"1.0\"\ntriggers: [{type: manual}]\nnodes: {only: {path: nodes/only.ts}}\n\
         contract: {version: \"1\", dependencies: {web: {type: dynamic-target, protocol: https, cidr: 10.0.0.0/8, dynPorts: [443/TCP]}}}\n",
    );
    let quiet = tntc(["validate", workflow.path()]).run().exits(0);
    assert!(!quiet.stderr.contains("reason"), "{}", quiet.stderr);
    tntc(["validate", workflow.path(), "-v"])
        .run()
        .exits(0)
        .says("hint[missing-reason]");
    let json = tntc(["validate", workflow.path(), "-o", "json"])
        .run()
        .exits(0)
        .json();
    assert_eq!(json["warnings"], json!([]));
    assert_eq!(json["suggestions"][0]["code"], "missing-reason");
    assert_eq!(json["hints"], json!([]));
}
