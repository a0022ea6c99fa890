//! `tntc list` on a real cluster.

use crate::support::{Namespace, engine_image, example, tntc};

#[test]
fn a_deployed_workflow_is_listed_with_its_version_and_replicas() {
    let namespace = Namespace::new("list");
    let workflow = example("word-counter");
    tntc(["list", "-n", &namespace.name])
        .run()
        .exits(0)
        .answers("no workflows");
    tntc([
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--image",
        engine_image(),
        "--wait",
    ])
    .run()
    .exits(0);
    let text = tntc(["list", "-n", &namespace.name]).run().exits(0).stdout;
    let mut lines = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    assert_eq!(
        lines.next(),
        Some(vec![
            "NAME",
            "VERSION",
            "NAMESPACE",
            "STATUS",
            "REPLICAS",
            "AGE"
        ])
    );
    assert_eq!(
        lines.next().map(|row| row[..5].to_vec()),
        Some(vec!["word-counter", "1.0", &namespace.name, "ready", "1/1"])
    );
    let json = tntc(["list", "-n", &namespace.name, "-o", "json"])
        .run()
        .exits(0)
        .json();
    assert_eq!(json["workflows"][0]["name"], "word-counter");
    assert_eq!(json["workflows"][0]["status"], "ready");
}
