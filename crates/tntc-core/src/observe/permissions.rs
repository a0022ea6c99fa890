//! What the user must be allowed to do, and what of it the rules of an authorizer grant.

use k8s_openapi::api::authorization::v1::ResourceRule;
use k8s_openapi::api::rbac::v1::PolicyRule;

use crate::manifests::Plan;

/// Verbs on one kind of object in the workflow's namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Right {
    /// API group; empty for the core one.
    pub group: &'static str,
    /// Plural, with the subresource after a slash.
    pub resource: &'static str,
    /// What is done with it.
    pub verbs: &'static [&'static str],
}

const fn right(
    group: &'static str,
    resource: &'static str,
    verbs: &'static [&'static str],
) -> Right {
    Right {
        group,
        resource,
        verbs,
    }
}

/// What every deploy does; server-side apply needs `patch`, and `create` for what is not there.
const DEPLOY: [Right; 9] = [
    right("", "configmaps", &["get", "create", "patch"]),
    right("", "services", &["get", "create", "patch"]),
    right(
        "apps",
        "deployments",
        &["get", "list", "watch", "create", "patch"],
    ),
    right("apps", "replicasets", &["list", "watch"]),
    right("", "pods", &["list", "watch"]),
    right("", "events", &["list", "watch"]),
    right(
        "batch",
        "cronjobs",
        &["get", "list", "create", "patch", "delete"],
    ),
    right("", "secrets", &["get"]),
    right("networking.k8s.io", "networkpolicies", &["list", "delete"]),
];
/// A deploy with local secrets.
const SECRETS: Right = right("", "secrets", &["create", "patch"]);
/// A deploy of a workflow with a contract.
const POLICY: Right = right(
    "networking.k8s.io",
    "networkpolicies",
    &["get", "create", "patch"],
);

/// What the other commands do: run, logs, list, status, audit and undeploy. From Kubernetes 1.35 on, attaching by web
/// socket needs `create` beside `get`.
const OPERATE: [Right; 10] = [
    right("", "pods", &["get", "create", "delete"]),
    right("", "pods/attach", &["get", "create"]),
    right("", "pods/log", &["get"]),
    right("", "configmaps", &["delete"]),
    right("", "services", &["delete"]),
    right("", "secrets", &["delete"]),
    right("apps", "deployments", &["delete"]),
    right("networking.k8s.io", "networkpolicies", &["list", "delete"]),
    right("batch", "cronjobs", &["list", "delete"]),
    right("batch", "jobs", &["list"]),
];

/// What applying this plan takes.
#[must_use]
pub fn to_deploy(plan: &Plan) -> Vec<Right> {
    let mut rights = DEPLOY.to_vec();
    rights.extend(plan.secret.as_ref().map(|_| SECRETS));
    rights.extend(plan.network_policy.as_ref().map(|_| POLICY));
    rights
}

/// What `run` takes to reach the engine by the API server's proxy instead of a pod.
pub const PROXY: Right = right("", "services/proxy", &["create"]);
/// The same, by a forwarded port.
pub const PORT_FORWARD: Right = right("", "pods/portforward", &["get", "create"]);

/// What all commands together take.
#[must_use]
pub fn to_everything() -> Vec<Right> {
    let mut rights = DEPLOY.to_vec();
    rights.extend([SECRETS, POLICY]);
    rights.extend(OPERATE);
    rights
}

/// The rules of a Role that grants these rights, one a kind, in the order in which the kinds come up.
#[must_use]
pub fn rules(rights: &[Right]) -> Vec<PolicyRule> {
    let mut rules: Vec<PolicyRule> = Vec::new();
    for right in rights {
        let known = rules.iter_mut().find(|rule| {
            rule.resources.as_deref() == Some(&[right.resource.to_owned()])
                && rule.api_groups.as_deref() == Some(&[right.group.to_owned()])
        });
        match known {
            Some(rule) => add_verbs(&mut rule.verbs, right.verbs),
            None => rules.push(PolicyRule {
                api_groups: Some(vec![right.group.to_owned()]),
                resources: Some(vec![right.resource.to_owned()]),
                verbs: right.verbs.iter().map(|verb| (*verb).to_owned()).collect(),
                ..PolicyRule::default()
            }),
        }
    }
    rules
}

fn add_verbs(known: &mut Vec<String>, verbs: &[&str]) {
    for verb in verbs {
        if !known.iter().any(|known| known == verb) {
            known.push((*verb).to_owned());
        }
    }
}

/// One verb on one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// On what.
    pub right: Right,
    /// What is done with it.
    pub verb: &'static str,
}

impl Need {
    fn is_same(self, other: Self) -> bool {
        let of = |need: Self| (need.verb, need.right.group, need.right.resource);
        of(self) == of(other)
    }

    /// As `kubectl` names it, such as `deployments.apps`.
    fn resource(self) -> String {
        let group = if self.right.group.is_empty() { "" } else { "." };
        format!("{}{group}{}", self.right.resource, self.right.group)
    }
}

/// Resource by resource, such as `configmaps: get, create; pods: list`, in the order in which they come up.
#[must_use]
pub fn grouped(needs: &[Need]) -> String {
    let mut resources: Vec<(String, Vec<&str>)> = Vec::new();
    for need in needs {
        let resource = need.resource();
        match resources.iter_mut().find(|(known, _)| *known == resource) {
            Some((_, verbs)) => verbs.push(need.verb),
            None => resources.push((resource, vec![need.verb])),
        }
    }
    let shown =
        |(resource, verbs): &(String, Vec<&str>)| format!("{resource}: {}", verbs.join(", "));
    resources.iter().map(shown).collect::<Vec<_>>().join("; ")
}

/// What these rules do not grant of what is needed, each once.
#[must_use]
pub fn missing(rules: &[ResourceRule], rights: &[Right]) -> Vec<Need> {
    let mut open: Vec<Need> = Vec::new();
    for right in rights {
        for verb in right.verbs {
            let need = Need {
                right: *right,
                verb,
            };
            let is_known = open.iter().any(|known| known.is_same(need));
            if !is_known && !rules.iter().any(|rule| grants(rule, need)) {
                open.push(need);
            }
        }
    }
    open
}

/// A rule about single objects by name grants nothing about those that do not exist yet.
fn grants(rule: &ResourceRule, need: Need) -> bool {
    let has = |list: Option<&Vec<String>>, wanted: &str| {
        list.is_some_and(|list| list.iter().any(|item| item == "*" || item == wanted))
    };
    let any_name = rule.resource_names.as_ref().is_none_or(Vec::is_empty);
    any_name
        && has(rule.api_groups.as_ref(), need.right.group)
        && has(rule.resources.as_ref(), need.right.resource)
        && has(Some(&rule.verbs), need.verb)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(groups: &[&str], resources: &[&str], verbs: &[&str], names: &[&str]) -> ResourceRule {
        let owned = |items: &[&str]| {
            items
                .iter()
                .map(|item| (*item).to_owned())
                .collect::<Vec<_>>()
        };
        ResourceRule {
            api_groups: Some(owned(groups)),
            resources: Some(owned(resources)),
            verbs: owned(verbs),
            resource_names: Some(owned(names)),
        }
    }

    const ATTACH: Need = Need {
        right: OPERATE[1],
        verb: "get",
    };

    #[test]
    fn stars_grant_everything_and_names_grant_nothing_new() {
        assert!(grants(&rule(&["*"], &["*"], &["*"], &[]), ATTACH));
        assert!(grants(
            &rule(&[""], &["pods/attach"], &["get"], &[]),
            ATTACH
        ));
        assert!(!grants(&rule(&[""], &["pods"], &["get"], &[]), ATTACH));
        assert!(!grants(
            &rule(&["apps"], &["pods/attach"], &["get"], &[]),
            ATTACH
        ));
        assert!(!grants(&rule(&["*"], &["*"], &["*"], &["one"]), ATTACH));
    }

    #[test]
    fn missing_permissions_are_told_resource_by_resource() {
        let need = |right: Right, verb| Need { right, verb };
        let [pods, apps] = [right("", "pods", &[]), right("apps", "deployments", &[])];
        let needs = [need(pods, "get"), need(apps, "get"), need(pods, "list")];
        assert_eq!(grouped(&needs), "pods: get, list; deployments.apps: get");
    }

    #[test]
    fn a_role_has_one_rule_a_kind_with_every_verb_once() {
        let rules = rules(&to_everything());
        let of = |resource: &str| -> Vec<_> {
            let all = rules.iter();
            all.filter(|rule| rule.resources.as_deref() == Some(&[resource.to_owned()]))
                .collect()
        };
        assert_eq!(of("pods").len(), 1);
        assert_eq!(
            of("pods")[0].verbs,
            ["list", "watch", "get", "create", "delete"]
        );
        assert_eq!(
            of("cronjobs")[0].verbs,
            ["get", "list", "create", "patch", "delete"]
        );
    }
}
