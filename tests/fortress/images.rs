//! An image that a file of the directory chooses: it holds the seal of the pod, so it is the user who decides.

use serde_json::{Value, json};

use crate::build::fake::Fake;
use crate::support::{Answer, Namespace, Tntc, Workflow, engine_image, tntc};

const TAG: &str = "evil.example.com/engine:v1";

/// With the digest of no image that there is.
fn pinned() -> String {
    format!("{TAG}@sha256:{}", "ab".repeat(32))
}

/// The places where a directory can name an engine image, with the flags by which a deploy gets to it.
fn places(image: &str) -> [(&'static str, String, &'static [&'static str]); 2] {
    let config = json!({"environments": {"staging": {"image": image}}}).to_string();
    [
        (".tentacular/config.yaml", config, &["--env", "staging"]),
        (".tentacular/base-image.txt", format!("{image}\n"), &[]),
    ]
}

fn planted(file: &str, text: &str) -> Workflow {
    let workflow = Workflow::of_one_node("imaged", "return 1;");
    workflow.write(file, text);
    workflow
}

/// `tntc deploy` where no cluster can be reached, unless a test names one.
fn deploy(workflow: &Workflow, flags: &[&str]) -> Tntc {
    let arguments = ["deploy", workflow.path()];
    tntc(arguments.into_iter().chain(flags.iter().copied())).env("KUBECONFIG", "/dev/null")
}

fn chosen(answer: &Answer) -> Value {
    answer.json()["directoryImages"].clone()
}

#[test]
fn an_image_of_the_directory_is_told_and_needs_a_digest_or_trust() {
    for (file, text, flags) in places(TAG) {
        let workflow = planted(file, &text);
        let told = format!("the engine image {TAG} is chosen by ");
        deploy(&workflow, flags)
            .run()
            .exits(2)
            .says(&told)
            .says(file)
            .says("without a digest it is used only when you trust the directory")
            .says(&format!("tntc configure --trust {}", workflow.path()))
            .says(&format!("--image {TAG}"));
        let json = deploy(&workflow, &[flags, &["-o", "json"]].concat())
            .run()
            .exits(2)
            .json();
        let summary = json["summary"].as_str().unwrap_or_default();
        assert!(summary.starts_with(&told), "{json}");
        // It gets as far as the cluster, which there is none of.
        deploy(&workflow, flags)
            .at_home(&workflow.trusting_home())
            .run()
            .exits(3)
            .says(&told);
        deploy(&workflow, &[flags, &["--image", TAG]].concat())
            .run()
            .exits(3);
    }
}

#[test]
fn with_a_digest_it_is_told_and_used() {
    for (file, text, flags) in places(&pinned()) {
        let workflow = planted(file, &text);
        let answer = deploy(&workflow, flags).run().exits(3);
        answer.says("warning: the engine image").says(file);
    }
}

#[test]
fn a_dry_run_asks_for_nothing_and_tells_who_chose() {
    for (file, text, flags) in places(TAG) {
        let workflow = planted(file, &text);
        let flags = [flags, &["--dry-run", "-o", "json"]].concat();
        let answer = deploy(&workflow, &flags).run().exits(0).says(TAG);
        let images = chosen(&answer);
        assert_eq!(images.as_array().map(Vec::len), Some(1), "{images}");
        let image = &images[0];
        assert_eq!(image["setting"], "image");
        assert_eq!(image["image"], TAG);
        assert_eq!(image["trusted"], false);
        let named = image["file"].as_str().unwrap_or_default();
        assert!(named.ends_with(file), "{named}");
    }
    let own = Workflow::of_one_node("plain", "return 1;");
    let answer = deploy(&own, &["--dry-run", "-o", "json"]).run().exits(0);
    assert_eq!(chosen(&answer), Value::Null);
}

#[test]
fn a_trigger_image_of_the_directory_needs_the_same() {
    let config = "trigger_image: evil.example.com/curl:v1\n";
    let workflow = planted(".tentacular/config.yaml", config);
    let told = "the trigger image evil.example.com/curl:v1 is chosen by ";
    deploy(&workflow, &[]).run().exits(2).says(told);
    let dir = std::path::Path::new(workflow.path());
    for arguments in [&["run", "imaged"][..], &["cluster", "check", "--probe"]] {
        let answer = tntc(arguments.iter().copied()).current_dir(dir).run();
        answer.exits(2).says(told);
    }
}

#[test]
fn what_the_user_built_is_the_users_until_somebody_changes_it() {
    let workflow = Workflow::of_one_node("built", "return 1;");
    let docker = Fake::docker("");
    docker
        .run(["build", workflow.path(), "--tag", "mine:v1"])
        .run()
        .exits(0);
    let image = || {
        let answer = deploy(&workflow, &["--dry-run", "-o", "json"]).run();
        chosen(&answer.exits(0))
    };
    assert_eq!(image(), Value::Null);
    workflow.write(".tentacular/base-image.txt", &format!("{TAG}\n"));
    assert_eq!(image()[0]["image"], TAG);
    deploy(&workflow, &[]).run().exits(2);
}

#[test]
fn what_was_built_elsewhere_is_deployed_once_the_directory_is_trusted() {
    let namespace = Namespace::new("imaged");
    let workflow = planted(".tentacular/base-image.txt", engine_image());
    let home = workflow.trusting_home();
    let flags = ["deploy", workflow.path(), "-n", &namespace.name, "--wait"];
    tntc(flags).run().exits(2);
    assert_eq!(namespace.list("deployments"), Vec::<Value>::new());
    let answer = tntc(flags.into_iter().chain(["-o", "json"]))
        .at_home(&home)
        .run()
        .exits(0);
    assert_eq!(chosen(&answer)[0]["trusted"], true);
    let status = |home: Option<&std::path::Path>| {
        let command = tntc(["status", "imaged", "-n", &namespace.name, "-o", "json"]);
        let command = command.current_dir(std::path::Path::new(workflow.path()));
        let command = home.into_iter().fold(command, Tntc::at_home);
        command.run().exits(0).json()["directory"].clone()
    };
    assert_eq!(status(None)["trusted"], false);
    let trusted = status(Some(&home));
    assert_eq!(trusted["trusted"], true);
    assert_eq!(trusted["trustedBy"], trusted["path"]);
}
