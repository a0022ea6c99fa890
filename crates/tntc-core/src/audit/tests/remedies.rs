//! What is to be done about each kind of difference.

use serde_json::json;

use super::{YAML, applied, compare, edit, edit_pod, plan};
use crate::audit::{Found, Remedy, remedy};

fn remedy_after(tamper: impl FnOnce(&mut Found)) -> Remedy {
    let plan = plan(YAML);
    let mut found = applied(&plan);
    tamper(&mut found);
    remedy(&plan, &found, &compare(&plan, &found))
}

#[test]
fn nothing_is_to_be_done_where_nothing_differs() {
    assert_eq!(remedy_after(|_| {}), Remedy::default());
}

#[test]
fn what_a_deploy_sends_is_deployed_again() {
    let expected = Remedy {
        deploy: true,
        ..Remedy::default()
    };
    assert_eq!(remedy_after(|found| found.service = None), expected);
}

#[test]
fn what_somebody_else_owns_takes_force() {
    let edited = remedy_after(|found| {
        edit_pod(found, |pod| pod["hostNetwork"] = json!(true));
        edit(found.deployment.as_mut().expect("a Deployment"), |value| {
            value["metadata"]["managedFields"] = json!([{"manager": "kubectl-edit", "operation": "Update",
                "apiVersion": "apps/v1", "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:hostNetwork": {}}}}}}]);
        });
    });
    let expected = Remedy {
        deploy: true,
        force: true,
        ..Remedy::default()
    };
    assert_eq!(edited, expected);
}

#[test]
fn what_no_deploy_touches_is_removed_by_name() {
    let foreign = remedy_after(|found| {
        let mut opener = found.network_policies[0].clone();
        edit(&mut opener, |value| {
            value["metadata"]["name"] = json!("opener");
            value["spec"] = json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]});
        });
        found.network_policies.push(opener);
    });
    assert_eq!(foreign.delete, ["networkpolicy opener"]);
    assert!(!foreign.deploy);
    let added = remedy_after(|found| {
        edit(found.secret.as_mut().expect("a Secret"), |value| {
            value["data"]["slack"] = json!("eA==");
        });
    });
    let key = ("report-secrets".to_owned(), "slack".to_owned());
    assert_eq!(added.remove_keys, [key]);
    assert!(!added.deploy);
}
