//! What runs on this machine, without a cluster: `tntc run --local`, and what it has in common with `test` and `dev`.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use serde_json::json;

use crate::dev::Running;
use crate::images::Registry;
use crate::support::{ModuleServer, Workflow, example, node, tntc};

#[test]
fn a_local_run_needs_no_cluster() {
    let workflow = example("word-counter");
    let answer = tntc([
        "run",
        "--local",
        workflow.path(),
        "--input",
        r#"{"text": "one two two"}"#,
    ])
    .env("KUBECONFIG", "/nonexistent")
    .run()
    .exits(0);
    assert_eq!(answer.json()["outputs"]["report"]["words"], 3);
}

#[test]
fn a_local_run_that_fails_exits_with_one() {
    let workflow = Workflow::of_one_node("failing", "throw new Error(\"made to fail\");");
    let answer = tntc(["run", "--local", workflow.path()]).run().exits(1);
    assert_eq!(
        answer.json()["errors"],
        json!(["node only threw: made to fail"])
    );
}

#[test]
fn a_local_run_is_sealed_like_the_pod() {
    let workflow = Workflow::of_one_node(
        "escape",
        "return await (await fetch(\"http://127.0.0.1:18999/\")).text();",
    );
    let answer = tntc(["run", "--local", workflow.path()]).run().exits(1);
    let error = answer.json()["errors"][0]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let told = "127.0.0.1:18999 is not in the contract";
    assert!(error.contains(told), "{error}");
}

/// As the pod does, also with an authority that Deno does not bring.
#[test]
fn a_local_run_trusts_the_authorities_of_the_system() {
    let server = Registry::with_tls();
    let port = server.name.rsplit(':').next().expect("a port");
    let workflow = Workflow::of_one_node(
        "trusting",
        "return (await ctx.dependency(\"server\").fetch(\"/v2/\")).status;",
    );
    workflow.replace(
        "workflow.yaml",
        "dependencies: {}",
        &format!("dependencies: {{server: {{protocol: https, host: localhost, port: {port}}}}}"),
    );
    let run = tntc(["run", "--local", workflow.path()]);
    run.run().exits(1).answers("UnknownIssuer");
    let trusting = tntc(["run", "--local", workflow.path()])
        .env("SSL_CERT_FILE", server.file("ca.pem"))
        .run()
        .exits(0);
    assert_eq!(trusting.json()["outputs"]["only"], 200);
}

#[test]
fn without_deno_a_local_run_says_which_version_is_needed() {
    let workflow = example("word-counter");
    tntc(["run", "--local", workflow.path()])
        .env("TNTC_DENO", "/nonexistent/deno")
        .run()
        .exits(3)
        .says("version 2.9.8 or newer is needed");
}

#[test]
fn deno_is_found_on_path_and_in_the_cache_when_it_is_new_enough() {
    let workflow = Workflow::of_one_node("any", "return 1;");
    let dir = tempfile::tempdir().expect("a directory");
    let run = || {
        tntc(["run", "--local", workflow.path()])
            .env("TNTC_DENO", "")
            .env("PATH", dir.path())
            .env("XDG_CACHE_HOME", dir.path())
            .run()
    };
    run().exits(3).says("Deno is not installed; version");
    let old = dir.path().join("deno");
    fs::write(&old, "#!/bin/sh\necho 'deno 1.40.0 (release)'\n").expect("a file");
    fs::set_permissions(&old, fs::Permissions::from_mode(0o755)).expect("a program");
    run()
        .exits(3)
        .says("deno is Deno 1.40.0; version 2.9.8 or newer is needed")
        .says("pip install deno");
    let cached = dir.path().join("tentacular/deno/9.0.0");
    fs::create_dir_all(&cached).expect("a directory");
    let deno = std::env::var("TNTC_DENO").expect("TNTC_DENO names a Deno");
    symlink(deno, cached.join("deno")).expect("a link");
    run().exits(0);
}

/// A node that imports from a URL, from JSR and from npm.
fn importing(server: &ModuleServer) -> String {
    format!(
        "import {{ twice }} from \"{}/twice.ts\";\nimport {{ thrice }} from \"jsr:@test/thrice@1\";\n\
         import {{ parse }} from \"npm:postgres-array@2.0.0\";\nimport {{ stop }} from \"./stop.ts\";\n\
         export default function run(_: unknown, input: {{ stop?: boolean }}): unknown {{\n  \
         if (input.stop) stop();\n  return [twice(1), thrice(1), ...parse(\"{{7}}\", Number)];\n}}\n",
        server.url
    )
}

const STOP: &str = "export function stop(): void {\n  throw new Error(\"as asked\");\n}\n";

#[test]
fn imports_from_outside_are_bundled_for_tests_and_local_runs() {
    let server = ModuleServer::start();
    let workflow = Workflow::of_one_node("importing", "");
    workflow.write("nodes/only.ts", &importing(&server));
    workflow.write("nodes/stop.ts", STOP);
    workflow.write("tests/fixtures/only.json", r#"{"expected": [2, 3, 7]}"#);
    workflow.write(
        "tests/fixtures/only-stop.json",
        r#"{"input": {"stop": true}}"#,
    );
    let before = workflow.files();
    let run = |arguments: &[&str]| {
        let command = tntc(arguments.iter().copied());
        server.trusted(command).run()
    };
    let tested = run(&["test", workflow.path(), "-o", "json"])
        .exits(1)
        .json();
    assert_eq!(tested["summary"], "importing: 1 passed, 1 failed");
    let error = tested["results"][0]["error"].as_str().unwrap_or_default();
    assert!(
        error.contains("at stop (nodes/stop.ts:2:9)") && error.contains("(nodes/only.ts:6:"),
        "a place in the sources and not in the bundle: {error}"
    );
    let pipeline = run(&["test", workflow.path(), "--pipeline", "-o", "json"]).exits(0);
    assert_eq!(
        pipeline.json()["execution"]["outputs"]["only"],
        json!([2, 3, 7])
    );
    let ran = run(&["run", "--local", workflow.path()]).exits(0).json();
    assert_eq!(ran["outputs"]["only"], json!([2, 3, 7]));
    assert_eq!(
        workflow.files(),
        before,
        "the user's directory was written to"
    );
}

#[test]
fn an_import_that_cannot_be_had_is_told_by_tests_and_local_runs() {
    let workflow = Workflow::of_one_node("importing", "");
    let source = "import \"https://127.0.0.1:9/x.ts\";\nexport default () => 1;\n";
    workflow.write("nodes/only.ts", source);
    workflow.write("tests/fixtures/only.json", "{}");
    for arguments in [&["test"][..], &["run", "--local"], &["dev", "-p", "1"]] {
        let all = arguments.iter().copied().chain([workflow.path()]);
        tntc(all)
            // Of the user's own choice; without that, nothing is asked of this machine.
            .env("JSR_URL", "https://127.0.0.1:9/")
            .run()
            .exits(3)
            .says("cannot bundle nodes/only.ts, which imports https://127.0.0.1:9/x.ts");
    }
}

#[test]
fn dev_bundles_and_follows_changes_of_imports() {
    let server = ModuleServer::start();
    let workflow = Workflow::of_one_node("importing", "return 1;");
    let mut dev = Running::with(&workflow, |command| server.trusted(command));
    assert_eq!(dev.run()["outputs"]["only"], 1);
    workflow.write("nodes/stop.ts", STOP);
    workflow.write("nodes/only.ts", &importing(&server));
    dev.until("bundling nodes/only.ts");
    dev.until("reloaded");
    assert_eq!(dev.run()["outputs"]["only"], json!([2, 3, 7]));
    workflow.replace("nodes/only.ts", "twice(1)", "twice(4)");
    dev.until("reloaded");
    assert_eq!(dev.run()["outputs"]["only"], json!([8, 3, 7]));
    workflow.write("nodes/only.ts", &node("return 2;"));
    dev.until("reloaded");
    assert_eq!(dev.run()["outputs"]["only"], 2);
    assert_eq!(dev.end(), Some(130));
}

/// A workflow whose node gives the two keys of the secret `api`, in a git repository.
fn secretive() -> Workflow {
    let workflow = Workflow::of_one_node("secretive", "return ctx.secrets.api;");
    let git = Command::new("git")
        .args(["init", "--quiet", workflow.path()])
        .status();
    assert!(git.expect("git runs").success());
    workflow
}

#[test]
fn a_local_run_resolves_references_to_the_shared_pool() {
    let workflow = secretive();
    workflow.write(".secrets/pooled", r#"{"key": "from the pool"}"#);
    workflow.write(".secrets.yaml", "api: $shared.pooled\n");
    let run = || tntc(["run", "--local", workflow.path()]).run();
    let answer = run().exits(0).json();
    assert_eq!(answer["outputs"]["only"], json!({"key": "from the pool"}));
    workflow.write(".secrets.yaml", "api: $shared.absent\n");
    run()
        .exits(1)
        .says("secrets of `api` refer to $shared.absent, but ");
}

#[test]
fn in_a_local_run_the_file_of_secrets_wins_over_their_directory_key_by_key() {
    let workflow = secretive();
    workflow.write(".secrets/api", r#"{"key": "k", "user": "u"}"#);
    workflow.write(".secrets.yaml", "api: {key: newer}\n");
    let answer = tntc(["run", "--local", workflow.path()])
        .run()
        .exits(0)
        .json();
    assert_eq!(
        answer["outputs"]["only"],
        json!({"key": "newer", "user": "u"})
    );
}

#[test]
fn dev_starts_again_with_changed_secrets() {
    let workflow = secretive();
    workflow.write(".secrets/pooled", r#"{"key": "first"}"#);
    workflow.write(".secrets.yaml", "api: $shared.pooled\n");
    let mut dev = Running::start(&workflow);
    assert_eq!(dev.run()["outputs"]["only"]["key"], "first");
    workflow.write(".secrets.yaml", "api: $shared.absent\n");
    dev.until("refer to $shared.absent");
    assert_eq!(dev.run()["outputs"]["only"]["key"], "first");
    workflow.write(".secrets/pooled", r#"{"key": "second"}"#);
    workflow.write(".secrets.yaml", "api: $shared.pooled\n");
    dev.until("the secrets have changed");
    dev.until("listening on");
    assert_eq!(dev.run()["outputs"]["only"]["key"], "second");
    assert_eq!(dev.end(), Some(130));
}
