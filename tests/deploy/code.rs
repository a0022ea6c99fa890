//! How code reaches the pods.

use serde_json::json;

use super::revision;
use crate::support::{
    Namespace, TAKE_ALL_MEMORY, Workflow, deploy, deployed, example, run, tntc, wait_for,
};

#[test]
fn a_real_pod_counts_the_words_of_a_real_document() {
    let namespace = Namespace::new("words");
    let text = include_str!("../../README.md");
    deploy(&example("word-counter"), &namespace)
        .exits(0)
        .answers("deployed word-counter");
    let result = run("word-counter", &namespace, &json!({ "text": text }));
    let report = &result["outputs"]["report"];
    assert_eq!(result["success"], true);
    assert_eq!(report["characters"], text.chars().count());
    assert_eq!(report["lines"], text.lines().count());
    assert!(
        report["words"].as_u64().is_some_and(|words| words > 100),
        "{report}"
    );
}

#[test]
fn editing_a_node_and_deploying_again_changes_the_answer_without_a_build() {
    let workflow = Workflow::of_one_node("greeter", r#"return { said: "before" };"#);
    let namespace = deployed(&workflow, "edit");
    assert_eq!(
        run("greeter", &namespace, &json!({}))["outputs"]["only"]["said"],
        "before"
    );
    workflow.replace("nodes/only.ts", "before", "after");
    deploy(&workflow, &namespace)
        .exits(0)
        .answers("applied ConfigMap/greeter-code");
    // New connections may reach the old pod for a moment; the revision in the answer tells which code gave it.
    let revision = revision(&namespace, "greeter");
    let answer = (0..50)
        .map(|_| run("greeter", &namespace, &json!({})))
        .find(|answer| answer["revision"] == revision);
    assert_eq!(
        answer.expect("an answer of the new revision")["outputs"]["only"]["said"],
        "after"
    );
}

#[test]
fn a_source_file_that_begins_with_space_or_a_tab_arrives_as_it_is() {
    let namespace = Namespace::new("indent");
    let workflow = Workflow::of_one_node("indented", "return 1;");
    let source = "\t \n\texport default () => \"kept\";\n  ";
    workflow.write("nodes/only.ts", source);
    deploy(&workflow, &namespace).exits(0);
    assert_eq!(
        namespace.get("configmap", "indented-code")["data"]["nodes__only.ts"],
        source
    );
    assert_eq!(
        run("indented", &namespace, &json!({}))["outputs"]["only"],
        "kept"
    );
}

/// Each is valid in JSON, and refused or read as a line break by the YAML parser of API servers.
const NO_YAML: &str =
    "\u{1} \u{7f} \u{80} \u{85} \u{9b} \u{9f} \u{2028} \u{2029} \u{feff} \u{fffe} \u{ffff}";

#[test]
fn characters_that_yaml_would_refuse_or_fold_arrive_as_they_are() {
    let namespace = Namespace::new("controls");
    let text = format!("a  {NO_YAML}  \u{1f642}");
    let workflow = Workflow::of_one_node("controls", &format!("return `{text}`;"));
    workflow.write("nodes/note.txt", &text);
    deploy(&workflow, &namespace).exits(0);
    let code = namespace.get("configmap", "controls-code");
    assert_eq!(code["data"]["nodes__note.txt"], text);
    assert_eq!(
        code["data"]["nodes__only.ts"],
        workflow.read("nodes/only.ts")
    );
    assert_eq!(
        run("controls", &namespace, &json!({}))["outputs"]["only"],
        text
    );
    deploy(&workflow, &namespace).exits(0).answers("unchanged");
}

#[test]
fn a_key_that_a_running_pod_mounts_stays_until_no_pod_does() {
    let namespace = Namespace::new("retain");
    let workflow = Workflow::of_one_node("keeper", "return 1;");
    workflow.write("nodes/helper.ts", "export const a = 1;\n");
    deploy(&workflow, &namespace).exits(0);
    workflow.remove("nodes/helper.ts");
    deploy(&workflow, &namespace).exits(0);
    let keys = |namespace: &Namespace| {
        namespace.get("configmap", "keeper-code")["data"]
            .as_object()
            .map(serde_json::Map::len)
    };
    assert_eq!(keys(&namespace), Some(3), "the old pod's key is kept");
    namespace.kubectl([
        "wait",
        "--for=delete",
        "pod",
        "--field-selector=status.phase!=Running",
        "--timeout=60s",
    ]);
    let gone = (0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        namespace.list("pods").len() == 1
    });
    assert!(gone, "the old pod did not go");
    deploy(&workflow, &namespace).exits(0);
    assert_eq!(keys(&namespace), Some(2));
}

/// The new pod's image cannot be pulled, so the old one goes on serving, and crashes when it is told to.
#[test]
fn an_old_pod_that_restarts_during_a_rollout_starts_though_a_file_was_removed() {
    let workflow = Workflow::of_one_node("restarted", "return 1;");
    workflow.write("nodes/helper.ts", "export const said = \"before\";\n");
    workflow.write(
        "nodes/only.ts",
        &format!(
            "import {{ said }} from \"./helper.ts\";\n\
             export default async (_: unknown, input: {{ crash?: boolean }}) => {{\n\
               if (input.crash) {{ {TAKE_ALL_MEMORY} }}\n  return said;\n}};\n"
        ),
    );
    let namespace = deployed(&workflow, "restarted");
    workflow.write("nodes/only.ts", "export default () => \"after\";\n");
    workflow.remove("nodes/helper.ts");
    let again = ["deploy", workflow.path(), "-n", &namespace.name];
    let absent = ["--image", "127.0.0.1:9/absent:v1"];
    tntc([&again[..], &absent].concat()).run().exits(0);
    let crash = ["run", "restarted", "-n", &namespace.name, "--input", "-"];
    tntc(crash).stdin("{\"crash\": true}").run().exits(1);
    wait_for("the old pod, ready again", || {
        let pods = namespace.list("pods");
        let mut engines = pods
            .iter()
            .map(|pod| &pod["status"]["containerStatuses"][0]);
        let again = engines.any(|it| it["ready"] == true && it["restartCount"] == 1);
        again.then_some(())
    });
    let answer = run("restarted", &namespace, &json!({}));
    assert_eq!(answer["outputs"]["only"], "after");
}

#[test]
fn a_helper_that_only_a_node_names_comes_along() {
    let workflow = Workflow::of_one_node("helped", "return 1;");
    workflow.write(
        "lib/double.ts",
        "export const double = (n: number) => 2 * n;\n",
    );
    workflow.write(
        "nodes/only.ts",
        "import { double } from \"../lib/double.ts\";\nexport default () => double(21);\n",
    );
    let namespace = deployed(&workflow, "helped");
    assert_eq!(run("helped", &namespace, &json!({}))["outputs"]["only"], 42);
}
