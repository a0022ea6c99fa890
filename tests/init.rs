//! `tntc init`.

use std::path::Path;

use crate::support::{Workflow, tntc};

#[test]
fn what_init_writes_is_valid_and_runs() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    tntc(["init", "daily-report"])
        .current_dir(parent.path())
        .run()
        .exits(0)
        .answers("created daily-report");
    tntc(["validate", "daily-report"])
        .current_dir(parent.path())
        .run()
        .exits(0);
    let answer = tntc([
        "run",
        "--local",
        "daily-report",
        "--input",
        r#"{"name": "Ada"}"#,
    ])
    .current_dir(parent.path())
    .run()
    .exits(0);
    assert_eq!(answer.json()["outputs"]["greet"]["message"], "Hello, Ada!");
}

pub const TEMPLATES: [&str; 7] = [
    "basic",
    "http-check",
    "api-to-database",
    "report",
    "queue-consumer",
    "webhook",
    "llm-summary",
];

#[track_caller]
fn deno(dir: &Path, arguments: &[&str]) {
    let deno = std::env::var("TNTC_DENO").unwrap_or_else(|_| "deno".to_owned());
    let output = std::process::Command::new(&deno)
        .args(arguments)
        .current_dir(dir)
        .output()
        .unwrap_or_else(|cause| panic!("{deno}: {cause}"));
    assert!(
        output.status.success(),
        "{}: deno {arguments:?}: {}",
        dir.display(),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn every_template_is_valid_and_passes_its_own_fixtures() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    for template in TEMPLATES {
        let run = |arguments: &[&str]| {
            let command = tntc(arguments.iter().copied()).current_dir(parent.path());
            command.run().exits(0)
        };
        let name = format!("my-{template}");
        run(&["init", &name, "--template", template]);
        let valid = run(&["validate", &name, "-o", "json"]).json();
        assert_eq!(valid["warnings"], serde_json::json!([]), "{template}");
        let tested = run(&["test", &name, "-o", "json"]).json();
        assert!(
            !tested["summary"].to_string().contains("untested"),
            "{template}"
        );
        assert_eq!(
            tested["drift"]["summary"]["hasViolations"], false,
            "{template}"
        );
        run(&["test", &name, "--pipeline"]);
    }
}

#[test]
fn every_template_passes_denos_own_checks() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    for template in TEMPLATES {
        tntc(["init", template, "--template", template])
            .current_dir(parent.path())
            .run()
            .exits(0);
        let dir = parent.path().join(template);
        deno(&dir, &["check", "nodes"]);
        deno(&dir, &["lint"]);
        deno(&dir, &["fmt", "--check"]);
    }
}

const UNIT_TEST: &str = r#"import { mockContext } from "tentacular/testing";
import run from "../nodes/fetch.ts";

Deno.test("asks with the token", async () => {
  const { ctx, calls } = mockContext({
    config: { path: "/v1/products" },
    secrets: { api: { token: "t0ken" } },
    contract: {
      dependencies: {
        api: {
          protocol: "https",
          host: "api.example.com",
          auth: { type: "bearer-token", secret: "api.token" },
        },
      },
    },
    mocks: { api: { "/v1/products": { body: [] } } },
  });
  const products = await run(ctx);
  if (products.length > 0) throw new Error("nothing was to be found");
  if (calls[0]?.headers["authorization"] !== "Bearer t0ken") throw new Error("no token");
});
"#;

#[test]
fn a_test_of_the_users_own_can_make_a_context() {
    let workflow = Workflow::from_template("api-to-database");
    workflow.write("tests/fetch_test.ts", UNIT_TEST);
    let dir = Path::new(workflow.path());
    deno(dir, &["check"]);
    deno(dir, &["lint"]);
    deno(dir, &["fmt", "--check"]);
    deno(dir, &["test", "--no-remote", "--no-npm"]);
    tntc(["test", workflow.path()]).run().exits(0);
}

#[test]
fn an_unknown_template_lists_those_there_are() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    tntc(["init", "x", "--template", "nothing"])
        .current_dir(parent.path())
        .run()
        .exits(2)
        .says("there is no template `nothing`")
        .says("api-to-database, basic, http-check, llm-summary, queue-consumer, report, webhook");
    assert!(!parent.path().join("x").exists());
}

#[test]
fn init_refuses_to_overwrite() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    std::fs::create_dir(parent.path().join("daily-report")).expect("a directory");
    tntc(["init", "daily-report"])
        .current_dir(parent.path())
        .run()
        .exits(2)
        .says("exists already; nothing was written");
    assert_eq!(
        std::fs::read_dir(parent.path())
            .expect("a directory")
            .count(),
        1
    );
}

#[test]
fn init_refuses_a_bad_name() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    tntc(["init", "Daily_Report"])
        .current_dir(parent.path())
        .run()
        .exits(2)
        .says("is not a valid workflow name");
    assert_eq!(
        std::fs::read_dir(parent.path())
            .expect("a directory")
            .count(),
        0
    );
}
