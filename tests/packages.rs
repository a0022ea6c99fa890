//! Packages of npm that workflows are written for. `tests/packages/nodes` has a node for each; `scripts/packages-table`
//! runs them all and writes docs/packages.md, and here are those whose kind has been a fault.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{
    DenoServers, NODE_ADDRESS, Namespace, Workflow, engine_image, tntc, wait_for,
};

const DIR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/packages");
const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/packages.md");

/// What clients of packages talk to: `servers.ts`.
struct Servers(DenoServers);

impl Servers {
    fn start() -> Self {
        let program = format!("{DIR}/servers.ts");
        Self(DenoServers::start([
            "--no-lock",
            "--allow-all",
            &program,
            NODE_ADDRESS,
        ]))
    }

    /// A workflow of these nodes, whose contract has these servers.
    fn workflow(&self, name: &str, nodes: &[&str]) -> Workflow {
        let workflow = Workflow::of_one_node(name, "return 1;");
        let dependency = |name: &str, protocol: &str| {
            let port = &self.0.ports[name];
            json!({ "protocol": protocol, "host": NODE_ADDRESS, "port": port })
        };
        let mut paths = json!({});
        for node in nodes {
            let code = fs::read_to_string(format!("{DIR}/nodes/{node}.ts")).expect("a node");
            workflow.write(&format!("nodes/{node}.ts"), &code);
            paths[node] = json!({ "path": format!("nodes/{node}.ts") });
        }
        let text = json!({
            "name": name,
            "version": "1.0",
            "triggers": [{ "type": "manual" }],
            "config": { "timeout": "30s" },
            "nodes": paths,
            "contract": { "version": "1", "dependencies": {
                "http": dependency("http", "http"),
                "mysql": dependency("mysql", "mysql"),
                "mongo": dependency("mongo", "mongodb"),
            } },
        });
        workflow.write("workflow.yaml", &text.to_string());
        workflow
    }
}

#[track_caller]
fn assert_all_work(result: &Value, nodes: &[&str]) {
    for node in nodes {
        let output = &result["outputs"][node];
        assert_eq!(output["works"], true, "{node}: {result}");
    }
}

fn deploy(workflow: &Workflow, namespace: &Namespace) -> Value {
    let deploy = [
        "deploy",
        workflow.path(),
        "--force",
        "--verify",
        "--warn",
        "-o",
        "json",
    ];
    let place = ["-n", namespace.name.as_str(), "--image", engine_image()];
    tntc(deploy.into_iter().chain(place)).run().exits(0).json()
}

#[test]
fn packages_that_ask_for_the_machine_work_here_and_in_a_pod() {
    let nodes = ["slack-web-api", "aws-sdk-client-s3", "mongodb"];
    let servers = Servers::start();
    let workflow = servers.workflow("asking", &nodes);
    let local = tntc(["run", "--local", workflow.path()]).run().exits(0);
    assert_all_work(&local.json(), &nodes);
    let namespace = Namespace::new("asking");
    deploy(&workflow, &namespace);
    let run = tntc(["run", "asking", "-n", &namespace.name])
        .run()
        .exits(0);
    assert_all_work(&run.json(), &nodes);
}

/// Together they have 2.4 MB: more than a ConfigMap holds, but for compression.
#[test]
fn packages_that_fit_compressed_work_in_a_pod_and_leave_nothing_when_they_go() {
    let nodes = ["mysql2", "cheerio"];
    let servers = Servers::start();
    let workflow = servers.workflow("large", &nodes);
    let namespace = Namespace::new("large");
    deploy(&workflow, &namespace);
    let keys = |field: &str| {
        let map = namespace.get("configmap", "large-code");
        let keys = map[field].as_object().cloned().unwrap_or_default();
        keys.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    let compressed = [
        "nodes__cheerio.ts.bundle.js.gz",
        "nodes__mysql2.ts.bundle.js.gz",
    ];
    assert!(
        keys("binaryData")
            .iter()
            .any(|key| compressed.contains(&key.as_str()))
    );
    let place = ["-n", namespace.name.as_str()];
    let run = tntc(["run", "large"].into_iter().chain(place))
        .run()
        .exits(0);
    assert_all_work(&run.json(), &nodes);
    let audit = ["audit", workflow.path(), "--image", engine_image()];
    tntc(audit.into_iter().chain(place)).run().exits(0);
    assert_eq!(deploy(&workflow, &namespace)["applied"], json!([]));

    for node in nodes {
        workflow.write(
            &format!("nodes/{node}.ts"),
            "export default () => ({ works: true });\n",
        );
    }
    deploy(&workflow, &namespace);
    let is_old = |pod: &Value| pod.to_string().contains(".bundle.js.gz");
    wait_for("the end of the old pod", || {
        let mut pods = namespace.list("pods").into_iter();
        (!pods.any(|pod| is_old(&pod))).then_some(())
    });
    deploy(&workflow, &namespace);
    assert_eq!(keys("binaryData"), Vec::<String>::new());
    let run = tntc(["run", "large"].into_iter().chain(place))
        .run()
        .exits(0);
    assert_all_work(&run.json(), &nodes);
}

#[test]
fn the_table_of_packages_has_a_row_for_each_node() {
    let table = fs::read_to_string(TABLE).expect("docs/packages.md");
    let nodes = fs::read_dir(Path::new(DIR).join("nodes")).expect("nodes");
    for node in nodes.flatten() {
        let code = fs::read_to_string(node.path()).expect("a node");
        let package = code.strip_prefix("// package: ").expect("its first line");
        let (package, _) = package.split_once('\n').expect("a line");
        let row = format!("| `{package}` |");
        assert!(
            table.contains(&row),
            "docs/packages.md lacks {package}: run scripts/packages-table"
        );
    }
}
