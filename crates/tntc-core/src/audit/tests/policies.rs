//! Network policies, ours and other people's.

use serde_json::{Value, json};

use super::{YAML, applied, compare, differences, edit, edit_policy, found_after, plan};

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
    assert_eq!(
        gone,
        [
            "NetworkPolicy/report-netpol Missing",
            "NetworkPolicy/report-trigger-netpol Missing"
        ]
    );
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
