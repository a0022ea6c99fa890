//! What the pods run as.

use serde_json::{Value, json};

use super::{Kind, YAML, applied, compare, edit_pod, found_after, plan};

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
