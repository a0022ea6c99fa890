//! What nodes of a stranger's workflow reach when they are tested or run on this machine.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};

use super::listener::{Listener, http};
use crate::support::{Tntc, Workflow, tntc};
use crate::test::tested;

const CANARY: &str = "CANARY-2b7e";

/// A node's body that gives, by name, what reading each of these paths came to.
fn reading(paths: &[&str]) -> String {
    let paths = json!(paths);
    format!(
        "const here = new URL(\"..\", import.meta.url);\n  const found: Record<string, string> = {{}};\n  \
         for (const path of {paths}) {{\n    try {{\n      \
         found[path] = Deno.readTextFileSync(path.startsWith(\"/\") ? path : new URL(path, here));\n    \
         }} catch (error) {{\n      found[path] = `refused: ${{(error as Error).name}}`;\n    }}\n  }}\n  return found;"
    )
}

/// What the node of a workflow returns, in `tntc test` and in `tntc run --local`.
fn outputs(workflow: &Workflow, change: impl Fn(Tntc) -> Tntc) -> [Value; 2] {
    workflow.write("tests/fixtures/only.json", "{}");
    let tested = change(tntc(["test", workflow.path(), "-o", "json"])).run();
    let ran = change(tntc(["run", "--local", workflow.path()])).run();
    [
        tested.json()["results"][0]["actual"].clone(),
        ran.json()["outputs"]["only"].clone(),
    ]
}

#[track_caller]
fn refuses_all(output: &Value) {
    let found = output
        .as_object()
        .unwrap_or_else(|| panic!("no output: {output}"));
    for (path, read) in found {
        let text = read.as_str().unwrap_or_default();
        assert!(text.starts_with("refused"), "{path} was read: {text}");
    }
}

#[test]
fn a_link_leads_no_node_out_of_the_workflow() {
    let outside = tempfile::tempdir().expect("a directory");
    let key = outside.path().join("key.txt");
    fs::write(&key, CANARY).expect("a file");
    let through = format!("slash{}", key.display());
    let paths = [
        through.as_str(),
        "link.txt",
        "nodes/link.txt",
        key.to_str().expect("UTF-8"),
    ];
    let workflow = Workflow::of_one_node("linked", &reading(&paths));
    let root = Path::new(workflow.path());
    symlink("/", root.join("slash")).expect("a link");
    symlink(&key, root.join("link.txt")).expect("a link");
    symlink(&key, root.join("nodes/link.txt")).expect("a link");
    outputs(&workflow, |it| it).iter().for_each(refuses_all);
}

#[test]
fn a_comma_in_the_path_opens_no_other_directory() {
    let outside = tempfile::tempdir().expect("a directory");
    fs::write(outside.path().join("key.txt"), CANARY).expect("a file");
    let key = outside.path().join("key.txt").display().to_string();
    let name = format!(
        "evil,.,{}",
        outside.path().display().to_string().trim_start_matches('/')
    );
    let workflow = Workflow::of_one_node("listed", &reading(&[&key]));
    let moved = outside.path().join(&name);
    fs::create_dir_all(moved.parent().expect("a parent")).expect("a directory");
    fs::rename(workflow.path(), &moved).expect("a directory");
    fs::create_dir_all(moved.join("tests/fixtures")).expect("a directory");
    fs::write(moved.join("tests/fixtures/only.json"), "{}").expect("a file");
    let path = moved.to_str().expect("UTF-8");
    let tested = tntc(["test", path, "-o", "json"]).run().exits(0).json();
    refuses_all(&tested["results"][0]["actual"]);
    let ran = tntc(["run", "--local", path]).run().exits(0).json();
    refuses_all(&ran["outputs"]["only"]);
}

#[test]
fn a_comma_in_the_cache_is_refused_by_name() {
    let home = tempfile::tempdir().expect("a directory");
    let cache = home.path().join("a,b");
    let workflow = Workflow::of_one_node("listed", "return 1;");
    tntc(["run", "--local", workflow.path()])
        .env("XDG_CACHE_HOME", &cache)
        .run()
        .exits(3)
        .says("has a comma in it, which no permission flag of Deno can hold");
}

#[test]
fn no_node_reads_secrets_and_dot_files_of_its_directory() {
    let hidden = [
        ".secrets.yaml",
        ".secrets/api",
        ".env",
        ".git/config",
        ".npmrc",
        "nodes/.hidden",
    ];
    let workflow = Workflow::of_one_node("curious", &reading(&hidden));
    for name in hidden {
        workflow.write(name, CANARY);
    }
    workflow.write(".secrets.yaml", &format!("api: {{key: {CANARY}}}\n"));
    outputs(&workflow, |it| it).iter().for_each(refuses_all);
}

#[test]
fn no_node_sees_the_users_environment_whatever_the_contract() {
    let body = "return Object.keys(Deno.env.toObject()).filter((it) => it.startsWith(\"AWS\"));";
    let workflow = Workflow::without_contract("unsealed", body);
    let answer = tntc(["run", "--local", workflow.path()])
        .env("AWS_SECRET_ACCESS_KEY", CANARY)
        .run()
        .exits(0);
    assert_eq!(answer.json()["outputs"]["only"], json!([]));
}

#[test]
fn nothing_is_kept_from_one_run_to_the_next() {
    let body = "const tried: Record<string, string> = {};\n  \
        const attempt = async (name: string, act: () => unknown) => {\n    \
        try { tried[name] = String(await act()); } catch (error) { tried[name] = `refused: ${(error as Error).name}`; }\n  };\n  \
        await attempt(\"localStorage\", () => localStorage.setItem(\"k\", \"v\"));\n  \
        await attempt(\"caches\", async () => await (await caches.open(\"c\")).put(\"http://x/\", new Response(\"v\")));\n  \
        const code = `try { caches.open(\"c\").then(() => postMessage(\"kept\"), (e) => postMessage(\"refused: \" + e.name)); } catch (e) { postMessage(\"refused: \" + e.name); }`;\n  \
        const worker = new Worker(`data:text/javascript,${encodeURIComponent(code)}`, { type: \"module\" });\n  \
        await attempt(\"worker\", () => new Promise((done) => worker.onmessage = (it) => done(it.data)));\n  \
        worker.terminate();\n  return tried;";
    let workflow = Workflow::of_one_node("keeper", body);
    let cache = tempfile::tempdir().expect("a directory");
    let dir = cache.path().join("deno");
    for output in outputs(&workflow, |it| it.env("DENO_DIR", &dir)) {
        refuses_all(&output);
    }
    assert!(!dir.exists(), "something was left in the user's DENO_DIR");
}

#[test]
fn a_server_on_this_machine_is_out_of_reach_on_every_port() {
    let port = 8080;
    let body = format!(
        "const tried: Record<string, string> = {{}};\n  \
         for (const host of [\"0.0.0.0\", \"127.0.0.1\", \"localhost\"]) {{\n    \
         try {{ tried[host] = await (await fetch(`http://${{host}}:{port}/`)).text(); }}\n    \
         catch (error) {{ tried[host] = `refused: ${{(error as Error).name}}`; }}\n    \
         try {{ (await Deno.connect({{ hostname: host, port: {port} }})).close(); tried[`tcp ${{host}}`] = \"connected\"; }}\n    \
         catch (error) {{ tried[`tcp ${{host}}`] = `refused: ${{(error as Error).name}}`; }}\n  }}\n  return tried;"
    );
    let workflow = Workflow::of_one_node("reaching", &body);
    let ran = tntc(["run", "--local", workflow.path()])
        .run()
        .exits(0)
        .json();
    let tried = ran["outputs"]["only"]
        .as_object()
        .expect("an object")
        .clone();
    for (what, result) in tried {
        // Not `ConnectionRefused`, which is what a free port says: permission was never asked of the network.
        let expected = ["refused: NotCapable", "refused: PermissionDenied"];
        assert!(
            expected.contains(&result.as_str().unwrap_or_default()),
            "{what}: {result}"
        );
    }
}

/// What of the forged and of the true answer is taken.
#[test]
fn a_node_cannot_forge_the_answer_of_its_test() {
    let body = "const record = (word: string) => `\\n\\u001e${word}${JSON.stringify({ id: 0, report: { durationMs: 1, output: \"forged\", \
        timedOut: false, differences: [], callDifferences: [], accesses: [], calls: [], deviations: [], log: [] } })}\\n`;\n  \
        let seen = \"\";\n  \
        const write = Deno.stdout.writeSync;\n  \
        Deno.stdout.writeSync = function (bytes) { seen += new TextDecoder().decode(bytes); return write.call(this, bytes); };\n  \
        for (const word of [\"\", \" \", \"0 \"]) Deno.stdout.writeSync(new TextEncoder().encode(record(word)));\n  \
        return \"honest\" + (seen.includes(\"honest\") ? seen : \"\");";
    let workflow = tested(body, &json!({"expected": "forged"}));
    let answer = tntc(["test", workflow.path(), "-o", "json"])
        .run()
        .exits(1)
        .json();
    assert_eq!(answer["results"][0]["status"], "fail");
    assert_eq!(answer["results"][0]["actual"], "honest");
}

#[test]
fn a_flood_without_an_end_of_line_fills_no_memory() {
    const MOST: usize = 200;
    let flood = "const chunk = new TextEncoder().encode(\"x\".repeat(1 << 20));\n  \
        for (let i = 0; i < 400; i++) { Deno.stdout.writeSync(chunk); Deno.stderr.writeSync(chunk); }\n  \
        return 1;";
    let workflow = Workflow::of_one_node("flood", flood);
    workflow.write("tests/fixtures/only.json", r#"{"expected": 1}"#);
    for (arguments, status) in [(&["test"][..], 0), (&["run", "--local"], 1)] {
        let arguments: Vec<_> = arguments.iter().copied().chain([workflow.path()]).collect();
        let (ended, peak) = super::files::run(&arguments);
        assert_eq!(ended, Some(status), "{arguments:?}");
        // The peak is that of the largest process, Deno's own included.
        assert!(peak >> 20 < MOST, "{arguments:?}: {} MiB", peak >> 20);
    }
}

#[test]
fn an_answer_that_is_too_large_fails_its_test_and_no_other() {
    let workflow = tested(
        "return input === 1 ? \"x\".repeat(20 << 20) : input;",
        &json!({"input": 1}),
    );
    workflow.write(
        "tests/fixtures/only-b.json",
        r#"{"input": 2, "expected": 2}"#,
    );
    let answer = tntc(["test", workflow.path(), "-o", "json"])
        .run()
        .exits(1)
        .json();
    let summary = answer["summary"].as_str().unwrap_or_default();
    assert!(
        summary.starts_with("tested: 1 passed, 1 failed"),
        "{summary}"
    );
    let errors: Vec<_> = answer["results"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|it| it["error"].as_str())
        .collect();
    assert!(
        errors.len() == 1 && errors[0].contains("more than 16 MiB"),
        "{errors:?}"
    );
}

#[test]
fn messages_name_the_files_of_the_user_and_not_of_the_copy() {
    let workflow = Workflow::of_one_node("named", "throw new Error(import.meta.url);");
    workflow.write(
        "nodes/only.ts",
        "import \"./absent.ts\";\nexport default () => 1;\n",
    );
    workflow.write("tests/fixtures/only.json", "{}");
    for arguments in [&["test"][..], &["run", "--local"]] {
        let all: Vec<_> = arguments.iter().copied().chain([workflow.path()]).collect();
        let answer = tntc(all).run();
        let said = format!("{}{}", answer.stdout, answer.stderr);
        assert!(said.contains("nodes/absent.ts"), "{said}");
        assert!(!said.contains("/copies/"), "{said}");
    }
}

#[test]
fn a_redirect_to_another_declared_host_carries_no_key() {
    let second = Listener::start(http("200 OK", "", "there"));
    let location = format!("location: http://localhost:{}/\r\n", second.port);
    let first = Listener::start(http("307 Temporary Redirect", &location, ""));
    let workflow = Workflow::of_one_node(
        "keyed",
        &format!(
            "const answer = await ctx.dependency(\"first\").fetch!(\"/\", {{ headers: {{ \"x-api-key\": \"{CANARY}\" }} }});\n  \
             return await answer.text();"
        ),
    );
    let contract = format!(
        "contract: {{version: \"1\", dependencies: {{first: {{protocol: http, host: 127.0.0.1, port: {}}}, \
         second: {{protocol: http, host: localhost, port: {}}}}}}}",
        first.port, second.port
    );
    workflow.replace(
        "workflow.yaml",
        "contract: {version: \"1\", dependencies: {}}",
        &contract,
    );
    let ran = tntc(["run", "--local", workflow.path()])
        .run()
        .exits(0)
        .json();
    assert_eq!(ran["outputs"]["only"], "there");
    assert!(
        first.requests()[0].contains(CANARY),
        "the first host gets the key"
    );
    assert!(
        !second.requests()[0].contains(CANARY),
        "{:?}",
        second.requests()
    );
}
