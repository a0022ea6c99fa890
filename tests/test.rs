//! `tntc test`: fixtures and what comes of them, the sealed process, and watching.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Answer, Workflow, example, interrupt, tntc};

pub const CONTRACT: &str = "contract:\n  version: \"1\"\n  dependencies:\n    \
    api: {protocol: https, host: api.example.com, auth: {type: bearer-token, secret: api.token}}\n";

/// A workflow of these nodes, with `api` as its only dependency.
pub fn workflow(nodes: &[(&str, &str)]) -> Workflow {
    let workflow = Workflow::empty("tested");
    let mut yaml =
        "name: tested\nversion: \"1.0\"\ntriggers: [{type: manual}]\nnodes:\n".to_owned();
    for (name, body) in nodes {
        let line = format!("  {name}: {{path: nodes/{name}.ts, timeout: 300ms}}\n");
        yaml.push_str(&line);
        workflow.write(
            &format!("nodes/{name}.ts"),
            &format!(
                "import type {{ Context }} from \"tentacular\";\n\
                 // deno-lint-ignore no-explicit-any\n\
                 export default async function run(ctx: Context, input: any): Promise<unknown> {{\n  {body}\n}}\n"
            ),
        );
    }
    workflow.write("workflow.yaml", &(yaml + CONTRACT));
    workflow
}

/// A workflow of one node, `only`, with one fixture.
pub fn tested(body: &str, fixture: &Value) -> Workflow {
    let workflow = workflow(&[("only", body)]);
    workflow.write("tests/fixtures/only.json", &fixture.to_string());
    workflow
}

pub fn test(workflow: &Workflow, more: &[&str]) -> Answer {
    tntc(
        ["test", workflow.path(), "-o", "json"]
            .iter()
            .chain(more)
            .copied(),
    )
    .run()
}

#[track_caller]
fn result<'a>(answer: &'a Value, fixture: &str) -> &'a Value {
    let path = format!("tests/fixtures/{fixture}.json");
    let mut results = answer["results"].as_array().into_iter().flatten();
    let Some(found) = results.find(|it| it["fixture"] == path.as_str()) else {
        panic!("no result of {path}: {answer}");
    };
    found
}

pub const USES_API_FIRST: &str = "await ctx.dependency(\"api\").fetch!(\"/items\");";
const USES_API: &str = "await ctx.dependency(\"api\").fetch!(\"/items\"); return input;";

#[test]
fn nodes_that_do_what_their_fixtures_expect_pass() {
    let workflow = example("word-counter");
    let answer = test(&workflow, &[]).exits(0).json();
    assert_eq!(answer["status"], "pass");
    assert_eq!(answer["summary"], "word-counter: 5 passed");
    assert_eq!(answer["drift"]["summary"]["hasViolations"], false);
    let tokenize = result(&answer, "tokenize");
    assert_eq!(tokenize["node"], "tokenize");
    assert_eq!(tokenize["actual"], tokenize["expected"]);
    assert!(tokenize["durationMs"].is_number());
}

#[test]
fn a_failure_shows_where_the_output_differs() {
    let expected = json!({"b": 1, "list": [1, 2, 3], "a": {"deep": true}, "gone": null});
    let body =
        format!("{USES_API_FIRST} return {{ a: {{ deep: false }}, b: 1, list: [1, 3], more: 1 }};");
    let workflow = tested(&body, &json!({"expected": expected}));
    let answer = test(&workflow, &[]).exits(1).json();
    assert_eq!(
        answer["results"][0]["differences"],
        json!([
            {"path": "list[1]", "expected": 2},
            {"path": "a.deep", "expected": true, "actual": false},
            {"path": "gone", "expected": null},
            {"path": "more", "actual": 1},
        ])
    );
    let text = tntc(["test", workflow.path()]).run().exits(1);
    text.answers("FAIL  only")
        .answers("a.deep\n        expected  true\n        actual    false")
        .answers("tested: 0 passed, 1 failed");
}

#[test]
fn an_output_may_be_null_and_numbers_are_numbers() {
    let workflow = workflow(&[
        ("nothing", &format!("{USES_API_FIRST} return null;")),
        ("one", "return 1;"),
    ]);
    workflow.write("tests/fixtures/nothing.json", r#"{"expected": null}"#);
    workflow.write("tests/fixtures/nothing-no.json", r#"{"expected": 0}"#);
    workflow.write("tests/fixtures/one.json", r#"{"expected": 1.0}"#);
    let answer = test(&workflow, &[]).exits(1).json();
    assert_eq!(answer["summary"], "tested: 2 passed, 1 failed");
    assert_eq!(
        result(&answer, "nothing-no")["differences"],
        json!([{"path": "", "expected": 0, "actual": null}])
    );
}

#[test]
fn a_node_without_a_fixture_is_untested_and_not_passed() {
    let workflow = workflow(&[
        ("fetch", USES_API),
        ("fetch-all", "return input;"),
        ("lone", "return 1;"),
    ]);
    workflow.write("tests/fixtures/fetch.json", "{}");
    workflow.write(
        "tests/fixtures/fetch-all-empty.json",
        r#"{"input": [], "expected": []}"#,
    );
    workflow.write("tests/fixtures/nobody.json", "{}");
    let answer = test(&workflow, &[])
        .exits(0)
        .says("nobody.json belongs to no node");
    let answer = answer.json();
    assert_eq!(answer["summary"], "tested: 2 passed, 1 untested");
    assert_eq!(result(&answer, "fetch-all-empty")["node"], "fetch-all");
    assert_eq!(
        answer["results"][2],
        json!({"node": "lone", "status": "untested", "durationMs": 0.0})
    );
}

#[test]
fn one_node_can_be_tested_alone() {
    let workflow = workflow(&[("good", USES_API), ("bad", "throw new Error(\"bad\");")]);
    workflow.write("tests/fixtures/good.json", "{}");
    workflow.write("tests/fixtures/bad.json", "{}");
    let alone = format!("{}/good", workflow.path());
    let answer = tntc(["test", &alone, "-o", "json"]).run().exits(0).json();
    assert_eq!(answer["summary"], "tested: 1 passed");
    tntc(["test", &format!("{}/other", workflow.path())])
        .run()
        .exits(2)
        .says("tested has no node `other`")
        .says("its nodes are: good, bad");
}

#[test]
fn a_broken_fixture_fails_alone() {
    let workflow = tested(USES_API, &json!({"input": 1, "expected": 1, "exepcted": 2}));
    workflow.write("tests/fixtures/only-cut.json", "{\"input\": ");
    workflow.write("tests/fixtures/only-date.json", r#"{"now": "soon"}"#);
    workflow.write(
        "tests/fixtures/only-mock.json",
        r#"{"mocks": {"db": {"/": {}}}}"#,
    );
    let answer = test(&workflow, &[])
        .exits(1)
        .says("unknown key `exepcted`; did you mean `expected`?");
    let answer = answer.json();
    assert_eq!(result(&answer, "only")["status"], "pass");
    let error = |fixture| {
        result(&answer, fixture)["error"]
            .as_str()
            .expect("an error")
            .to_owned()
    };
    assert!(
        error("only-cut").contains("is not JSON: EOF while parsing"),
        "{}",
        error("only-cut")
    );
    assert!(
        error("only-date").contains("now: expected a date"),
        "{}",
        error("only-date")
    );
    assert!(
        error("only-mock").contains("mocks.db: the contract has no such dependency"),
        "{}",
        error("only-mock")
    );
}

#[test]
fn what_a_node_throws_is_told_with_its_place_and_its_log() {
    let body = format!(
        "{USES_API_FIRST} ctx.log.info(\"about to\"); console.log(\"printed\"); throw new Error(\"no luck\");"
    );
    let workflow = tested(&body, &json!({}));
    let answer = test(&workflow, &[]).exits(1).json();
    let only = &answer["results"][0];
    let error = only["error"].as_str().expect("an error");
    assert!(error.starts_with("no luck\n  at "), "{error}");
    assert!(error.contains("nodes/only.ts:4:"), "{error}");
    assert_eq!(only["log"], json!(["[only] INFO about to", "printed"]));
}

#[test]
fn nodes_are_sealed_off() {
    let workflow = workflow(&[
        (
            "net",
            "await Deno.connect({ hostname: \"127.0.0.1\", port: 1 });",
        ),
        ("env", "return Deno.env.get(\"HOME\") ?? null;"),
        ("read", "return await Deno.readTextFile(\"/etc/hostname\");"),
        (
            "own",
            "return await Deno.readTextFile(new URL(\"../data.txt\", import.meta.url));",
        ),
        (
            "write",
            "await Deno.writeTextFile(new URL(\"../data.txt\", import.meta.url), \"x\");",
        ),
        ("run", "await new Deno.Command(\"true\").output();"),
        ("load", "await import(\"https://esm.sh/\" + \"x.ts\");"),
    ]);
    workflow.write("data.txt", "data");
    for node in ["net", "read", "write", "run", "load"] {
        workflow.write(&format!("tests/fixtures/{node}.json"), "{}");
    }
    workflow.write("tests/fixtures/env.json", r#"{"expected": null}"#);
    workflow.write("tests/fixtures/own.json", r#"{"expected": "data"}"#);
    let answer = test(&workflow, &["--warn"]).exits(1).json();
    assert_eq!(
        answer["summary"],
        "tested: 2 passed, 5 failed, contract drift, which only warns"
    );
    for (node, reason) in [
        ("net", "127.0.0.1:1 cannot be reached in a test"),
        ("read", "a node cannot read "),
        ("write", "a node cannot write "),
        ("run", "a node cannot "),
        ("load", "cannot be imported while a node runs"),
    ] {
        let error = result(&answer, node)["error"].to_string();
        assert!(error.contains(reason), "{node}: {error}");
    }
}

#[test]
fn nodes_that_never_end_are_stopped_and_the_rest_goes_on() {
    let workflow = workflow(&[
        ("blocks", "for (;;) {}"),
        ("exits", "Deno.exit(7);"),
        ("good", USES_API),
        (
            "loose",
            "Promise.reject(new Error(\"loose end\")); return 1;",
        ),
        (
            "late",
            "setTimeout(() => { throw new Error(\"late end\"); }); return 1;",
        ),
        ("never", "await new Promise(() => {});"),
        (
            "waits",
            "await new Promise((resolve) => setTimeout(resolve, 1e6));",
        ),
    ]);
    for node in ["blocks", "exits", "good", "late", "loose", "never", "waits"] {
        workflow.write(&format!("tests/fixtures/{node}.json"), "{}");
    }
    let answer = test(&workflow, &[]).exits(1).json();
    assert_eq!(answer["summary"], "tested: 1 passed, 6 failed");
    for (node, reason) in [
        (
            "blocks",
            "node blocks blocked the event loop past its timeout of 300ms; its process was stopped",
        ),
        ("exits", "node exits ended the process: exit status: 7"),
        ("late", "late end"),
        ("loose", "loose end"),
        ("never", "timed out after 300ms"),
        ("waits", "timed out after 300ms"),
    ] {
        let error = result(&answer, node)["error"].as_str().expect("an error");
        assert!(error.starts_with(reason), "{node}: {error}");
    }
}

#[test]
fn an_invalid_workflow_is_an_envelope_too() {
    let workflow = Workflow::empty("tested");
    workflow.write("workflow.yaml", "name: tested\n");
    let answer = test(&workflow, &[]).exits(1).json();
    assert_eq!(answer["command"], "test");
    assert_eq!(answer["status"], "fail");
    assert!(answer["errors"].is_array());
}

#[test]
fn without_deno_the_needed_version_is_told() {
    let workflow = tested(USES_API, &json!({}));
    let command = tntc(["test", workflow.path()]).env("TNTC_DENO", "/nowhere/deno");
    command
        .run()
        .exits(3)
        .says("or newer is needed")
        .says("pip install deno");
}

#[test]
fn watching_runs_what_a_change_concerns_until_ctrl_c() {
    let workflow = workflow(&[("one", USES_API), ("two", "return input;")]);
    workflow.write("tests/fixtures/one.json", r#"{"input": 1, "expected": 1}"#);
    workflow.write("tests/fixtures/two.json", r#"{"input": 1, "expected": 2}"#);
    let mut process = tntc(["test", workflow.path(), "--watch"])
        .command()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("tntc starts");
    let stdout = process.stdout.take().expect("a pipe");
    let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
    let mut summary = || {
        lines
            .find(|line| line.starts_with("tested: "))
            .expect("a summary")
    };
    assert_eq!(summary(), "tested: 1 passed, 1 failed");
    workflow.write("tests/fixtures/two.json", r#"{"input": 2, "expected": 2}"#);
    assert_eq!(summary(), "tested: 1 passed");
    interrupt(process.id());
    assert_eq!(process.wait().expect("tntc ends").code(), Some(130));
    tntc(["test", workflow.path(), "--watch", "-o", "json"])
        .run()
        .exits(2);
}
