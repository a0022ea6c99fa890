//! Ctrl-C at every moment of `tntc run` leaves no pod.

use std::process::{Child, Stdio};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use serde_json::Value;

use crate::support::{
    Forwarder, Kubeconfig, Namespace, StandIn, Workflow, deployed, interrupt, log,
    no_node_takes_a_pod, signal, tntc, trigger_pods, wait_for,
};

/// A `tntc run` under way, and the kubeconfig that it was given.
struct Running {
    child: Child,
    _kubeconfig: Kubeconfig,
}

impl Running {
    fn start(name: &str, namespace: &Namespace, kubeconfig: Kubeconfig) -> Self {
        let path = kubeconfig.path().display().to_string();
        let arguments = ["run", name, "-n", &namespace.name, "--timeout", "2m"];
        let mut command = tntc(arguments.into_iter().chain(["--kubeconfig", &path])).command();
        let child = command.stdout(Stdio::null()).spawn();
        Self {
            child: child.expect("tntc starts"),
            _kubeconfig: kubeconfig,
        }
    }

    fn interrupt(&self) {
        interrupt(self.child.id());
    }

    #[track_caller]
    fn ends_without_a_pod(mut self, namespace: &Namespace) {
        let status = self.child.wait().expect("tntc ends");
        assert_eq!(status.code(), Some(130));
        assert_eq!(trigger_pods(namespace), Vec::<Value>::new());
    }
}

#[test]
fn before_the_pod_is_there() {
    let workflow = Workflow::of_one_node("echo", "return input;");
    let namespace = deployed(&workflow, "before");
    let (asked, is_asked) = mpsc::channel();
    let (let_go, may_go) = mpsc::channel();
    let (asked, may_go) = (Mutex::new(asked), Mutex::new(may_go));
    let stand_in = StandIn::start(move |request, _| {
        if request.starts_with("POST") && request.contains("/pods") {
            let sent = asked.lock().expect("no panic before").send(());
            sent.expect("the test waits for it");
            let gone = may_go.lock().expect("no panic before").recv();
            gone.expect("the test says when");
        }
        None
    });
    let running = Running::start("echo", &namespace, stand_in.kubeconfig());
    is_asked.recv().expect("tntc asks for a pod");
    running.interrupt();
    let_go.send(()).expect("the request waits for it");
    running.ends_without_a_pod(&namespace);
}

#[test]
fn while_the_pod_is_pending() {
    let workflow = Workflow::of_one_node("echo", "return input;");
    let namespace = deployed(&workflow, "pending");
    no_node_takes_a_pod(&namespace);
    let running = Running::start("echo", &namespace, Kubeconfig::current());
    wait_for("a pod that no node takes", || {
        let pods = trigger_pods(&namespace);
        let condition = pods.first()?["status"]["conditions"][0].clone();
        (condition["reason"] == "Unschedulable").then_some(())
    });
    running.interrupt();
    running.ends_without_a_pod(&namespace);
}

#[test]
fn while_the_workflow_runs() {
    let workflow = Workflow::slow("slow");
    let namespace = deployed(&workflow, "running");
    let running = Running::start("slow", &namespace, Kubeconfig::current());
    wait_for("a started run", || {
        log(&namespace, "slow", &[])
            .contains("INFO started")
            .then_some(())
    });
    running.interrupt();
    running.ends_without_a_pod(&namespace);
}

#[test]
fn sigterm_ends_it_with_its_own_exit_status() {
    let workflow = Workflow::slow("slow");
    let namespace = deployed(&workflow, "term");
    let mut running = Running::start("slow", &namespace, Kubeconfig::current());
    wait_for("a started run", || {
        log(&namespace, "slow", &[])
            .contains("INFO started")
            .then_some(())
    });
    signal(running.child.id(), "-TERM");
    assert_eq!(running.child.wait().expect("tntc ends").code(), Some(143));
    assert_eq!(trigger_pods(&namespace), Vec::<Value>::new());
}

#[test]
fn while_the_answer_is_read() {
    let workflow = Workflow::of_one_node("large", "return \"x\".repeat(12_000_000);");
    let namespace = deployed(&workflow, "reading");
    let forwarder = Forwarder::start();
    forwarder.stall_after(2_000_000);
    let running = Running::start("large", &namespace, forwarder.kubeconfig());
    wait_for("half an answer", || forwarder.is_stalled().then_some(()));
    running.interrupt();
    running.ends_without_a_pod(&namespace);
}

#[test]
fn at_any_other_moment() {
    let workflow = Workflow::of_one_node("echo", "return input;");
    let namespace = deployed(&workflow, "moments");
    for delay in [5, 20, 40, 60, 80, 120, 200, 300, 400, 600, 900] {
        let mut running = Running::start("echo", &namespace, Kubeconfig::current());
        std::thread::sleep(Duration::from_millis(delay));
        if running.child.try_wait().expect("a status").is_none() {
            running.interrupt();
        }
        running.child.wait().expect("tntc ends");
        assert_eq!(
            trigger_pods(&namespace),
            Vec::<Value>::new(),
            "after {delay} ms"
        );
    }
}
