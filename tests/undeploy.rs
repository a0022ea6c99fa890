//! `tntc undeploy` on a real cluster.

use serde_json::json;

use crate::support::{
    Namespace, Terminal, Workflow, deploy, deployed, deploying, example, log, run, tntc, wait_for,
};

#[test]
fn everything_of_the_workflow_goes_and_the_name_is_free_at_once() {
    let namespace = Namespace::new("undeploy");
    let workflow = example("word-counter");
    workflow.replace(
        "workflow.yaml",
        "- type: manual",
        "- {type: cron, schedule: \"0 9 * * *\"}",
    );
    deploy(&workflow, &namespace).exits(0);
    namespace.kubectl([
        "create",
        "secret",
        "generic",
        "word-counter-secrets",
        "--from-literal=github={}",
    ]);
    let answer = tntc([
        "undeploy",
        "word-counter",
        "-n",
        &namespace.name,
        "--yes",
        "--wait",
        "-o",
        "json",
    ])
    .run()
    .exits(0)
    .json();
    let expected = [
        "Service/word-counter",
        "Deployment/word-counter",
        "Secret/word-counter-secrets",
        "ConfigMap/word-counter-code",
        "NetworkPolicy/word-counter-netpol",
        "NetworkPolicy/word-counter-trigger-netpol",
        "CronJob/word-counter-cron",
    ];
    assert_eq!(answer["removed"], json!(expected));
    let left = namespace.kubectl([
        "get",
        "deployments,services,secrets,networkpolicies,cronjobs,pods",
        "-o",
        "name",
    ]);
    assert_eq!(left, "");
    deploy(&workflow, &namespace).exits(0);
    let result = run("word-counter", &namespace, &json!({"text": "once more"}));
    assert_eq!(result["success"], true);
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_deleted() {
    let namespace = Namespace::new("ask");
    let workflow = example("word-counter");
    deploying(&workflow, &namespace, &[]).run().exits(0);
    tntc(["undeploy", "word-counter", "-n", &namespace.name])
        .run()
        .exits(2)
        .says("--yes");
    assert_eq!(namespace.list("deployments").len(), 1);
}

#[test]
fn an_object_of_somebody_else_is_kept_and_named() {
    let namespace = Namespace::new("keep");
    let workflow = example("word-counter");
    deploying(&workflow, &namespace, &[]).run().exits(0);
    namespace.kubectl(["delete", "networkpolicy", "word-counter-netpol"]);
    namespace.kubectl(["delete", "service", "word-counter"]);
    namespace.kubectl([
        "create",
        "service",
        "clusterip",
        "word-counter",
        "--tcp=80:80",
    ]);
    let answer = tntc([
        "undeploy",
        "word-counter",
        "-n",
        &namespace.name,
        "--yes",
        "-o",
        "json",
    ])
    .run()
    .exits(0)
    .json();
    assert_eq!(answer["kept"], json!(["Service/word-counter"]));
    assert_eq!(namespace.list("services").len(), 1);
}

#[test]
fn a_workflow_that_does_not_exist_is_told_and_may_be_what_is_wanted() {
    let namespace = Namespace::new("gone");
    let undeploy = ["rm", "absent", "-n", &namespace.name, "--yes"];
    tntc(undeploy).run().exits(1).says("no workflow `absent`");
    tntc(undeploy.into_iter().chain(["--ignore-not-found"]))
        .run()
        .exits(0)
        .answers("no workflow `absent`");
}

#[test]
fn pods_are_not_waited_for_unless_asked_and_finish_what_is_under_way() {
    let body = "ctx.log.info(\"started\"); await new Promise((done) => setTimeout(done, 4_000)); return null;";
    let workflow = Workflow::of_one_node("leaving", body);
    let namespace = deployed(&workflow, "leaving");
    let run = ["run", "leaving", "-n", &namespace.name, "--timeout", "2m"];
    let mut run = tntc(run).command().spawn().expect("tntc starts");
    wait_for("a started run", || {
        log(&namespace, "leaving", &[])
            .contains("INFO started")
            .then_some(())
    });
    tntc(["undeploy", "leaving", "-n", &namespace.name, "--yes"])
        .run()
        .exits(0)
        .says("its pods end by themselves");
    let objects = "deployments,services,configmaps,networkpolicies";
    let left = namespace.kubectl(["get", objects, "-o", "name"]);
    assert!(!left.contains("leaving"), "{left}");
    assert_eq!(run.wait().expect("tntc ends").code(), Some(0));
}

/// What a terminal shows of an undeploy that somebody answers, and the exit status.
fn on_a_terminal(arguments: &[&str], typed: &str) -> (i32, String) {
    let mut terminal = Terminal::start(tntc(arguments.iter().copied()));
    terminal.shows("[y/N]");
    terminal.types(typed);
    terminal.ends()
}

#[test]
fn on_a_terminal_what_goes_and_what_stays_is_shown_and_no_means_no() {
    let namespace = Namespace::new("confirm");
    let workflow = example("word-counter");
    deploying(&workflow, &namespace, &[]).run().exits(0);
    namespace.kubectl([
        "create",
        "secret",
        "generic",
        "word-counter-secrets",
        "--from-literal=github={}",
    ]);
    let undeploy = ["undeploy", "word-counter", "-n", &namespace.name];
    let (status, said) = on_a_terminal(&undeploy, "n");
    assert_eq!(status, 1, "{said}");
    for what in [
        "Deployment/word-counter",
        "Secret/word-counter-secrets",
        "NetworkPolicy/word-counter-netpol",
    ] {
        assert!(said.contains(what), "{what}: {said}");
    }
    assert_eq!(namespace.list("deployments").len(), 1);
    let (status, said) = on_a_terminal(
        &[&undeploy[..], &["--wait", "--keep-secrets"]].concat(),
        "y",
    );
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("This stays:"), "{said}");
    let reason = "Secret/word-counter-secrets (--keep-secrets)";
    assert!(said.contains(reason), "{said}");
    assert!(said.contains("of context kind-"), "{said}");
    let left = namespace.kubectl([
        "get",
        "deployments,services,secrets,networkpolicies,pods",
        "-o",
        "name",
    ]);
    assert_eq!(left.trim(), "secret/word-counter-secrets");
}

#[test]
fn a_cron_job_of_somebody_else_with_a_name_of_ours_is_kept_and_named() {
    let namespace = Namespace::new("cronkeep");
    let workflow = example("word-counter");
    deploying(&workflow, &namespace, &[]).run().exits(0);
    for name in ["word-counter-cron-7", "word-counter-cronies"] {
        namespace.kubectl([
            "create",
            "cronjob",
            name,
            "--schedule=@yearly",
            "--image=any",
        ]);
    }
    let undeploy = [
        "undeploy",
        "word-counter",
        "-n",
        &namespace.name,
        "--yes",
        "-o",
        "json",
    ];
    let answer = tntc(undeploy).run().exits(0).json();
    assert_eq!(answer["kept"], json!(["CronJob/word-counter-cron-7"]));
    assert_eq!(namespace.list("cronjobs").len(), 2);
}

#[test]
fn pods_that_take_their_grace_to_go_are_waited_for() {
    let namespace = Namespace::new("grace");
    let workflow = Workflow::of_one_node(
        "busy",
        "ctx.log.info(\"started\"); await new Promise((done) => setTimeout(done, 4_000)); return null;",
    );
    deploy(&workflow, &namespace).exits(0);
    let mut run = tntc(["run", "busy", "-n", &namespace.name])
        .command()
        .spawn()
        .expect("tntc starts");
    let started = (0..150).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        let log = tntc(["logs", "busy", "-n", &namespace.name]).run().stdout;
        log.contains("INFO started")
    });
    assert!(started, "the run never reached the engine");
    tntc(["undeploy", "busy", "-n", &namespace.name, "--yes", "--wait"])
        .run()
        .exits(0);
    assert_eq!(
        run.wait().expect("tntc ends").code(),
        Some(0),
        "the run in flight was finished"
    );
    let engines = namespace.kubectl([
        "get",
        "pods",
        "-l",
        "app.kubernetes.io/name=busy",
        "-o",
        "name",
    ]);
    assert_eq!(engines, "");
}

#[test]
fn what_does_not_go_in_time_is_named() {
    let workflow = Workflow::of_one_node("held", "return input;");
    let namespace = deployed(&workflow, "held");
    // The bound is the pods' grace period and half a minute.
    let grace = r#"{"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 0}}}}"#;
    namespace.kubectl(["patch", "deployment", "held", "-p", grace]);
    namespace.kubectl(["rollout", "status", "deployment", "held"]);
    let engines = ["get", "pods", "-l", "app.kubernetes.io/name=held", "-o"];
    let pod = wait_for("one pod alone", || {
        let names = namespace.kubectl(engines.into_iter().chain(["name"]));
        (names.lines().count() == 1).then(|| names.trim().to_owned())
    });
    let finalizers = |object: &str, list: &str| {
        let patch = format!(r#"{{"metadata": {{"finalizers": {list}}}}}"#);
        namespace.kubectl(["patch", object, "--type=merge", "-p", &patch]);
    };
    finalizers(&pod, r#"["example.com/hold"]"#);
    finalizers("configmap/held-code", r#"["example.com/hold"]"#);
    let undeploy = ["undeploy", "held", "-n", &namespace.name, "--yes", "--wait"];
    let answer = tntc(undeploy.into_iter().chain(["-o", "json"])).run();
    finalizers(&pod, "null");
    finalizers("configmap/held-code", "null");
    let json = answer.exits(1).json();
    assert_eq!(
        json["summary"],
        format!(
            "everything of held was deleted, but after 30s this is not gone yet: ConfigMap/held-code, Pod/{}",
            pod.trim_start_matches("pod/")
        )
    );
    assert!(json["hints"].to_string().contains("a finalizer"), "{json}");
    assert!(
        json["removed"].to_string().contains("Deployment/held"),
        "{json}"
    );
}
