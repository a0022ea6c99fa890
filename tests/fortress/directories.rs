//! A workflow directory from a stranger: what it must not be able to do to the machine of whoever looks at it, tests it
//! or runs it. Most are tests in the files beside this one.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::attack::Layer::{Deno, Tntc};
use super::attack::Outcome::{Blocked, Limit};
use super::attack::{Attack, tested};
use crate::support::{Workflow, tntc};

const fn in_file(
    file: &'static str,
    name: &'static str,
    what: &'static str,
    test: &'static str,
) -> Attack {
    tested(name, what, Blocked(Tntc), file, test)
}

const fn linked(name: &'static str, what: &'static str, test: &'static str) -> Attack {
    in_file("tests/fortress/links.rs", name, what, test)
}

const fn bundled(name: &'static str, what: &'static str, test: &'static str) -> Attack {
    in_file("tests/fortress/bundles.rs", name, what, test)
}

const fn local(name: &'static str, what: &'static str, test: &'static str) -> Attack {
    in_file("tests/fortress/local.rs", name, what, test)
}

const fn secret(name: &'static str, what: &'static str, test: &'static str) -> Attack {
    in_file("tests/secrets.rs", name, what, test)
}

const fn here(name: &'static str, what: &'static str, test: &'static str) -> Attack {
    in_file("tests/fortress/directories.rs", name, what, test)
}

const ODD: &str = "no_name_of_a_file_is_a_command_or_steers_a_terminal";

/// What directories try against `tntc`.
pub const ATTACKS: &[Attack] = &[
    linked(
        "page-through-link",
        "has a diagram written through a link",
        "a_page_is_not_written_through_a_link",
    ),
    linked(
        "planted-beside",
        "plants a link where a file is written first",
        "a_planted_name_beside_a_file_is_not_written_through",
    ),
    linked(
        "secrets-through-link",
        "has secrets written through a link",
        "secrets_are_not_written_through_a_link",
    ),
    linked(
        "dangling-link",
        "has a new file made through a link",
        "a_link_to_nothing_is_not_followed_either",
    ),
    linked(
        "settings-through-link",
        "has settings written through a link",
        "a_projects_settings_are_not_written_through_a_link",
    ),
    linked(
        "pipes-and-devices",
        "has a pipe, a device or 3 GB in place of a file",
        "nothing_waits_for_a_pipe_or_reads_a_device_or_a_huge_file",
    ),
    linked(
        "huge-node",
        "has a node or a data file of 3 GB",
        "a_huge_file_of_a_project_is_not_read",
    ),
    linked(
        "many-files",
        "holds more than can be read",
        "a_directory_of_many_large_files_is_refused",
    ),
    linked(
        "git-settings",
        "has git run its programs by settings of the repository",
        "git_runs_no_program_of_the_directory",
    ),
    bundled(
        "bundle-file",
        "imports a file of this machine into what is deployed",
        "no_file_of_this_machine_gets_into_a_bundle",
    ),
    bundled(
        "bundle-import-map",
        "maps an import to a file of this machine",
        "no_import_map_leads_out_of_the_workflow",
    ),
    bundled(
        "bundle-package",
        "imports a package that takes in files of this machine",
        "no_package_takes_in_files_of_this_machine",
    ),
    bundled(
        "bundle-settings-above",
        "relies on settings beside the temporary copy",
        "no_settings_above_the_copy_are_obeyed",
    ),
    bundled(
        "bundle-internal-url",
        "imports from a server of this machine or of a private network",
        "nothing_of_an_internal_network_is_fetched",
    ),
    bundled(
        "registry-settings",
        "sends a variable of the user to a registry of its own",
        "registry_settings_of_a_directory_count_only_when_it_is_trusted",
    ),
    bundled(
        "trusts-itself",
        "declares itself trusted",
        "a_project_trusts_nobody",
    ),
    local(
        "link-in-node",
        "has a node read through a link",
        "a_link_leads_no_node_out_of_the_workflow",
    ),
    local(
        "comma-in-path",
        "has a comma in its path, which separates what may be read",
        "a_comma_in_the_path_opens_no_other_directory",
    ),
    local(
        "dot-files",
        "has a node read local secrets and dot files",
        "no_node_reads_secrets_and_dot_files_of_its_directory",
    ),
    local(
        "forged-test",
        "has a node forge the result of its test",
        "a_node_cannot_forge_the_answer_of_its_test",
    ),
    local(
        "flood",
        "has a node print without an end",
        "a_flood_without_an_end_of_line_fills_no_memory",
    ),
    secret(
        "secrets-elsewhere",
        "has `.secrets` lead to another directory of the user",
        "a_link_out_of_the_repository_is_not_read",
    ),
    secret(
        "pool-elsewhere",
        "leads out of the shared pool of secrets",
        "a_symbolic_link_cannot_lead_out_of_the_shared_pool",
    ),
    secret(
        "secrets-source",
        "names secrets elsewhere in its settings",
        "only_the_users_own_settings_name_secrets_elsewhere",
    ),
    in_file(
        "tests/fortress/files.rs",
        "broken-yaml",
        "has a workflow.yaml that takes all memory or time: aliases, depth, size, errors",
        "no_workflow_file_makes_the_program_crash_hang_or_use_64_mib",
    ),
    in_file(
        "tests/fortress/files.rs",
        "endless-expression",
        "has a node of one expression without an end",
        "a_node_of_one_endless_expression_is_drawn",
    ),
    in_file(
        "tests/fortress/private.rs",
        "other-users",
        "waits as another user for the secrets of a local run",
        "nobody_else_can_read_the_secrets_of_a_local_run",
    ),
    in_file(
        "tests/fortress/private.rs",
        "killed-run",
        "outlives the run that it belongs to",
        "a_killed_run_takes_its_engine_along_and_the_next_one_cleans_up",
    ),
    here("odd-names", "has names that a shell would run", ODD),
    here("escapes-in-names", "has names that a terminal obeys", ODD),
    here(
        "escapes-in-output",
        "has a node print and throw what a terminal obeys",
        "nothing_that_a_node_prints_steers_a_terminal",
    ),
    here(
        "lifecycle-scripts",
        "has package scripts and tasks that run at the first look",
        "no_script_of_a_package_runs",
    ),
    here(
        "node-outside",
        "names a node outside the directory, by `..`, a link or an absolute path",
        "no_node_is_outside_the_directory",
    ),
    tested(
        "node-writes-tmp",
        "has a node leave files in /tmp, in a local run",
        Limit("/tmp is the machine's own there"),
        "tests/fortress/deno.rs",
        "a_node_on_this_machine_is_held_by_its_permissions",
    ),
    tested(
        "local-seal",
        "has a node do in a local run what it may not do in a pod",
        Blocked(Deno),
        "tests/fortress/deno.rs",
        "a_node_on_this_machine_is_held_by_its_permissions",
    ),
];

/// Sets a title, clears the screen, fills the clipboard, and turns the text around.
const ESCAPES: &str =
    "\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}]52;c;b3duZWQ=\u{7}\u{9b}31m\u{202e}\u{2028}x";

/// Commands that read a directory, by the words before and behind its path.
const COMMANDS: [&[&str]; 6] = [
    &["validate"],
    &["visualize", "--rich"],
    &["test"],
    &["secrets", "check"],
    &["run", "--local"],
    &["deploy", "--dry-run", "--image", "e:1"],
];

/// Runs them all, in the directory; what they say does nothing to a terminal. Manifests go to `kubectl`, unchanged.
fn look_at(workflow: &Workflow) {
    for words in COMMANDS {
        let all = words.iter().copied().chain([workflow.path()]);
        let mut answer = tntc(all).current_dir(Path::new(workflow.path())).run();
        assert!((0..=3).contains(&answer.status), "{words:?}: {answer:?}");
        if words[0] == "deploy" {
            answer.stdout.clear();
        }
        for text in [&answer.stdout, &answer.stderr] {
            let active = text.chars().find(|it| tntc_core::terminal::is_active(*it));
            assert_eq!(active, None, "{words:?}: {text:?}");
        }
    }
}

#[test]
fn no_name_of_a_file_is_a_command_or_steers_a_terminal() {
    let workflow = Workflow::of_one_node("odd", "return 1;");
    for name in [
        "$(touch ran)",
        "`touch ran`",
        "; touch ran ;",
        "| touch ran",
        "--allow-all",
        "-A",
        "line\nbreak",
        ESCAPES,
    ] {
        let node = format!("nodes/{name}.ts");
        workflow.write(&node, "export default () => 1;\n");
        workflow.write(&format!("tests/fixtures/only{name}.json"), "{}");
    }
    look_at(&workflow);
    let ran = Path::new(workflow.path()).join("ran");
    assert!(!ran.exists() && !Path::new("ran").exists());
}

#[test]
fn nothing_that_a_node_prints_steers_a_terminal() {
    let text = serde_json::json!(ESCAPES);
    let body = format!(
        "console.log({text}); ctx.log.warn({text}); Deno.stderr.writeSync(new TextEncoder().encode({text} + \"\\n\")); \
         throw new Error({text});"
    );
    let workflow = Workflow::of_one_node("loud", &body);
    workflow.write("tests/fixtures/only.json", "{}");
    look_at(&workflow);
}

#[test]
fn no_script_of_a_package_runs() {
    let ran = tempfile::tempdir().expect("a directory");
    let touch = format!("touch {}/ran", ran.path().display());
    let workflow = Workflow::of_one_node("scripted", "return 1;");
    let scripts: serde_json::Map<_, _> = [
        "preinstall",
        "install",
        "postinstall",
        "prepare",
        "test",
        "start",
    ]
    .iter()
    .map(|it| ((*it).to_owned(), touch.clone().into()))
    .collect();
    workflow.write(
        "package.json",
        &serde_json::json!({"name": "x", "scripts": scripts}).to_string(),
    );
    workflow.write(
        "deno.json",
        &serde_json::json!({"tasks": scripts, "permissions": {"default": {"all": true}}})
            .to_string(),
    );
    workflow.write(".envrc", &touch);
    workflow.write("Makefile", &format!("all:\n\t{touch}\n"));
    workflow.write("tests/fixtures/only.json", "{}");
    look_at(&workflow);
    assert!(!ran.path().join("ran").exists());
}

#[test]
fn no_node_is_outside_the_directory() {
    let outside = tempfile::tempdir().expect("a directory");
    let node = outside.path().join("node.ts");
    fs::write(&node, "export default () => \"outside\";\n").expect("a file");
    let workflow = Workflow::of_one_node("inside", "return 1;");
    symlink(&node, Path::new(workflow.path()).join("nodes/linked.ts")).expect("a link");
    symlink(outside.path(), Path::new(workflow.path()).join("linked")).expect("a link");
    let mut path = "nodes/only.ts".to_owned();
    for next in [
        "../node.ts",
        "nodes/../../node.ts",
        node.to_str().expect("UTF-8"),
        "nodes/linked.ts",
        "linked/node.ts",
    ] {
        workflow.replace(
            "workflow.yaml",
            &format!("path: {path}"),
            &format!("path: {next}"),
        );
        next.clone_into(&mut path);
        for words in [
            &["validate"][..],
            &["test"],
            &["run", "--local"],
            &["deploy", "--dry-run", "--image", "e:1"],
        ] {
            let answer = tntc(words.iter().copied().chain([workflow.path()])).run();
            assert_eq!(answer.status, 1, "{next}: {answer:?}");
            assert!(!answer.stdout.contains("outside\""), "{next}: {answer:?}");
        }
    }
}
