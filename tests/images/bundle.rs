//! Nodes whose imports come from npm, JSR or a URL.

use serde_json::Value;

use crate::support::{
    Answer, ModuleServer, NODE_ADDRESS, Namespace, Postgres, Tntc, Workflow, deployed,
    engine_image, tntc,
};

const FROM_NPM: &str = "import { parse } from \"npm:postgres-array@2.0.0\";\n\
    export default async function run(): Promise<unknown> {\n  return parse(\"{1,2}\", Number);\n}\n";

fn workflow(source: &str) -> Workflow {
    let workflow = Workflow::of_one_node("bundled", "return 1;");
    workflow.write("nodes/only.ts", source);
    workflow
}

fn dry_run(workflow: &Workflow) -> Tntc {
    tntc(["deploy", workflow.path(), "--dry-run", "-o", "json"])
}

/// The files of the workflow's ConfigMap.
fn code(answer: &Answer) -> Value {
    let envelope = answer.json();
    let mut manifests = envelope["manifests"].as_array().expect("manifests").iter();
    let map = manifests.find(|object| object["kind"] == "ConfigMap");
    map.expect("a ConfigMap")["data"].clone()
}

#[track_caller]
fn text<'a>(code: &'a Value, key: &str) -> &'a str {
    code[key]
        .as_str()
        .unwrap_or_else(|| panic!("no {key} in {code}"))
}

#[test]
fn a_node_that_imports_from_npm_is_bundled_beside_its_own_file() {
    let workflow = workflow(FROM_NPM);
    let before = workflow.files();
    let code = code(&dry_run(&workflow).run().exits(0));
    let stub = "export { default } from \"./only.ts.bundle.js\";\n";
    assert_eq!(text(&code, "nodes__only.ts"), stub);
    let bundle = text(&code, "nodes__only.ts.bundle.js");
    assert!(!bundle.contains("npm:"), "{bundle}");
    assert!(
        bundle.ends_with("//# sourceMappingURL=only.ts.bundle.js.map\n"),
        "{bundle}"
    );
    let map = text(&code, "nodes__only.ts.bundle.js.map");
    let map: Value = serde_json::from_str(map).expect("JSON");
    assert_eq!(map["sources"], serde_json::json!(["../nodes/only.ts"]));
    assert!(map.get("sourcesContent").is_none(), "{map}");
    assert_eq!(
        workflow.files(),
        before,
        "the user's directory was written to"
    );
}

#[test]
fn the_same_workflow_is_the_same_bundle() {
    let first = code(&dry_run(&workflow(FROM_NPM)).run().exits(0));
    let second = code(&dry_run(&workflow(FROM_NPM)).run().exits(0));
    assert_eq!(first, second);
}

#[test]
fn without_such_an_import_no_deno_is_needed_and_with_one_it_is_said_why() {
    let plain = Workflow::of_one_node("plain", "return 1;");
    dry_run(&plain)
        .env("TNTC_DENO", "/nonexistent/deno")
        .run()
        .exits(0);
    dry_run(&workflow(FROM_NPM))
        .env("TNTC_DENO", "/nonexistent/deno")
        .run()
        .exits(3)
        .answers("nodes/only.ts imports npm:postgres-array@2.0.0");
}

#[test]
fn a_lock_file_is_held_to() {
    let workflow = workflow(FROM_NPM);
    let locked = |integrity: &str| {
        format!(
            "{{\"version\": \"5\", \"specifiers\": {{\"npm:postgres-array@2.0.0\": \"2.0.0\"}}, \
             \"npm\": {{\"postgres-array@2.0.0\": {{\"integrity\": \"{integrity}\"}}}}}}\n"
        )
    };
    let right = "sha512-VpZrUqU5A69eQyW2c5CA1jtLecCsN2U/bD6VilrFDWq5+5UIEVO7nazS3TEcHf1zuPYO/sqGvUvW62g86RXZuA==";
    workflow.write("deno.lock", &locked(right));
    dry_run(&workflow).run().exits(0);
    workflow.write("deno.lock", "{\"version\": \"5\"}\n");
    dry_run(&workflow)
        .run()
        .exits(1)
        .answers("cannot bundle nodes/only.ts, which imports npm:postgres-array@2.0.0")
        .answers("bring deno.lock up to date");
    workflow.write("deno.lock", &locked(&right.replace("VpZr", "AAAA")));
    // What was checked once is not checked again, so nothing may be there yet.
    let empty = tempfile::tempdir().expect("a directory");
    dry_run(&workflow)
        .env("DENO_DIR", empty.path())
        .run()
        .exits(1)
        .answers("what was downloaded is not what deno.lock was written for");
}

#[test]
fn imports_from_a_url_and_from_jsr_are_bundled() {
    let server = ModuleServer::start();
    let workflow = workflow(&format!(
        "import {{ twice }} from \"{}/twice.ts\";\nimport {{ thrice }} from \"jsr:@test/thrice@1\";\n\
         export default async function run(): Promise<unknown> {{\n  return twice(1) + thrice(1);\n}}\n",
        server.url
    ));
    let code = code(&server.trusted(dry_run(&workflow)).run().exits(0));
    let bundle = text(&code, "nodes__only.ts.bundle.js");
    assert!(!bundle.contains("import"), "{bundle}");
    workflow.write("nodes/only.ts.bundle.js", bundle);
    workflow.write("nodes/only.ts", text(&code, "nodes__only.ts"));
    let answer = tntc(["run", "--local", workflow.path()]).run().exits(0);
    assert_eq!(answer.json()["outputs"]["only"], 5);
}

/// Errors are told apart by the names of their classes, and a test that runs here must hold for what is delivered.
#[test]
fn classes_and_functions_are_delivered_with_their_names() {
    let workflow = workflow(
        "import pg from \"npm:pg@8\";\nclass NotFound extends Error {}\nfunction twice() {}\n\
         export default function run(): unknown {\n  \
           return [new NotFound().constructor.name, twice.name, pg.DatabaseError.name];\n}\n",
    );
    let local = |workflow: &Workflow| {
        let answer = tntc(["run", "--local", workflow.path()]).run().exits(0);
        answer.json()["outputs"]["only"].clone()
    };
    let names = serde_json::json!(["NotFound", "twice", "DatabaseError"]);
    assert_eq!(local(&workflow), names);
    let code = code(&dry_run(&workflow).run().exits(0));
    for (key, text) in code.as_object().expect("files") {
        workflow.write(&key.replace("__", "/"), text.as_str().expect("a text"));
    }
    assert_eq!(local(&workflow), names);
}

#[test]
fn a_bundle_that_is_too_large_names_the_import_that_is() {
    let server = ModuleServer::start();
    let url = &server.url;
    let workflow = workflow(&format!(
        "import {{ twice }} from \"{url}/twice.ts\";\nimport {{ large }} from \"{url}/outer.ts\";\n\
         export default async function run(): Promise<unknown> {{\n  return twice(large.length);\n}}\n",
    ));
    server
        .trusted(dry_run(&workflow))
        .run()
        .exits(1)
        .answers("more than the 921600 that fit a ConfigMap")
        .answers(&format!(
            "the largest imports are {url}/outer.ts at nodes/only.ts:2:23 with 2000"
        ));
    let validate = |more: &[&str]| {
        let words = ["validate", workflow.path(), "-o", "json"];
        let command = tntc(words.into_iter().chain(more.iter().copied()));
        server.trusted(command).run()
    };
    validate(&[]).exits(0);
    validate(&["--bundle"])
        .exits(1)
        .answers("more than the 921600 that fit a ConfigMap");
}

/// The driver is `CommonJS`, of which `deno bundle` changes helpers after it has made the map.
#[test]
fn an_error_names_the_line_of_the_source_here_and_in_a_pod() {
    let workflow = workflow(
        "import pg from \"npm:pg@8\";\n\n\
         export default function run(): number {\n  \
           pg.types.arrayParser.create(\"{1}\", () => {\n    \
             throw new Error(\"boom\");\n  }).parse();\n  return 1;\n}\n",
    );
    let place = "nodes/only.ts:5:11";
    let local = tntc(["run", "--local", workflow.path()]).run().exits(1);
    local.answers("boom").says(place);
    let namespace = deployed(&workflow, "placed");
    let run = tntc(["run", "bundled", "-n", &namespace.name])
        .run()
        .exits(1);
    run.answers("boom");
    let logs = ["logs", "bundled", "-n", &namespace.name];
    tntc(logs).run().exits(0).answers(place);
}

#[test]
fn an_import_that_cannot_be_reached_is_told() {
    let workflow = workflow(
        "import \"https://127.0.0.1:9/x.ts\";\nexport default async function run(): Promise<unknown> { return 1; }\n",
    );
    dry_run(&workflow)
        // Of the user's own choice; without that, nothing is asked of this machine.
        .env("JSR_URL", "https://127.0.0.1:9/")
        .run()
        .exits(3)
        .answers("cannot bundle nodes/only.ts, which imports https://127.0.0.1:9/x.ts");
}

#[test]
fn an_import_that_does_not_exist_is_told_with_its_place() {
    let server = ModuleServer::start();
    let workflow = workflow(&format!(
        "export default () => 1;\nimport \"{}/absent.ts\";\n",
        server.url
    ));
    let answer = server
        .trusted(dry_run(&workflow))
        .env("RUST_BACKTRACE", "1");
    let cause = answer.run().exits(1).json()["cause"].to_string();
    assert!(cause.contains(" nodes/only.ts:2:8"), "{cause}");
    for noise in ["tentacular-local-", "Stack backtrace"] {
        assert!(!cause.contains(noise), "{cause}");
    }
}

#[test]
fn a_driver_from_npm_queries_a_real_database_from_a_sealed_pod() {
    let database = Postgres::start();
    let namespace = Namespace::new("bundled");
    let workflow = workflow(
        "import pg from \"npm:pg@8\";\nimport type { Context } from \"tentacular\";\n\
         export default async function run(ctx: Context): Promise<unknown> {\n\
           const { host, port, user, database, secret } = ctx.dependency(\"db\");\n\
           const client = new pg.Client({ host, port, user, database, password: secret });\n\
           await client.connect();\n\
           const found = await client.query(\"select version(), 6 * 7 as answer\");\n\
           await client.end();\n\
           return found.rows[0];\n}\n",
    );
    workflow.write(
        "workflow.yaml",
        &format!(
            "name: bundled\nversion: \"1.0\"\ntriggers: [{{type: manual}}]\nnodes: {{only: {{path: nodes/only.ts}}}}\n\
             contract: {{version: \"1\", dependencies: {{db: {{protocol: postgresql, host: {NODE_ADDRESS}, port: {}, \
             database: postgres, user: reader, auth: {{type: password, secret: db.password}}}}}}}}\n",
            database.port
        ),
    );
    workflow.write(".secrets.yaml", "db: {password: sesame}\n");
    let name = namespace.name.as_str();
    tntc([
        "deploy",
        workflow.path(),
        "-n",
        name,
        "--image",
        engine_image(),
        "--wait",
        "--force",
    ])
    .run()
    .exits(0);
    let deployment = namespace.get("deployment", "bundled").to_string();
    for flag in ["--no-remote", "--no-npm"] {
        assert!(deployment.contains(flag), "{deployment}");
    }
    let policy = namespace.get("networkpolicy", "bundled-netpol").to_string();
    assert!(policy.contains(&format!("{NODE_ADDRESS}/32")), "{policy}");
    let answer = tntc(["run", "bundled", "-n", name]).run().exits(0).json();
    let row = &answer["outputs"]["only"];
    assert_eq!(row["answer"], 42, "{answer}");
    assert!(
        row["version"]
            .as_str()
            .is_some_and(|it| it.starts_with("PostgreSQL 15")),
        "{row}"
    );
}
