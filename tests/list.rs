//! `tntc list` on a real cluster.

use serde_json::{Value, json};

use crate::support::{Namespace, Workflow, deploy, deploying, example, tntc};

#[test]
fn a_deployed_workflow_is_listed_with_its_version_and_replicas() {
    let namespace = Namespace::new("list");
    let workflow = example("word-counter");
    tntc(["list", "-n", &namespace.name])
        .run()
        .exits(0)
        .answers("no workflows");
    deploy(&workflow, &namespace).exits(0);
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

#[test]
fn all_namespaces_are_listed_sorted_and_by_label() {
    let namespaces = [Namespace::new("list-b"), Namespace::new("list-a")];
    for namespace in &namespaces {
        for name in ["second", "first"] {
            let workflow = Workflow::of_one_node(name, "return input;");
            let deploy = [
                "deploy",
                workflow.path(),
                "-n",
                &namespace.name,
                "--image",
                "any",
            ];
            tntc(deploy).run().exits(0);
        }
        namespace.kubectl([
            "label",
            "deployment",
            "first",
            &format!("group={}", namespaces[0].name),
        ]);
    }
    let ours = |json: &Value| -> Vec<(String, String)> {
        let rows = json["workflows"].as_array().expect("workflows").iter();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let rows = rows.map(|row| (text(&row["namespace"]), text(&row["name"])));
        rows.filter(|(namespace, _)| namespaces.iter().any(|ours| ours.name == *namespace))
            .collect()
    };
    let all = tntc(["list", "-A", "-o", "json"]).run().exits(0).json();
    let [b, a] = [&namespaces[0].name, &namespaces[1].name];
    let row = |namespace: &String, name: &str| (namespace.clone(), name.to_owned());
    assert_eq!(
        ours(&all),
        [
            row(a, "first"),
            row(a, "second"),
            row(b, "first"),
            row(b, "second")
        ]
    );
    let labelled = tntc(["list", "-A", "-l", &format!("group={b}"), "-o", "json"])
        .run()
        .exits(0)
        .json();
    assert_eq!(ours(&labelled), [row(a, "first"), row(b, "first")]);
    let text = tntc(["list", "-n", a, "-l", &format!("group!={b}")])
        .run()
        .exits(0)
        .stdout;
    assert!(text.contains("second") && !text.contains("first"), "{text}");
}

#[test]
fn a_selector_that_is_none_is_told() {
    tntc(["list", "-l", "a=b=c"])
        .run()
        .exits(1)
        .says("listing workflows");
}

/// Deploys a workflow with a `metadata` line; its pods need not start.
fn deploy_with_metadata(namespace: &Namespace, name: &str, metadata: &str) {
    let workflow = Workflow::of_one_node(name, "return input;");
    workflow.replace(
        "workflow.yaml",
        "triggers:",
        &format!("{metadata}triggers:"),
    );
    let namespace = &namespace.name;
    tntc(["deploy", workflow.path(), "-n", namespace, "--image", "any"])
        .run()
        .exits(0);
}

#[track_caller]
fn objects_carry_the_metadata(namespace: &Namespace) {
    for object in [
        "configmap/described-code",
        "service/described",
        "deployment/described",
        "networkpolicy/described-netpol",
    ] {
        let (kind, name) = object.split_once('/').expect("a kind");
        let metadata = namespace.get(kind, name)["metadata"].clone();
        let annotations = &metadata["annotations"];
        assert_eq!(annotations["tentacular.dev/owner"], "ana", "{object}");
        assert_eq!(
            annotations["tentacular.dev/tags"], "nightly,two words",
            "{object}"
        );
        assert_eq!(
            metadata["labels"]["tentacular.dev/tag-nightly"], "true",
            "{object}"
        );
    }
}

#[test]
fn a_workflows_metadata_is_on_its_objects_in_the_wide_table_and_in_its_status() {
    let namespace = Namespace::new("metadata");
    let deploy = |name: &str, metadata: &str| deploy_with_metadata(&namespace, name, metadata);
    let metadata = "metadata: {owner: ana, team: data, group: reports, environment: prod, tags: [nightly, two words]}\n";
    deploy("described", metadata);
    deploy("plain", "");
    objects_carry_the_metadata(&namespace);
    let list = |more: &[&str]| {
        let arguments = ["list", "-n", &namespace.name]
            .into_iter()
            .chain(more.iter().copied());
        tntc(arguments).run().exits(0)
    };
    let wide = list(&["-o", "wide"]).stdout;
    let header = wide.lines().next().expect("a header");
    assert!(
        header.ends_with("OWNER  TEAM  GROUP    ENVIRONMENT  TAGS"),
        "{wide}"
    );
    assert!(
        wide.contains("ana    data  reports  prod         nightly,two words"),
        "{wide}"
    );
    let tagged = list(&["-l", "tentacular.dev/tag-nightly"]).stdout;
    assert!(
        tagged.contains("described") && !tagged.contains("plain"),
        "{tagged}"
    );
    let json = list(&["-o", "json"]).json();
    let expected = json!({"owner": "ana", "team": "data", "group": "reports", "environment": "prod", "tags": ["nightly", "two words"]});
    assert_eq!(json["workflows"][0]["metadata"], expected);
    tntc(["status", "described", "-n", &namespace.name])
        .run()
        .exits(0)
        .answers("metadata: owner ana, team data, group reports, environment prod, tags nightly,two words");
    // What is no longer said is no longer there.
    deploy("described", "");
    let metadata = namespace.get("deployment", "described")["metadata"].clone();
    assert!(
        metadata["annotations"]["tentacular.dev/owner"].is_null(),
        "{metadata}"
    );
    assert!(
        metadata["labels"]["tentacular.dev/tag-nightly"].is_null(),
        "{metadata}"
    );
}

#[test]
fn each_command_has_the_formats_that_kubectl_has_for_the_like() {
    tntc(["list", "-o", "narrow"])
        .run()
        .exits(2)
        .says("`list` answers in text, wide, json, yaml or name");
    tntc(["status", "any", "-o", "wide"])
        .run()
        .exits(2)
        .says("`status` answers in text, json or yaml");
    tntc(["validate", "-o", "yaml"])
        .run()
        .exits(2)
        .says("`validate` answers in text or json");
}

#[test]
fn names_and_yaml_are_answers_too() {
    let namespace = Namespace::new("formats");
    let workflow = Workflow::of_one_node("greeter", "return 1;");
    deploying(&workflow, &namespace, &[])
        .run()
        .exits(0)
        .answers("applied greeter to ");
    let answer = |arguments: &[&str]| {
        let place = ["-n", namespace.name.as_str()];
        let all = arguments.iter().copied().chain(place);
        tntc(all).run()
    };
    let names = answer(&["list", "-o", "name"]).exits(0).stdout;
    assert_eq!(names, "greeter\n");
    let yaml = |arguments: &[&str], status: i32| -> Value {
        let text = answer(arguments).exits(status).stdout;
        serde_saphyr::from_str(&text).unwrap_or_else(|cause| panic!("{cause}: {text}"))
    };
    let listed = yaml(&["list", "-o", "yaml"], 0);
    assert_eq!(listed["workflows"][0]["name"], "greeter");
    assert_eq!(
        listed["workflows"][0]["version"], "1.0",
        "a text, not a number"
    );
    let status = yaml(&["status", "greeter", "-o", "yaml"], 0);
    assert_eq!(status["workflow"]["namespace"], namespace.name.as_str());
    let failed = yaml(&["status", "absent", "-o", "yaml"], 1);
    assert_eq!(failed["status"], "fail");
    let misused = yaml(&["status", "-o", "yaml"], 2);
    assert_eq!(misused["command"], "status");
    let removed = answer(&["undeploy", "greeter", "-y", "-o", "name"]);
    let expected = "service/greeter\ndeployment.apps/greeter\nconfigmap/greeter-code\n\
        networkpolicy.networking.k8s.io/greeter-netpol\nnetworkpolicy.networking.k8s.io/greeter-trigger-netpol\n";
    assert_eq!(removed.exits(0).stdout, expected);
    let none = answer(&["list", "-o", "name"]).exits(0).stdout;
    assert_eq!(none, "");
}
