//! A plan beside what the cluster has, with tampers made by hand.

mod objects;
mod pods;
mod policies;
mod remedies;

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Compared, Found, Kind, compare};
use crate::derive::network::{Services, Surroundings};
use crate::manifests::code::Code;
use crate::manifests::{Inputs, Plan, PullPolicy};
use crate::project::Project;
use crate::workflow::parse;

const YAML: &str = r#"
name: report
version: "1.0"
triggers: [{type: cron, name: daily, schedule: "0 9 * * *"}, {type: cron, schedule: "@hourly"}]
nodes: {fetch: {path: nodes/fetch.ts}}
contract:
  version: "1"
  dependencies:
    github: {protocol: https, host: api.github.com, auth: {type: bearer-token, secret: github.token}}
    db: {protocol: postgresql, host: db.data.svc.cluster.local, database: app, user: app}
"#;

fn plan(yaml: &str) -> Plan {
    let node = "export default async function run() {}\n";
    let project = Project::from_files([("workflow.yaml", yaml), ("nodes/fetch.ts", node)]);
    let workflow = parse(&project).expect("a valid workflow").workflow;
    let code = Code::collect(&project, &workflow).expect("code that fits");
    Plan::new(&Inputs {
        workflow: &workflow,
        namespace: &"production".parse().expect("a namespace"),
        image: &"reg.example.com/tentacular-engine:v1"
            .parse()
            .expect("a reference"),
        image_id: None,
        runtime_class: Some("gvisor"),
        pull_policy: PullPolicy::Always,
        trigger_image: "curlimages/curl:latest",
        code: &code,
        secrets: None,
        existing_secret: None,
        otel_endpoint: None,
        http_only: false,
        surroundings: Surroundings {
            services: &Services::default(),
            metrics_namespace: None,
            endpoints: &[],
        },
    })
}

/// What the server would have after this plan, without what it fills in.
fn applied(plan: &Plan) -> Found {
    let github = (
        "github".to_owned(),
        ByteString(br#"{"token": "t"}"#.to_vec()),
    );
    Found {
        secret: Some(Secret {
            data: Some(BTreeMap::from([github])),
            ..Secret::default()
        }),
        config_map: Some(plan.config_map.clone()),
        network_policies: plan.policies().cloned().collect(),
        service: Some(plan.service.clone()),
        deployment: Some(plan.deployment.clone()),
        cron_jobs: plan.cron_jobs.clone(),
    }
}

/// Every difference as `Object kind path`.
fn differences(compared: &[Compared]) -> Vec<String> {
    let each = |compared: &Compared| {
        let findings = compared.findings.iter();
        let lines = findings.map(|finding| {
            format!("{} {:?} {}", compared.object, finding.kind, finding.path)
                .trim_end()
                .to_owned()
        });
        lines.collect::<Vec<_>>()
    };
    compared.iter().flat_map(each).collect()
}

/// Changes an object as a person with `kubectl edit` would.
fn edit<K: Serialize + DeserializeOwned>(object: &mut K, change: impl FnOnce(&mut Value)) {
    let mut value = json!(object);
    change(&mut value);
    *object = serde_json::from_value(value).expect("still an object of its kind");
}

fn edit_pod(found: &mut Found, change: impl FnOnce(&mut Value)) {
    let deployment = found.deployment.as_mut().expect("a Deployment");
    edit(deployment, |value| {
        change(&mut value["spec"]["template"]["spec"]);
    });
}

fn edit_policy(found: &mut Found, change: impl FnOnce(&mut Value)) {
    edit(&mut found.network_policies[0], |value| {
        change(&mut value["spec"]);
    });
}

/// What a tamper is found as.
fn found_after(tamper: impl FnOnce(&mut Found)) -> Vec<String> {
    let plan = plan(YAML);
    let mut found = applied(&plan);
    tamper(&mut found);
    differences(&compare(&plan, &found))
}
