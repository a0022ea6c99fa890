//! The proof that a cluster enforces network policies: a pod with two open ports, a policy that closes one of them, and
//! a pod that tries both.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Pod};
use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{labels, trigger};

/// Exit status of the client when the closed port answers.
pub const CLOSED_IS_OPEN: i32 = 40;
/// Exit status of the client when not even the open port answers.
pub const OPEN_IS_CLOSED: i32 = 41;

/// The port that the policy leaves open, and the one that it closes.
const OPEN: u16 = 8081;
const CLOSED: u16 = 8080;

/// Value of the role label of both pods.
const ROLE: &str = "probe";

/// Seconds after which the kubelet stops a pod whose maker was killed.
const DEADLINE_SECONDS: i64 = 90;

/// What the objects of a probe need to know.
#[derive(Debug, Clone, Copy)]
pub struct Probe<'a> {
    /// Where to probe.
    pub namespace: &'a str,
    /// Image with sh, nc and curl in it.
    pub image: &'a str,
    /// Makes the names unique; lower-case letters and digits.
    pub suffix: &'a str,
}

impl Probe<'_> {
    /// Lets everyone reach the server, on one port only.
    #[must_use]
    pub fn policy(&self) -> NetworkPolicy {
        let open = NetworkPolicyPort {
            port: Some(IntOrString::Int(i32::from(OPEN))),
            protocol: Some("TCP".to_owned()),
            end_port: None,
        };
        NetworkPolicy {
            metadata: self.metadata("policy"),
            spec: Some(NetworkPolicySpec {
                pod_selector: Some(LabelSelector {
                    match_labels: Some(self.labels("server")),
                    ..LabelSelector::default()
                }),
                policy_types: Some(vec!["Ingress".to_owned()]),
                ingress: Some(vec![NetworkPolicyIngressRule {
                    ports: Some(vec![open]),
                    from: None,
                }]),
                egress: None,
            }),
        }
    }

    /// Answers on both ports.
    #[must_use]
    pub fn server(&self) -> Pod {
        let answer = |port: u16| {
            format!("while true; do printf 'HTTP/1.0 200 OK\\r\\n\\r\\n' | nc -l -p {port}; done")
        };
        self.pod("server", format!("{} & {}", answer(OPEN), answer(CLOSED)))
    }

    /// Waits for the open port, then gives the policy ten seconds to close the other: some agents are late for new pods.
    #[must_use]
    pub fn client(&self, server: &str) -> Pod {
        let curl = "curl --silent --output /dev/null --connect-timeout 1 --max-time 2";
        let script = format!(
            "n=0; until {curl} http://{server}:{OPEN}/; do n=$((n+1)); [ $n -lt 10 ] || exit {OPEN_IS_CLOSED}; sleep 1; done; \
             n=0; while {curl} http://{server}:{CLOSED}/; do n=$((n+1)); [ $n -lt 10 ] || exit {CLOSED_IS_OPEN}; sleep 1; done"
        );
        self.pod("client", script)
    }

    fn pod(&self, part: &str, script: String) -> Pod {
        let container = Container {
            command: Some(vec!["sh".to_owned(), "-c".to_owned(), script]),
            args: None,
            ..trigger::container(self.image, "", trigger::Body::Stdin)
        };
        Pod {
            metadata: self.metadata(part),
            spec: Some(trigger::pod_spec(container, DEADLINE_SECONDS)),
            ..Pod::default()
        }
    }

    fn metadata(&self, part: &str) -> ObjectMeta {
        ObjectMeta {
            name: Some(format!("tentacular-probe-{part}-{}", self.suffix)),
            namespace: Some(self.namespace.to_owned()),
            labels: Some(self.labels(part)),
            ..ObjectMeta::default()
        }
    }

    fn labels(&self, part: &str) -> BTreeMap<String, String> {
        let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        BTreeMap::from([
            label(labels::ROLE, ROLE),
            label(labels::WORKFLOW, &format!("probe-{part}-{}", self.suffix)),
            label(labels::MANAGED_BY, labels::MANAGER),
        ])
    }
}
