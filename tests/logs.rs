//! `tntc logs` on a real cluster.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::{
    Answer, Forwarder, Namespace, TAKE_ALL_MEMORY, Workflow, deploy, interrupt, running_again,
    tntc, wait_for,
};

/// Speaks at every run, or dies when it is told to.
fn body() -> String {
    format!(
        "ctx.log.info(\"spoken\", input); if (input === \"die\") {{ {TAKE_ALL_MEMORY} }} return null;"
    )
}

fn speaker(replicas: u32) -> (Workflow, Namespace) {
    let workflow = Workflow::of_one_node("speaker", &body());
    workflow.replace(
        "workflow.yaml",
        "contract:",
        &format!("deployment: {{replicas: {replicas}}}\ncontract:"),
    );
    let namespace = Namespace::new("logs");
    deploy(&workflow, &namespace).exits(0);
    tntc(["run", "speaker", "-n", &namespace.name])
        .run()
        .exits(0);
    (workflow, namespace)
}

#[test]
fn recent_lines_of_the_pod_are_shown() {
    let (_workflow, namespace) = speaker(1);
    tntc(["logs", "speaker", "-n", &namespace.name])
        .run()
        .exits(0)
        .answers("[only] INFO spoken");
    let last = tntc(["logs", "speaker", "-n", &namespace.name, "--tail", "1"])
        .run()
        .exits(0)
        .stdout;
    assert_eq!(last.lines().count(), 1, "{last}");
}

#[test]
fn each_line_names_its_pod_unless_asked_otherwise_and_tells_its_time_when_asked() {
    let (_workflow, namespace) = speaker(1);
    let lines = |more: &[&str]| -> Vec<String> {
        let logs = ["logs", "speaker", "-n", &namespace.name];
        let answer = tntc(logs.into_iter().chain(more.iter().copied())).run();
        let text = answer.exits(0).stdout;
        text.lines().map(str::to_owned).collect()
    };
    let all = lines(&["--tail=-1"]);
    assert!(all.len() > 1, "{all:?}");
    assert!(
        all.iter().all(|line| line.starts_with("speaker-")),
        "{all:?}"
    );
    let bare = lines(&["--prefix=false"]);
    assert!(bare.iter().all(|line| line.starts_with('[')), "{bare:?}");
    let year = |line: &String| line.starts_with("20") && line.contains("Z [");
    let timed = lines(&["--prefix=false", "--timestamps"]);
    assert!(timed.iter().all(year), "{timed:?}");
    assert_eq!(timed.len(), bare.len());
}

#[test]
fn with_several_replicas_each_line_names_its_pod() {
    let (_workflow, namespace) = speaker(2);
    let pods: Vec<_> = namespace
        .list("pods")
        .iter()
        .map(|pod| pod["metadata"]["name"].clone())
        .collect();
    assert_eq!(pods.len(), 2);
    let json = tntc(["logs", "speaker", "-n", &namespace.name, "-o", "json"])
        .run()
        .exits(0)
        .json();
    let lines = json["lines"].as_array().expect("lines");
    assert!(
        pods.iter()
            .all(|pod| lines.iter().any(|line| &line["pod"] == pod)),
        "{json}"
    );
    let text = tntc(["logs", "speaker", "-n", &namespace.name])
        .run()
        .exits(0)
        .stdout;
    assert!(
        text.lines().all(|line| line.starts_with("speaker-")),
        "{text}"
    );
}

#[test]
fn following_shows_new_lines_until_interrupted() {
    let (_workflow, namespace) = speaker(1);
    let mut command = tntc([
        "logs",
        "speaker",
        "-n",
        &namespace.name,
        "-f",
        "--tail",
        "0",
        "-o",
        "json",
    ])
    .command();
    let mut child = command.stdout(Stdio::piped()).spawn().expect("tntc starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    tntc(["run", "speaker", "-n", &namespace.name])
        .run()
        .exits(0);
    let spoken = lines
        .by_ref()
        .map_while(Result::ok)
        .find(|line| line.contains("spoken"))
        .expect("the new line");
    let spoken: Value = serde_json::from_str(&spoken).expect("one JSON object a line");
    assert!(
        spoken["line"]
            .as_str()
            .is_some_and(|line| line.contains("INFO spoken"))
    );
    interrupt(child.id());
    assert_eq!(child.wait().expect("tntc ends").code(), Some(130));
}

/// `tntc logs -f`, read line by line.
struct Following {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Following {
    fn new(namespace: &Namespace, more: &[&str]) -> Self {
        let logs = ["logs", "speaker", "-n", &namespace.name, "-f", "-o", "json"];
        let mut command = tntc(logs.into_iter().chain(more.iter().copied())).command();
        let mut child = command.stdout(Stdio::piped()).spawn().expect("tntc starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { child, lines }
    }

    /// The next line with this text, and all lines up to it.
    #[track_caller]
    fn until(&mut self, text: &str) -> Vec<String> {
        let mut seen = Vec::new();
        for line in self.lines.by_ref().map_while(Result::ok) {
            seen.push(line);
            if seen.last().is_some_and(|line| line.contains(text)) {
                return seen;
            }
        }
        panic!("`{text}` never came: {seen:?}");
    }

    fn stop(mut self) {
        interrupt(self.child.id());
        assert_eq!(self.child.wait().expect("tntc ends").code(), Some(130));
    }
}

fn say(namespace: &Namespace, word: &str) -> Answer {
    tntc([
        "run",
        "speaker",
        "-n",
        &namespace.name,
        "--input",
        &format!("\"{word}\""),
    ])
    .run()
}

fn count(lines: &[String], text: &str) -> usize {
    lines.iter().filter(|line| line.contains(text)).count()
}

#[test]
fn following_goes_on_across_a_restart_and_a_rollout_and_repeats_nothing() {
    let (workflow, namespace) = speaker(1);
    let mut following = Following::new(&namespace, &[]);
    say(&namespace, "first").exits(0);
    let mut lines = following.until("spoken first");
    say(&namespace, "die").exits(1);
    lines.extend(following.until("spoken die"));
    say(&namespace, "second").exits(0);
    lines.extend(following.until("spoken second"));
    workflow.replace("nodes/only.ts", "\"spoken\"", "\"spoken anew\"");
    deploy(&workflow, &namespace).exits(0);
    say(&namespace, "third").exits(0);
    lines.extend(following.until("spoken anew third"));
    for word in ["first", "die", "second", "anew third"] {
        assert_eq!(count(&lines, &format!("spoken {word}")), 1, "{lines:?}");
    }
    following.stop();
}

#[test]
fn the_container_before_the_last_restart_can_be_read() {
    let (_workflow, namespace) = speaker(1);
    let previous = ["logs", "speaker", "-n", &namespace.name, "--previous"];
    tntc(previous)
        .run()
        .exits(1)
        .says("previous terminated container")
        .says("it was not restarted");
    say(&namespace, "die").exits(1);
    // Between the making of the next container and its start there is a predecessor already, but the kubelet still
    // gives its log as the current one.
    wait_for("a restart", || running_again(&namespace, "speaker"));
    tntc(previous).run().exits(0).answers("spoken die");
    tntc(["logs", "speaker", "-n", &namespace.name, "-p"])
        .run()
        .exits(0)
        .answers("spoken die");
    let now = tntc(["logs", "speaker", "-n", &namespace.name])
        .run()
        .exits(0)
        .stdout;
    assert!(!now.contains("spoken die"), "{now}");
}

#[test]
fn lines_can_be_limited_to_the_last_while() {
    let (_workflow, namespace) = speaker(1);
    tntc(["logs", "speaker", "-n", &namespace.name, "--since", "10m"])
        .run()
        .exits(0)
        .answers("spoken");
    std::thread::sleep(Duration::from_secs(2));
    let none = tntc(["logs", "speaker", "-n", &namespace.name, "--since", "1s"])
        .run()
        .exits(0)
        .stdout;
    assert_eq!(none, "");
}

/// A pod that is taken for one of the workflow's, and is left to itself by the Deployment.
fn beside(namespace: &Namespace, name: &str, image: &str, script: &str) {
    namespace.create(&serde_json::json!({"apiVersion": "v1", "kind": "Pod",
    "metadata": {"name": name, "labels": {"app.kubernetes.io/name": "speaker"}},
    "spec": {
        "terminationGracePeriodSeconds": 0,
        "volumes": [{"name": "kept", "emptyDir": {}}],
        "securityContext": {"runAsNonRoot": true, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "engine", "image": image, "imagePullPolicy": "IfNotPresent",
            "command": ["sh", "-c", script], "volumeMounts": [{"name": "kept", "mountPath": "/kept"}],
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}],
    }}));
}

#[test]
fn the_lines_before_a_restart_are_shown_while_there_are_none_since() {
    let (_workflow, namespace) = speaker(1);
    let script = "[ -e /kept/seen ] && exec sleep 600; touch /kept/seen; echo said once; exit 1";
    beside(&namespace, "crashed", "curlimages/curl:latest", script);
    wait_for("a restart", || running_again(&namespace, "speaker"));
    tntc(["logs", "speaker", "-n", &namespace.name])
        .run()
        .exits(0)
        .answers("said once")
        .answers("spoken")
        .says("pod crashed was restarted and has logged nothing since");
}

#[test]
fn a_pod_that_has_not_started_hides_nothing_of_the_others() {
    let (_workflow, namespace) = speaker(1);
    beside(&namespace, "stuck", "localhost:1/none:1", "exit");
    tntc(["logs", "speaker", "-n", &namespace.name])
        .run()
        .exits(0)
        .answers("spoken")
        .says("reading the log of pod stuck");
}

#[test]
fn following_outlives_an_api_server_that_goes_away() {
    let (_workflow, namespace) = speaker(1);
    let forwarder = Forwarder::start();
    let kubeconfig = forwarder.kubeconfig();
    let path = kubeconfig.path().display().to_string();
    let mut following = Following::new(&namespace, &["--kubeconfig", &path]);
    say(&namespace, "before").exits(0);
    let mut lines = following.until("spoken before");
    forwarder.cut();
    say(&namespace, "meanwhile").exits(0);
    std::thread::sleep(Duration::from_secs(1));
    forwarder.mend();
    lines.extend(following.until("spoken meanwhile"));
    say(&namespace, "after").exits(0);
    lines.extend(following.until("spoken after"));
    for word in ["before", "meanwhile", "after"] {
        assert_eq!(count(&lines, &format!("spoken {word}")), 1, "{lines:?}");
    }
    following.stop();
}

#[test]
fn following_can_be_stopped_while_the_api_server_is_away() {
    let (_workflow, namespace) = speaker(1);
    let forwarder = Forwarder::start();
    let kubeconfig = forwarder.kubeconfig();
    let path = kubeconfig.path().display().to_string();
    let mut following = Following::new(&namespace, &["--kubeconfig", &path]);
    following.until("spoken");
    forwarder.cut();
    std::thread::sleep(Duration::from_millis(500));
    following.stop();
}
