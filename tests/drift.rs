//! `tntc test`: the code against the contract.

use serde_json::json;

use crate::support::{Workflow, tntc};
use crate::test::{CONTRACT, USES_API_FIRST, test, tested, workflow};

#[test]
fn drift_fails_unless_it_only_warns() {
    let body =
        "ctx.secrets;\nawait fetch(\"https://elsewhere.example.com/x\");\nctx.dependency(\"db\");";
    let workflow = tested(body, &json!({}));
    let answer = test(&workflow, &[]).exits(1).json();
    let drift = &answer["drift"];
    assert_eq!(
        drift["summary"],
        json!({
            "dependenciesAccessed": [],
            "directFetchCalls": 1,
            "directSecretsAccess": 1,
            "deadDeclarations": ["api"],
            "undeclaredDependencies": ["db"],
            "undeclaredUses": [],
            "deadUses": [],
            "hasViolations": true,
        })
    );
    let told: Vec<_> = drift["violations"]
        .as_array()
        .expect("violations")
        .iter()
        .map(|it| json!([it["type"], it["file"], it["line"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!(["dead-declaration", null, null]),
            json!(["direct-secrets", "nodes/only.ts", 4]),
            json!(["direct-fetch", "nodes/only.ts", 5]),
            json!(["undeclared-dependency", "nodes/only.ts", 6]),
        ]
    );
    let sound = tested("ctx.secrets; return 1;", &json!({}));
    sound.replace(
        "workflow.yaml",
        CONTRACT,
        "contract: {version: \"1\", dependencies: {}}\n",
    );
    test(&sound, &[]).exits(1);
    let text = tntc(["test", sound.path(), "--warn"]).run().exits(0);
    text.answers("direct-secrets  nodes/only.ts:4")
        .answers("contract drift, which only warns");
    sound.write(
        ".tentacular/config.yaml",
        "environments: {lab: {enforcement: audit}}\n",
    );
    test(&sound, &["--env", "lab"]).exits(0);
}

/// A workflow of one node that is given `api` alone, of two dependencies.
fn narrowed(body: &str) -> Workflow {
    let workflow = tested(
        body,
        &json!({"secrets": {"api": {"token": "s3cret-of-the-api"}}}),
    );
    let db = format!("{CONTRACT}    db: {{protocol: https, host: db.example.com}}\n");
    workflow.replace("workflow.yaml", CONTRACT, &db);
    workflow.replace(
        "workflow.yaml",
        "timeout: 300ms",
        "timeout: 300ms, uses: [api]",
    );
    workflow
}

#[test]
fn a_test_sees_what_a_node_asks_for_beside_its_uses() {
    let computed =
        "try { ctx.dependency(`d${\"b\"}`); } catch (error) { return (error as Error).message; }";
    let workflow = narrowed(&format!("ctx.dependency(\"api\"); {computed}"));
    let answer = test(&workflow, &[]).exits(1).json();
    let drift = &answer["drift"];
    assert_eq!(drift["summary"]["undeclaredUses"], json!(["only: db"]));
    assert_eq!(
        drift["violations"].as_array().map(Vec::len),
        Some(1),
        "{drift}"
    );
    assert_eq!(drift["violations"][0]["line"], 4);
    let output = answer["results"][0]["actual"].as_str().unwrap_or_default();
    assert!(output.contains("nodes.only.uses: [api, db]"), "{answer}");
    test(&workflow, &["--warn"]).exits(0);
}

#[test]
fn a_secret_in_a_url_is_warned_of_and_not_repeated() {
    let seen = "const api = ctx.dependency(\"api\");\n  await api.fetch(`/x?key=${api.secret}`);\n  await api.fetch([\"/y?key=\", api.secret].join(\"\"));\n  ctx.dependency(`d${\"b\"}`.slice(0, 0) || \"api\");\n  return 1;";
    let workflow = narrowed(seen);
    let answer = test(&workflow, &[]).exits(0);
    let warnings = answer.json()["drift"]["warnings"].clone();
    let told: Vec<_> = warnings
        .as_array()
        .expect("warnings")
        .iter()
        .map(|it| json!([it["type"], it["line"], it["message"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!([
                "secret-in-url",
                5,
                "puts a secret into the URL of a request"
            ]),
            json!([
                "secret-in-url",
                6,
                "puts a secret into the URL /y?key=*** of api"
            ]),
        ]
    );
    assert!(!answer.stdout.contains("s3cret"), "{answer:?}");
    let text = tntc(["test", workflow.path()]).run().exits(0);
    text.answers("warning: secret-in-url  nodes/only.ts:5");
}

#[test]
fn a_dynamic_target_covers_its_ports_and_addresses() {
    let workflow = workflow(&[
        (
            "inside",
            "await fetch(\"http://10.1.2.3:8080/x\"); await fetch(\"http://10.1.2.3:9090/x\");",
        ),
        (
            "outside",
            "await fetch(\"http://10.2.0.1:8080/x\"); await fetch(\"http://named:8080/x\");",
        ),
        ("anywhere", "await fetch(\"https://named.example.com/x\");"),
    ]);
    workflow.replace(
        "workflow.yaml",
        "    api: {protocol: https, host: api.example.com, auth: {type: bearer-token, secret: api.token}}\n",
        "    block: {type: dynamic-target, cidr: 10.1.0.0/16, dynPorts: [\"8080/TCP\", {port: 9090, protocol: TCP}], reason: r}\n    \
         all: {type: dynamic-target, cidr: 0.0.0.0/0, dynPorts: [\"443/TCP\"], reason: r, allowAllHosts: true}\n",
    );
    for node in ["inside", "outside", "anywhere"] {
        workflow.write(
            &format!("tests/fixtures/{node}.json"),
            r#"{"expected": null}"#,
        );
        workflow.replace(&format!("nodes/{node}.ts"), "\n}", " return null;\n}");
    }
    let answer = test(&workflow, &[]).exits(1).json();
    let summary = &answer["drift"]["summary"];
    assert_eq!(summary["dependenciesAccessed"], json!(["all", "block"]));
    let places: Vec<_> = answer["drift"]["violations"]
        .as_array()
        .expect("violations")
        .iter()
        .map(|it| it["file"].as_str())
        .collect();
    assert!(
        places.iter().all(|file| *file == Some("nodes/outside.ts")),
        "{places:?}"
    );
}

#[test]
fn without_a_contract_drift_is_not_judged() {
    let body = "const user = await ctx.fetch(\"github\", \"/user\"); return [(await user.json()).path, ctx.secrets.github.token];";
    let fixture = json!({"secrets": {"github": {"token": "t"}}, "expected": ["/user", "t"]});
    let workflow = tested(body, &fixture);
    workflow.replace("workflow.yaml", CONTRACT, "");
    let answer = test(&workflow, &[]).exits(0).json();
    assert_eq!(answer["drift"]["summary"]["hasViolations"], false);
    tntc(["test", workflow.path()])
        .run()
        .exits(0)
        .answers("not judged: workflow.yaml has no contract");
}

#[test]
fn a_fixtures_own_contract_is_for_its_test_alone() {
    let body = format!("{USES_API_FIRST} return ctx.dependency(\"db\").host;");
    let contract =
        json!({"dependencies": {"db": {"protocol": "tcp", "host": "db.test", "port": 1}}});
    let workflow = tested(&body, &json!({"contract": contract, "expected": "db.test"}));
    let answer = test(&workflow, &[]).exits(1).json();
    assert_eq!(answer["results"][0]["status"], "pass");
    assert_eq!(
        answer["drift"]["summary"]["undeclaredDependencies"],
        json!(["db"])
    );
}
