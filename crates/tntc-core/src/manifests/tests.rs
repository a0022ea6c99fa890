use std::collections::BTreeMap;

use serde_json::Value;

use super::code::{Code, CodeError, MAX_BYTES};
use super::{Inputs, Plan, PullPolicy, cron_job, trigger};
use crate::derive::network::{Services, Surroundings};
use crate::project::Project;
use crate::workflow::{Checked, Workflow, parse};

const PLAIN: &str = r#"
name: report
version: "1.10"
triggers: [{type: manual}]
nodes: {fetch: {path: nodes/fetch.ts}, send: {path: nodes/lib/send.ts}}
edges: [{from: fetch, to: send}]
contract: {version: "1", dependencies: {}}
"#;

fn project(yaml: &str) -> Project {
    let node = "export default async function run() {}\n";
    Project::from_files([
        ("workflow.yaml", yaml),
        ("nodes/fetch.ts", node),
        ("nodes/lib/send.ts", node),
    ])
}

fn workflow(project: &Project) -> Workflow {
    let Checked { workflow, .. } = parse(project).expect("a valid workflow");
    workflow
}

/// A plan of this workflow.yaml, as deploy would make it outside kind.
fn plan_with(
    yaml: &str,
    runtime_class: Option<&str>,
    secrets: Option<&BTreeMap<String, Vec<u8>>>,
) -> Plan {
    plan_of(&project(yaml), runtime_class, secrets)
}

fn plan_of(
    project: &Project,
    runtime_class: Option<&str>,
    secrets: Option<&BTreeMap<String, Vec<u8>>>,
) -> Plan {
    let workflow = workflow(project);
    let code = Code::collect(project, &workflow).expect("code that fits");
    let namespace = "production".parse().expect("a namespace");
    let services = Services::default();
    Plan::new(&Inputs {
        workflow: &workflow,
        namespace: &namespace,
        image: &"reg.example.com/tentacular-engine:v1"
            .parse()
            .expect("a reference"),
        image_id: None,
        runtime_class,
        pull_policy: PullPolicy::Always,
        trigger_image: "curlimages/curl:latest",
        code: &code,
        secrets,
        existing_secret: None,
        otel_endpoint: None,
        http_only: false,
        surroundings: Surroundings {
            services: &services,
            metrics_namespace: None,
            endpoints: &[],
        },
    })
}

fn plan(yaml: &str) -> Plan {
    plan_with(yaml, Some("gvisor"), None)
}

fn deployment(plan: &Plan) -> Value {
    serde_json::to_value(&plan.deployment).expect("JSON")
}

#[test]
fn the_plan_of_a_workflow_of_pure_nodes() {
    insta::assert_yaml_snapshot!(plan(PLAIN).objects());
}

#[test]
fn a_plan_is_the_same_each_time() {
    assert_eq!(plan(PLAIN), plan(PLAIN));
}

#[test]
fn the_version_stays_text() {
    let plan = plan(PLAIN);
    let labels = plan.service.metadata.labels.expect("labels");
    assert_eq!(
        labels.get("app.kubernetes.io/version").map(String::as_str),
        Some("1.10")
    );
}

#[test]
fn without_a_contract_the_images_own_entrypoint_stands() {
    let plan = plan(&PLAIN.replace("contract:", "x-contract:"));
    let container = &deployment(&plan)["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["command"], Value::Null);
    assert_eq!(container["args"][0], "--instance");
    assert_eq!(plan.network_policy, None);
}

#[test]
fn without_a_runtime_class_the_clusters_default_runs_the_pod() {
    let plan = plan_with(PLAIN, None, None);
    assert_eq!(
        deployment(&plan)["spec"]["template"]["spec"].get("runtimeClassName"),
        None
    );
}

#[test]
fn replicas_are_sent_only_when_the_workflow_sets_them() {
    assert_eq!(deployment(&plan(PLAIN))["spec"].get("replicas"), None);
    let two = plan(&format!("{PLAIN}deployment: {{replicas: 2}}\n"));
    assert_eq!(deployment(&two)["spec"]["replicas"], 2);
}

#[test]
fn only_a_named_service_account_has_its_token_mounted() {
    let spec = |plan: &Plan| deployment(plan)["spec"]["template"]["spec"].clone();
    assert_eq!(spec(&plan(PLAIN))["automountServiceAccountToken"], false);
    let named = spec(&plan(&format!(
        "{PLAIN}deployment: {{serviceAccount: reader}}\n"
    )));
    assert_eq!(named["automountServiceAccountToken"], true);
    assert_eq!(named["serviceAccountName"], "reader");
}

#[test]
fn a_changed_file_changes_the_template_and_the_revision() {
    let project = project(PLAIN);
    let workflow = workflow(&project);
    let code = Code::collect(&project, &workflow).expect("code that fits");
    let edited = code
        .clone()
        .with_workflow_file(&format!("{PLAIN}# edited\n"))
        .expect("code that fits");
    assert_ne!(code.hash(), edited.hash());
}

#[test]
fn secrets_are_data_and_their_values_are_never_printed() {
    let files = BTreeMap::from([("github".to_owned(), br#"{"token":"ghp_hidden"}"#.to_vec())]);
    let plan = plan_with(PLAIN, None, Some(&files));
    let secret = plan.secret.as_ref().expect("a Secret");
    assert_eq!(secret.string_data, None);
    assert!(
        secret
            .data
            .as_ref()
            .is_some_and(|data| data.contains_key("github"))
    );
    let printed = serde_json::to_string(&plan.without_secret()).expect("JSON");
    assert!(!printed.contains("ghp_hidden"), "{printed}");
    // The base64 of the value's beginning.
    assert!(!printed.contains("eyJ0b2tlbiI6"), "{printed}");
}

#[test]
fn changed_secrets_restart_the_pods_and_equal_ones_do_not() {
    let annotations = |value: &str, salt: &str| {
        let files = BTreeMap::from([("github".to_owned(), value.as_bytes().to_vec())]);
        let mut plan = plan_with(PLAIN, None, Some(&files));
        plan.salt(salt.as_bytes().to_vec());
        deployment(&plan)["spec"]["template"]["metadata"]["annotations"].clone()
    };
    assert_eq!(annotations("a", "1"), annotations("a", "1"));
    assert_ne!(annotations("a", "1"), annotations("b", "1"));
    assert_ne!(annotations("a", "1"), annotations("a", "2"));
}

const CRONS: &str = r#"
name: report
version: "1.0"
triggers:
  - {type: cron, name: daily, schedule: "0 9 * * *", timezone: Europe/Berlin}
  - {type: manual}
  - {type: cron, schedule: "@hourly"}
nodes: {fetch: {path: nodes/fetch.ts}}
contract: {version: "1", dependencies: {}}
"#;

#[test]
fn each_cron_trigger_becomes_a_cron_job() {
    insta::assert_yaml_snapshot!(plan(CRONS).cron_jobs);
}

#[test]
fn a_lone_cron_trigger_has_no_number() {
    assert_eq!(cron_job::object_name("report", None), "report-cron");
    assert_eq!(cron_job::object_name("report", Some(1)), "report-cron-1");
}

#[test]
fn a_run_pod_is_never_an_endpoint_of_the_service() {
    let run = trigger::Run {
        workflow: "report",
        namespace: "production",
        image: "curlimages/curl:latest",
        suffix: "0123abcd",
        deadline_seconds: 60,
    };
    let pod = trigger::run_pod(&run);
    let labels = pod.metadata.labels.clone().expect("labels");
    assert!(!labels.contains_key("app.kubernetes.io/name"));
    insta::assert_yaml_snapshot!(pod);
}

#[test]
fn the_name_of_a_run_pod_fits_a_host_name() {
    let long = "a".repeat(63);
    let run = trigger::Run {
        workflow: &long,
        namespace: "n",
        image: "i",
        suffix: "0123abcd",
        deadline_seconds: 1,
    };
    assert_eq!(
        trigger::run_pod(&run).metadata.name.map(|name| name.len()),
        Some(63)
    );
}

fn collected(files: &[(&str, &str)]) -> Result<Code, Vec<CodeError>> {
    let mut project = project(PLAIN);
    project.files.extend(
        files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())),
    );
    Code::collect(&project, &workflow(&project))
}

#[test]
fn helpers_under_nodes_are_delivered_and_other_files_are_not() {
    let code = collected(&[
        ("nodes/helper.ts", ""),
        ("tests/fixtures/fetch.json", "{}"),
        ("README.md", ""),
    ]);
    let code = code.expect("code that fits");
    let paths: Vec<_> = code.files().keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "nodes/fetch.ts",
            "nodes/helper.ts",
            "nodes/lib/send.ts",
            "workflow.yaml"
        ]
    );
}

#[test]
fn two_files_that_share_a_key_are_told() {
    let errors = collected(&[("nodes/lib__send.ts", "")]).expect_err("an error");
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0]
            .to_string()
            .contains("share the ConfigMap key `nodes__lib__send.ts`"),
        "{}",
        errors[0]
    );
}

#[test]
fn a_name_that_no_key_can_hold_is_told() {
    let errors = collected(&[("nodes/übung.ts", "")]).expect_err("an error");
    assert!(matches!(&errors[0], CodeError::BadName { path } if path == "nodes/übung.ts"));
}

#[test]
fn too_much_code_names_the_largest_file() {
    let large = "x".repeat(MAX_BYTES);
    let errors = collected(&[("nodes/data.ts", &large)]).expect_err("an error");
    assert!(
        matches!(&errors[0], CodeError::TooLarge { largest, .. } if largest == "nodes/data.ts")
    );
}

#[test]
fn a_file_that_is_no_text_is_delivered_as_binary_data() {
    let mut project = project(PLAIN);
    project
        .files
        .insert("nodes/logo.png".to_owned(), vec![0x89, 0xff, 0x00]);
    let binary = plan_of(&project, None, None)
        .config_map
        .binary_data
        .expect("binary data");
    assert_eq!(binary.keys().collect::<Vec<_>>(), ["nodes__logo.png"]);
}

#[test]
fn a_helper_outside_nodes_is_delivered_when_a_node_imports_it() {
    let mut project = project(PLAIN);
    project.files.insert(
        "nodes/fetch.ts".to_owned(),
        b"import { a } from \"../lib/a.ts\";\nexport default () => a;\n".to_vec(),
    );
    project
        .files
        .insert("lib/a.ts".to_owned(), b"export const a = 1;\n".to_vec());
    project.files.insert(
        "lib/unused.ts".to_owned(),
        b"export const b = 1;\n".to_vec(),
    );
    let code = Code::collect(&project, &workflow(&project)).expect("code that fits");
    assert!(code.files().contains_key("lib/a.ts"));
    assert!(!code.files().contains_key("lib/unused.ts"));
}

#[test]
fn an_import_that_leads_nowhere_is_told_with_its_place() {
    let mut project = project(PLAIN);
    project.files.insert(
        "nodes/fetch.ts".to_owned(),
        b"import { a } from \"../../a.ts\";\nexport default () => a;\n".to_vec(),
    );
    let errors = Code::collect(&project, &workflow(&project)).expect_err("an error");
    assert_eq!(
        errors[0].to_string(),
        "nodes/fetch.ts:1:19: `../../a.ts` leads to no file inside the workflow directory"
    );
}
