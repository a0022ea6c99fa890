//! What nodes print and files are called, which reaches a terminal as text only.

use std::path::Path;
use std::process::Stdio;

use crate::dev::Running;
use crate::support::{Answer, Workflow, deployed, tntc, wait_for};

/// What would set a title, fill the clipboard, clear the screen, or turn the text around.
const ATTACK: &str =
    "\u{1b}]0;owned\u{7}\u{1b}]52;c;eA==\u{7}\u{1b}[2J\u{9b}31m\u{202e}\u{2028}x\rdone";

/// As a string of TypeScript in ASCII: the source itself is to be harmless.
fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|it| format!("\\u{{{:x}}}", u32::from(it)));
    format!("\"{}\"", escaped.collect::<String>())
}

/// A node that writes it in every way that there is.
fn noisy() -> Workflow {
    let text = quoted(ATTACK);
    Workflow::of_one_node(
        "noisy",
        &format!(
            "const text = {text};\n  const raw = new TextEncoder().encode(`${{text}}\\n`);\n  \
             Deno.stdout.writeSync(raw);\n  Deno.stderr.writeSync(raw);\n  console.log(text);\n  \
             console.error({{ [text]: text }});\n  ctx.log.info(text, {{ text }});\n  throw new Error(text);"
        ),
    )
}

#[track_caller]
fn harmless(what: &str, text: &str) {
    let active = text.chars().find(|it| tntc_core::terminal::is_active(*it));
    assert_eq!(active, None, "{what}: {text:?}");
}

#[track_caller]
fn both_harmless(what: &str, answer: &Answer) {
    harmless(what, &answer.stdout);
    harmless(what, &answer.stderr);
}

#[test]
fn what_a_node_prints_and_throws_steers_no_terminal() {
    let workflow = noisy();
    workflow.write("tests/fixtures/only.json", r#"{"expected": 1}"#);
    for command in [&["test"][..], &["test", "--pipeline"], &["run", "--local"]] {
        for format in ["text", "json"] {
            let arguments = [command, &[workflow.path(), "-o", format]].concat();
            let answer = tntc(arguments.iter().copied()).run().exits(1);
            let said = format!("{}{}", answer.stdout, answer.stderr);
            assert!(said.contains("owned"), "{command:?}: {said}");
            both_harmless(&format!("{command:?} {format}"), &answer);
        }
    }
    let mut dev = Running::start(&workflow);
    let own = "host: localhost\r\ncontent-type: application/json\r\n";
    assert_eq!(dev.status(own), 422);
    for _ in 0..4 {
        harmless("dev", &dev.until("owned"));
    }
}

#[test]
fn what_a_node_prints_in_a_pod_steers_no_terminal() {
    let namespace = deployed(&noisy(), "noisy");
    let run = tntc(["run", "noisy", "-n", &namespace.name]).run();
    both_harmless("run", &run.exits(1));
    let logs = |more: &[&str]| {
        let arguments = ["logs", "noisy", "-n", &namespace.name];
        tntc(arguments.into_iter().chain(more.iter().copied()))
    };
    wait_for("the log of the run", || {
        let answer = logs(&["-o", "json"]).run().exits(0);
        both_harmless("logs as JSON", &answer);
        let answer = logs(&[]).run().exits(0);
        both_harmless("logs", &answer);
        answer.stdout.contains("owned").then_some(())
    });
    let mut following = logs(&["-f"]).command();
    let mut following = following
        .stdout(Stdio::piped())
        .spawn()
        .expect("tntc starts");
    let stdout = following.stdout.take().expect("a pipe");
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(stdout));
    let line = lines.find_map(|line| line.ok().filter(|it| it.contains("owned")));
    following.kill().expect("a process");
    following.wait().expect("tntc ends");
    harmless("logs -f", &line.expect("a line of the node"));
}

#[test]
fn what_a_file_is_called_steers_no_terminal() {
    let name = ATTACK.replace('/', "");
    let workflow = Workflow::of_one_node("named", "return 1;");
    workflow.write(&format!("nodes/{name}.ts"), "export {};\n");
    workflow.write(
        &format!("tests/fixtures/only-{name}.json"),
        r#"{"expected": 2}"#,
    );
    workflow.write(&format!("{name}.npmrc"), "");
    let dir = Path::new(workflow.path()).join(&name);
    std::fs::create_dir(&dir).expect("a directory");
    let dir = dir.display().to_string();
    for command in [
        &["test"][..],
        &["deploy", "--dry-run"],
        &["validate"],
        &["visualize", "--rich"],
    ] {
        for more in [
            &[workflow.path()][..],
            &[workflow.path(), "-o", "json"],
            &[&dir],
        ] {
            let arguments = [command, more].concat();
            let answer = tntc(arguments.iter().copied()).run();
            both_harmless(&format!("{arguments:?}"), &answer);
        }
    }
    let said = tntc(["test", workflow.path()]).run().exits(1);
    assert!(said.stdout.contains("owned"), "{}", said.stdout);
}

#[test]
fn what_a_workflow_says_of_itself_steers_no_terminal() {
    let workflow = Workflow::of_one_node("told", "return 1;");
    let text = "\u{9b}31m\u{202e}\u{2028}";
    workflow.replace(
        "workflow.yaml",
        "version:",
        &format!("description: \"a{text}\"\nx{text}y: 1\nversion:"),
    );
    for command in ["validate", "visualize", "test"] {
        for format in ["text", "json"] {
            let answer = tntc([command, workflow.path(), "-o", format]).run();
            both_harmless(&format!("{command} {format}"), &answer);
        }
    }
}
