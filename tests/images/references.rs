//! Image references, checked wherever one can be written.

use crate::support::{Tntc, Workflow, tntc};

/// What somebody wrote, and what they are told to write.
const WRONG: [(&str, &str); 8] = [
    ("https://ghcr.io/x", "leave out `https://`: ghcr.io/x"),
    ("docker://x", "leave out `docker://`: x"),
    ("img:", "write a tag behind the colon: img:latest"),
    ("im g", "leave out the blanks"),
    ("img@sha256:abc", "64 hexadecimal digits, not 3"),
    (
        "ghcr.io/Owner/x",
        "a repository is in lower case: ghcr.io/owner/x",
    ),
    ("img:${TAG}", "variables are not expanded here"),
    ("img:v1\u{1b}[2J", "a tag is of at most 128"),
];

fn workflow() -> Workflow {
    Workflow::of_one_node("named", "return 1;")
}

fn run<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Tntc {
    tntc(arguments).env("KUBECONFIG", "/dev/null")
}

#[test]
fn a_flag_is_refused_with_its_name_and_what_to_write() {
    let workflow = workflow();
    for (image, write) in WRONG {
        for (command, flag) in [
            ("deploy", "--image"),
            ("audit", "--image"),
            ("build", "--base"),
            ("build", "--tag"),
            ("build", "-t"),
        ] {
            let answer = run([command, workflow.path(), flag, image]).run().exits(2);
            let name = if flag == "-t" { "--tag" } else { flag };
            answer.says(name).says(write);
        }
    }
    assert!(
        !workflow
            .files()
            .iter()
            .any(|file| file.contains("base-image"))
    );
}

#[test]
fn json_has_the_refusal_in_its_summary() {
    let workflow = workflow();
    let deploy = ["deploy", workflow.path(), "-o", "json"];
    let arguments = deploy.into_iter().chain(["--image", "img:"]);
    let answer = run(arguments).run().exits(2).json();
    let summary = answer["summary"].as_str().unwrap_or_default();
    assert!(
        summary.contains("`img:` is not a valid image reference"),
        "{answer}"
    );
    assert!(summary.contains("img:latest"), "{answer}");
}

#[test]
fn a_config_file_is_refused_with_its_line_and_what_to_write() {
    for (text, line) in [
        ("environments:\n  dev:\n    image: 'IMAGE'\n", "line 3"),
        ("namespace: a\ntrigger_image: 'IMAGE'\n", "line 2"),
        ("base_image: 'IMAGE'\n", "line 1"),
    ] {
        for (image, write) in &WRONG[..7] {
            let workflow = workflow();
            workflow.write(".tentacular/config.yaml", &text.replace("IMAGE", image));
            run(["deploy", workflow.path(), "--dry-run"])
                .run()
                .exits(2)
                .says(".tentacular/config.yaml is invalid")
                .says(line)
                .says(write);
        }
    }
}

#[test]
fn what_a_build_is_said_to_have_made_is_checked_and_can_be_built_anew() {
    let workflow = workflow();
    workflow.write(".tentacular/base-image.txt", "https://ghcr.io/x\n");
    run(["deploy", workflow.path(), "--dry-run"])
        .run()
        .exits(2)
        .says(".tentacular/base-image.txt: `https://ghcr.io/x` is not a valid image reference")
        .says("leave out `https://`: ghcr.io/x")
        .says("build again, or name the image with --image");
    run(["deploy", workflow.path(), "--dry-run", "--image", "e:v1"])
        .run()
        .exits(0);
    crate::build::fake::Fake::docker("")
        .run(["build", workflow.path(), "--tag", "e:v1"])
        .run()
        .exits(0);
    assert_eq!(workflow.read(".tentacular/base-image.txt"), "e:v1\n");
}

#[test]
fn a_registry_is_refused_with_its_place_and_what_to_write() {
    let workflow = workflow();
    let flag = ["build", workflow.path(), "-r", "https://ghcr.io/team"];
    run(flag)
        .run()
        .exits(2)
        .says("--registry: `https://ghcr.io/team` is not a valid registry")
        .says("leave out the scheme: ghcr.io/team");
    workflow.write(".tentacular/config.yaml", "registry: ghcr.io/Team\n");
    run(["build", workflow.path()])
        .run()
        .exits(2)
        .says("`registry` of the project config: `ghcr.io/Team` is not a valid registry");
}
