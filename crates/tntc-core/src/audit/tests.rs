use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Compared, Found, Kind, compare};
use crate::contract::network::{Services, Surroundings};
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
        image: "reg.example.com/tentacular-engine:v1",
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
        network_policies: plan.network_policy.clone().into_iter().collect(),
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

#[test]
fn what_was_applied_is_no_difference() {
    assert_eq!(found_after(|_| {}), Vec::<String>::new());
}

#[test]
fn what_the_server_fills_in_is_no_difference() {
    let found = found_after(|found| {
        edit_pod(found, |pod| {
            pod["dnsPolicy"] = json!("ClusterFirst");
            pod["schedulerName"] = json!("default-scheduler");
            pod["containers"][0]["terminationMessagePath"] = json!("/dev/termination-log");
            pod["containers"][0]["livenessProbe"]["httpGet"]["scheme"] = json!("HTTP");
            pod["volumes"][0]["configMap"]["defaultMode"] = json!(420);
        });
        edit(found.service.as_mut().expect("a Service"), |value| {
            value["spec"]["clusterIP"] = json!("10.0.0.1");
            value["spec"]["sessionAffinity"] = json!("None");
        });
        edit(found.deployment.as_mut().expect("a Deployment"), |value| {
            value["spec"]["replicas"] = json!(3);
            value["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] =
                json!("now");
        });
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn the_order_and_grouping_of_rules_are_no_difference() {
    let found = found_after(|found| {
        edit_policy(found, |spec| {
            let rules = spec["egress"].as_array_mut().expect("rules");
            rules.reverse();
            // One rule with two peers gives the same as two rules with one each.
            let internet = rules
                .iter()
                .position(|rule| rule["to"].as_array().map(Vec::len) == Some(2))
                .expect("IPv4 and IPv6");
            let mut second = rules[internet].clone();
            let peer = rules[internet]["to"].as_array_mut().expect("peers").pop();
            second["to"] = json!([peer]);
            second["to"][0]["ipBlock"]["except"]
                .as_array_mut()
                .expect("blocks")
                .reverse();
            second["ports"][0]
                .as_object_mut()
                .expect("a port")
                .remove("protocol");
            rules.push(second);
        });
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_policy_that_was_widened_or_narrowed_is_found() {
    let widened = found_after(|found| {
        edit_policy(found, |spec| {
            spec["egress"]
                .as_array_mut()
                .expect("rules")
                .push(json!({}));
        });
    });
    assert_eq!(widened, ["NetworkPolicy/report-netpol Extra spec.egress"]);
    let narrowed = found_after(|found| {
        edit_policy(found, |spec| {
            drop(spec["egress"].as_array_mut().expect("rules").remove(0));
        });
    });
    assert_eq!(
        narrowed, ["NetworkPolicy/report-netpol Missing spec.egress"; 2],
        "DNS by UDP and TCP"
    );
    let open =
        found_after(|found| edit_policy(found, |spec| spec["ingress"][0]["from"] = json!([])));
    assert_eq!(
        open,
        [
            "NetworkPolicy/report-netpol Missing spec.ingress",
            "NetworkPolicy/report-netpol Extra spec.ingress"
        ]
    );
    let one_way =
        found_after(|found| edit_policy(found, |spec| spec["policyTypes"] = json!(["Ingress"])));
    assert_eq!(
        one_way,
        ["NetworkPolicy/report-netpol Missing spec.policyTypes"]
    );
    let nobody = found_after(|found| {
        edit_policy(found, |spec| {
            spec["podSelector"] = json!({"matchLabels": {"a": "b"}});
        });
    });
    assert_eq!(
        nobody,
        ["NetworkPolicy/report-netpol Changed spec.podSelector"]
    );
    let gone = found_after(|found| found.network_policies.clear());
    assert_eq!(gone, ["NetworkPolicy/report-netpol Missing"]);
}

#[test]
fn a_second_policy_that_opens_what_ours_closes_is_found() {
    let with = |spec: Value| {
        found_after(|found| {
            let mut other = found.network_policies[0].clone();
            edit(&mut other, |value| {
                *value = json!({"metadata": {"name": "other"}, "spec": spec});
            });
            found.network_policies.push(other);
        })
    };
    let name =
        json!({"matchExpressions": [{"key": "app.kubernetes.io/name", "operator": "Exists"}]});
    assert_eq!(
        with(json!({"podSelector": name, "egress": [{}]})),
        ["NetworkPolicy/other Extra"]
    );
    assert_eq!(
        with(json!({"podSelector": {}, "ingress": [{}]})),
        ["NetworkPolicy/other Extra"]
    );
    let closing = json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]});
    assert_eq!(with(closing), Vec::<String>::new());
    let elsewhere = json!({"podSelector": {"matchLabels": {"app": "other"}}, "egress": [{}]});
    assert_eq!(with(elsewhere), Vec::<String>::new());
}

#[test]
fn a_pod_that_was_loosened_is_found_where_it_was() {
    let of = |change: &dyn Fn(&mut Value)| found_after(|found| edit_pod(found, change));
    let engine = "Deployment/report Changed spec.template.spec.containers[engine]";
    assert_eq!(
        of(&|pod| pod["containers"][0]["image"] = json!("evil")),
        [format!("{engine}.image")]
    );
    let root = |pod: &mut Value| pod["containers"][0]["securityContext"]["runAsUser"] = json!(0);
    assert_eq!(
        of(&root),
        ["Deployment/report Extra spec.template.spec.containers[engine].securityContext.runAsUser"]
    );
    let token = |pod: &mut Value| {
        drop(
            pod.as_object_mut()
                .expect("a pod")
                .remove("automountServiceAccountToken"),
        );
    };
    assert_eq!(
        of(&token),
        ["Deployment/report Missing spec.template.spec.automountServiceAccountToken"]
    );
    let sidecar = |pod: &mut Value| {
        pod["containers"]
            .as_array_mut()
            .expect("containers")
            .push(json!({"name": "sidecar", "image": "i"}));
    };
    assert_eq!(
        of(&sidecar),
        ["Deployment/report Extra spec.template.spec.containers[sidecar]"]
    );
    let unboxed = |pod: &mut Value| {
        drop(
            pod.as_object_mut()
                .expect("a pod")
                .remove("runtimeClassName"),
        );
    };
    assert_eq!(
        of(&unboxed),
        ["Deployment/report Missing spec.template.spec.runtimeClassName"]
    );
}

#[test]
fn a_deno_flag_that_was_widened_is_told_by_itself() {
    let plan = plan(YAML);
    let mut found = applied(&plan);
    edit_pod(&mut found, |pod| {
        let args = pod["containers"][0]["args"].as_array_mut().expect("args");
        let net = args
            .iter_mut()
            .find(|arg| {
                arg.as_str()
                    .is_some_and(|arg| arg.starts_with("--allow-net"))
            })
            .expect("the flag");
        *net = json!("--allow-net");
    });
    let compared = compare(&plan, &found);
    let findings: Vec<_> = compared
        .iter()
        .flat_map(|object| &object.findings)
        .collect();
    assert_eq!(findings.len(), 2);
    assert_eq!(
        (findings[0].kind, findings[1].kind),
        (Kind::Missing, Kind::Extra)
    );
    assert_eq!(findings[1].actual, "--allow-net");
}

#[test]
fn cron_jobs_are_compared_by_name_schedule_and_body() {
    let rescheduled = found_after(|found| {
        edit(&mut found.cron_jobs[0], |job| {
            job["spec"]["schedule"] = json!("* * * * *");
        });
    });
    assert_eq!(rescheduled, ["CronJob/report-cron-0 Changed spec.schedule"]);
    let suspended = found_after(|found| {
        edit(&mut found.cron_jobs[0], |job| {
            job["spec"]["suspend"] = json!(true);
        });
    });
    assert_eq!(suspended, ["CronJob/report-cron-0 Extra spec.suspend"]);
    let another_body = found_after(|found| {
        edit(&mut found.cron_jobs[0], |job| {
            let args =
                job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"]
                    .as_array_mut()
                    .expect("args");
            *args
                .iter_mut()
                .find(|arg| arg.as_str().is_some_and(|arg| arg.contains("daily")))
                .expect("the body") = json!("{}");
        });
    });
    let args = "spec.jobTemplate.spec.template.spec.containers[trigger].args";
    assert_eq!(
        another_body,
        [
            format!("CronJob/report-cron-0 Missing {args}"),
            format!("CronJob/report-cron-0 Extra {args}")
        ]
    );
    let one_more = found_after(|found| {
        let mut job = found.cron_jobs[0].clone();
        edit(&mut job, |job| {
            job["metadata"]["name"] = json!("report-cron-9");
        });
        found.cron_jobs.push(job);
    });
    assert_eq!(one_more, ["CronJob/report-cron-9 Extra"]);
    let one_less = found_after(|found| drop(found.cron_jobs.pop()));
    assert_eq!(one_less, ["CronJob/report-cron-1 Missing"]);
}

#[test]
fn secrets_are_compared_by_key_and_never_shown() {
    let plan = plan(YAML);
    let mut found = applied(&plan);
    let more = BTreeMap::from([
        ("github".to_owned(), ByteString(b"{}".to_vec())),
        ("slack".to_owned(), ByteString(b"hush".to_vec())),
    ]);
    found.secret = Some(Secret {
        data: Some(more),
        ..Secret::default()
    });
    let compared = compare(&plan, &found);
    assert_eq!(
        differences(&compared),
        [
            "Secret/report-secrets Missing data.github",
            "Secret/report-secrets Extra data.slack"
        ]
    );
    assert!(!json!(compared).to_string().contains("hush"));
    assert_eq!(
        found_after(|found| found.secret = None),
        ["Secret/report-secrets Missing"]
    );
}

#[test]
fn files_labels_and_services_are_compared() {
    let edited = found_after(|found| {
        edit(found.config_map.as_mut().expect("a ConfigMap"), |map| {
            map["data"]["nodes__fetch.ts"] = json!("evil");
        });
    });
    assert_eq!(
        edited,
        ["ConfigMap/report-code Changed data.nodes__fetch.ts"]
    );
    let kept = found_after(|found| {
        edit(found.config_map.as_mut().expect("a ConfigMap"), |map| {
            map["data"]["nodes__old.ts"] = json!("of an earlier deploy");
        });
    });
    assert_eq!(kept, Vec::<String>::new());
    let version = found_after(|found| {
        edit(found.service.as_mut().expect("a Service"), |service| {
            service["metadata"]["labels"]["app.kubernetes.io/version"] = json!("0.9");
        });
    });
    assert_eq!(
        version,
        ["Service/report Changed metadata.labels.app.kubernetes.io/version"]
    );
    let role = found_after(|found| {
        edit(found.deployment.as_mut().expect("a Deployment"), |value| {
            value["spec"]["template"]["metadata"]["labels"]["tentacular.dev/role"] =
                json!("trigger");
        });
    });
    assert_eq!(
        role,
        ["Deployment/report Extra spec.template.metadata.labels.tentacular.dev/role"]
    );
    let exposed = found_after(|found| {
        edit(found.service.as_mut().expect("a Service"), |service| {
            service["spec"]["type"] = json!("NodePort");
        });
    });
    assert_eq!(exposed, ["Service/report Changed spec.type"]);
}

#[test]
fn without_a_contract_a_policy_is_too_much_and_no_secret_is() {
    let open = plan(&YAML[..YAML.find("contract:").expect("a contract")]);
    let sealed = plan(YAML);
    let mut found = applied(&open);
    found.network_policies = sealed.network_policy.into_iter().collect();
    assert_eq!(
        differences(&compare(&open, &found)),
        ["NetworkPolicy/report-netpol Extra"]
    );
}
