//! Code that does not keep to its contract, and secrets that the contract needs.

use serde_json::{Value, json};

use crate::support::{Namespace, Workflow, deploying};

#[test]
fn code_that_drifted_from_its_contract_is_not_deployed() {
    let namespace = Namespace::new("drift");
    let body = "ctx.dependency(\"db\");\n  return ctx.secrets;";
    let workflow = Workflow::of_one_node("drifter", body);
    let answer = deploying(&workflow, &namespace, &["-o", "json"])
        .run()
        .exits(1)
        .json();
    let violations = answer["drift"]["violations"]
        .as_array()
        .expect("violations");
    let told: Vec<_> = violations
        .iter()
        .map(|it| json!([it["type"], it["file"], it["line"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!(["undeclared-dependency", "nodes/only.ts", 3]),
            json!(["direct-secrets", "nodes/only.ts", 4]),
        ]
    );
    let summary = answer["summary"].as_str().unwrap_or_default();
    assert!(
        summary.contains("2 violations; nothing was applied"),
        "{summary}"
    );
    assert_eq!(namespace.list("deployments,services"), Vec::<Value>::new());
    deploying(&workflow, &namespace, &[])
        .run()
        .exits(1)
        .says("undeclared-dependency  nodes/only.ts:3")
        .says("--warn");
}

#[test]
fn drift_only_warns_with_a_flag_or_in_an_environment_that_says_so() {
    let namespace = Namespace::new("lenient");
    let workflow = Workflow::of_one_node("drifter", "return ctx.secrets;");
    let warning = "warning: contract drift: direct-secrets at nodes/only.ts:3";
    deploying(&workflow, &namespace, &["--warn"])
        .run()
        .exits(0)
        .says(warning);
    let config = "environments: {lab: {enforcement: audit}}\n";
    workflow.write(".tentacular/config.yaml", config);
    deploying(&workflow, &namespace, &["--env", "lab"])
        .run()
        .exits(0)
        .says(warning)
        .answers("unchanged");
}

#[test]
fn a_secret_that_the_contract_needs_stops_a_deploy_unless_it_only_warns() {
    let namespace = Namespace::new("needy");
    let workflow = Workflow::of_one_node("needy", "return ctx.dependency(\"api\").host;");
    workflow.replace(
        "workflow.yaml",
        "dependencies: {}",
        "dependencies: {api: {protocol: https, host: api.example.com, auth: {type: bearer-token, secret: api.token}}}",
    );
    let missing = "Secret \"needy-secrets\" not found";
    let answer = deploying(&workflow, &namespace, &["-o", "json"])
        .run()
        .exits(1)
        .json();
    assert_eq!(answer["summary"], missing);
    assert_eq!(namespace.list("deployments"), Vec::<Value>::new());
    deploying(&workflow, &namespace, &["--warn"])
        .run()
        .exits(0)
        .says(&format!("warning: {missing}"));
    assert_eq!(namespace.list("deployments").len(), 1);
}
