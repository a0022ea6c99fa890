//! Runs as they go on in a namespace: their pods, and what they log.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::{Namespace, tntc};

/// The pods that `tntc run` and CronJobs made, as JSON.
pub fn trigger_pods(namespace: &Namespace) -> Vec<Value> {
    let pods = namespace.list("pods");
    pods.into_iter()
        .filter(|pod| pod["metadata"]["labels"]["tentacular.dev/role"] == "trigger")
        .collect()
}

/// From now on, each new pod of the namespace is given what it does not ask for itself, and no node has.
pub fn no_node_takes_a_pod(namespace: &Namespace) {
    let none = json!({"example.com/none": "1"});
    namespace.create(
        &json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "none"},
        "spec": {"limits": [{"type": "Container", "defaultRequest": none, "default": none}]}}),
    );
}

/// How many pods the Services of the namespace lead to.
pub fn endpoints(namespace: &Namespace) -> usize {
    let slices = namespace.list("endpointslices");
    slices
        .iter()
        .map(|slice| slice["endpoints"].as_array().map_or(0, Vec::len))
        .sum()
}

/// What the workflow has logged.
pub fn log(namespace: &Namespace, workflow: &str, more: &[&str]) -> String {
    let logs = ["logs", workflow, "-n", &namespace.name];
    tntc(logs.into_iter().chain(more.iter().copied()))
        .run()
        .stdout
}

/// Something when the workflow's engine runs again after a crash. Until then its log is still that of the crash.
pub fn running_again(namespace: &Namespace, workflow: &str) -> Option<()> {
    let engine = |pod: &Value| pod["metadata"]["labels"]["app.kubernetes.io/name"] == workflow;
    let again = |pod: &Value| {
        let container = &pod["status"]["containerStatuses"][0];
        container["restartCount"] != 0 && !container["state"]["running"].is_null()
    };
    let pods = namespace.list("pods");
    pods.iter()
        .any(|pod| engine(pod) && again(pod))
        .then_some(())
}

/// How many runs there are in a row; more by hand, with `TNTC_TEST_RUNS`.
pub fn runs(usually: usize) -> usize {
    let asked = std::env::var("TNTC_TEST_RUNS").ok();
    asked.map_or(usually, |asked| asked.parse().expect("a number"))
}

/// Does something so often, by its number, in so many threads.
pub fn in_a_row(count: usize, threads: usize, once: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
                numbers.take_while(|number| *number < count).for_each(&once);
            });
        }
    });
}
