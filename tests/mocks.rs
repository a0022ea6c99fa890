//! `tntc test`: mocks, the clock and the whole graph.

use serde_json::json;

use crate::test::{USES_API_FIRST, test, tested, workflow};

#[test]
fn mocks_answer_and_the_calls_are_checked() {
    let body = "const api = ctx.dependency(\"api\");\n\
        const headers = { authorization: `Bearer ${api.secret}` };\n\
        const first = await api.fetch!(\"/jobs?page=1\", { method: \"POST\", headers, body: JSON.stringify({ a: 1 }) });\n\
        const second = await api.fetch!(\"/jobs?page=2\");\n\
        const third = await fetch(\"https://api.example.com/other\");\n\
        const fourth = await api.fetch!(\"/nothing\");\n\
        return [first.status, await second.json(), third.headers.get(\"x\"), await third.text(), await fourth.json()];";
    let fixture = json!({
        "secrets": {"api": {"token": "s3cret"}},
        "mocks": {"api": {
            "/jobs": [{"status": 202}, {"body": {"done": true}}],
            "/o*": {"headers": {"x": "y"}, "body": "text"},
        }},
        "expected": [202, {"done": true}, "y", "text", {"mock": true, "dependency": "api", "path": "/nothing"}],
        "expectCalls": [
            {"dependency": "api", "method": "post", "path": "/jobs?page=1", "body": {"a": 1},
             "headers": {"Authorization": "Bearer s3cret"}},
            {"path": "/jobs?page=2"},
            {"method": "GET", "path": "/other"},
            {},
        ],
    });
    let workflow = tested(body, &fixture);
    test(&workflow, &[]).exits(0);
    let mut fewer = fixture.clone();
    fewer["expectCalls"] = json!([{"path": "/jobs"}]);
    workflow.write("tests/fixtures/only.json", &fewer.to_string());
    let answer = test(&workflow, &[]).exits(1).json();
    let differences = answer["results"][0]["differences"]
        .as_array()
        .expect("differences");
    assert!(
        differences.contains(
            &json!({"path": "calls[0].path", "expected": "/jobs", "actual": "/jobs?page=1"})
        ),
        "{differences:?}"
    );
    assert_eq!(differences.len(), 4, "{differences:?}");
}

#[test]
fn a_frozen_clock_stands_still() {
    let body = format!(
        "{USES_API_FIRST} const before = Date.now();\n\
         await new Promise((resolve) => setTimeout(resolve, 5));\n\
         return [new Date().toISOString(), Date.now() - before, performance.now() - performance.now(), new Date(0) instanceof Date];"
    );
    let workflow = tested(
        &body,
        &json!({"now": "2026-02-16T09:00:00Z", "expected": ["2026-02-16T09:00:00.000Z", 0, 0, true]}),
    );
    test(&workflow, &[]).exits(0);
}

#[test]
fn the_whole_graph_runs_with_mocks() {
    let workflow = workflow(&[
        (
            "fetch",
            "return await (await ctx.dependency(\"api\").fetch!(\"/n\")).json();",
        ),
        ("double", "return input.n * 2;"),
    ]);
    workflow.replace(
        "workflow.yaml",
        "contract:",
        "edges: [{from: fetch, to: double}]\ncontract:",
    );
    let pipeline =
        json!({"mocks": {"api": {"/n": {"body": {"n": 21}}}}, "expected": {"double": 42}});
    workflow.write("tests/pipeline.json", &pipeline.to_string());
    let answer = test(&workflow, &["--pipeline"]).exits(0).json();
    assert_eq!(
        answer["execution"]["outputs"],
        json!({"fetch": {"n": 21}, "double": 42})
    );
    assert_eq!(
        answer["drift"]["summary"]["dependenciesAccessed"],
        json!(["api"])
    );
    workflow.write("tests/pipeline.json", r#"{"expected": {"double": 42}}"#);
    let answer = test(&workflow, &["--pipeline"]).exits(1).json();
    let error = answer["results"][0]["error"].to_string();
    assert!(
        error.contains("node double threw: returned the number NaN"),
        "{error}"
    );
}
