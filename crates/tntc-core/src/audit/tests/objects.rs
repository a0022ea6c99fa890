//! Everything beside the pods and the policies.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use serde_json::json;

use super::{YAML, applied, compare, differences, edit, edit_pod, found_after, plan};

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
fn a_service_that_is_missing_as_a_whole_is_told_once() {
    let mut plan = plan(YAML);
    let mut found = applied(&plan);
    plan.secret = found.secret.replace(Secret::default());
    assert_eq!(
        differences(&compare(&plan, &found)),
        ["Secret/report-secrets Missing data.github"]
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
fn a_secret_that_is_neither_there_nor_needed_is_no_object() {
    let sealed = plan(&YAML.replace(", auth: {type: bearer-token, secret: github.token}", ""));
    let mut found = applied(&sealed);
    found.secret = None;
    let compared = compare(&sealed, &found);
    assert!(!compared.is_empty());
    assert!(
        compared.iter().all(|it| !it.object.starts_with("Secret/")),
        "{compared:?}"
    );
}
