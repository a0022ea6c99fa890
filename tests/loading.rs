//! Nodes whose modules never come to their end, as each command reports them.

use crate::support::{Namespace, Workflow, deploying, node, tntc, wait_for};

/// Two nodes, the second of which does this while it is loaded.
fn never_loaded(top_level: &str) -> Workflow {
    let workflow = Workflow::of_one_node("stuck", "return input;");
    workflow.replace(
        "workflow.yaml",
        "nodes: {only: {path: nodes/only.ts}}",
        "nodes: {only: {path: nodes/only.ts}, late: {path: nodes/late.ts, timeout: 1s}}",
    );
    workflow.write(
        "nodes/late.ts",
        &format!("{top_level}\n{}", node("return input;")),
    );
    workflow.write("tests/fixtures/late.json", "{\"input\": {}}");
    workflow
}

const WAITS: &str = "await new Promise(() => {});";
const LOOPS: &str = "while (Date.now() > 0);";

#[test]
fn a_local_run_names_the_node_that_is_never_loaded() {
    let waits = never_loaded(WAITS);
    tntc(["run", "--local", waits.path(), "--timeout", "8s"])
        .run()
        .exits(1)
        .says("node late: nodes/late.ts is still not loaded after 5 s");
    let loops = never_loaded(LOOPS);
    tntc(["run", "--local", loops.path(), "--timeout", "8s"])
        .run()
        .exits(1)
        .says("the module of node late, which is being loaded");
}

#[test]
fn a_test_names_the_node_that_is_never_loaded() {
    for top_level in [WAITS, LOOPS] {
        let workflow = never_loaded(top_level);
        tntc(["test", workflow.path()])
            .run()
            .exits(1)
            .answers("late")
            .answers("its module was still being loaded");
    }
}

#[test]
fn a_deploy_that_waits_names_the_node_that_is_never_loaded() {
    let namespace = Namespace::new("stuck");
    deploying(
        &never_loaded(WAITS),
        &namespace,
        &["--wait", "--timeout", "15s"],
    )
    .run()
    .exits(1)
    .says("node late: nodes/late.ts is still not loaded after 5 s");
}

/// The liveness probe ends an engine that loops after a minute; the next one knows of which node.
#[test]
fn the_log_of_a_pod_names_the_node_whose_module_loops() {
    let namespace = Namespace::new("looping");
    deploying(&never_loaded(LOOPS), &namespace, &[])
        .run()
        .exits(0);
    wait_for("the node's name", || {
        let log = tntc(["logs", "stuck", "-n", &namespace.name]).run().stdout;
        let named = "the engine before this one ended while it loaded the module of node late";
        log.contains(named).then_some(())
    });
}
