//! What an engine reports to have loaded, beside what the cluster holds for it.
//!
//! A ConfigMap that is put back after a pod has started with another content leaves that pod with the other content, and
//! no field of any object shows it. The engine therefore hashes what it loads, by the rule of this crate, and says so in
//! the first line of its log.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret, Volume};

use super::{code, secret};

/// How the line of the engine's log begins that carries its report (`engine/edge/boot.ts`).
const REPORT: &str = "[engine] INFO loading ";

/// Hashes of what an engine has loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Of the workflow's files.
    pub revision: String,
    /// Of the Secret, as [`secret::report`] gives it.
    pub secrets: String,
}

impl Loaded {
    /// Finds the report in the beginning of a log; nothing when it is not there.
    #[must_use]
    pub fn parse(log: &str) -> Option<Self> {
        let report = log.lines().find_map(|line| line.strip_prefix(REPORT))?;
        let value = |name: &str| {
            let mut words = report.split(' ');
            words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
        };
        Some(Self {
            revision: value("revision")?.to_owned(),
            secrets: value("secrets")?.to_owned(),
        })
    }
}

/// Something that a pod has loaded and that the cluster holds otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The files of the ConfigMap.
    Code,
    /// The Secret.
    Secrets,
}

impl Difference {
    /// What differs, in words.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Secrets => "secrets",
        }
    }
}

/// What the cluster holds for a workflow's pods.
#[derive(Debug, Clone, Default)]
pub struct Held {
    /// `<name>-code`
    pub config_map: Option<ConfigMap>,
    /// The mounted Secret: `Some(None)` when there is none, `None` when it could not be read.
    pub secret: Option<Option<Secret>>,
}

impl Held {
    /// Everything in which a pod's report differs from what it would load now. What cannot be computed is no difference.
    #[must_use]
    pub fn differences(&self, pod: &Pod, loaded: &Loaded) -> Vec<Difference> {
        let code = self.revision(pod);
        let secrets = self.secret.as_ref().map(|secret| {
            let data = secret.as_ref().map(secret::data).unwrap_or_default();
            secret::report(&data)
        });
        let differs = |held: Option<String>, loaded: &str| held.is_some_and(|held| held != loaded);
        let code = differs(code, &loaded.revision).then_some(Difference::Code);
        let secrets = differs(secrets, &loaded.secrets).then_some(Difference::Secrets);
        code.into_iter().chain(secrets).collect()
    }

    /// Hash of the files that the pod's volume takes out of the ConfigMap.
    fn revision(&self, pod: &Pod) -> Option<String> {
        let contents = code::contents(self.config_map.as_ref()?);
        let items = volumes(pod).find_map(|volume| volume.config_map.as_ref()?.items.as_ref())?;
        let files: Option<BTreeMap<_, _>> = items
            .iter()
            .map(|item| Some((item.path.clone(), contents.get(&item.key)?.clone())))
            .collect();
        Some(code::hash(&files?))
    }
}

fn volumes(pod: &Pod) -> impl Iterator<Item = &Volume> {
    let volumes = pod.spec.as_ref().and_then(|spec| spec.volumes.as_ref());
    volumes.into_iter().flatten()
}

/// Name of the Secret that a pod mounts.
#[must_use]
pub fn mounted_secret(pod: &Pod) -> Option<&str> {
    volumes(pod).find_map(|volume| volume.secret.as_ref()?.secret_name.as_deref())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn held(code: &str, secret: Option<&serde_json::Value>) -> Held {
        let config_map =
            json!({"data": {"workflow.yaml": "name: w\n", "nodes__a.ts": code, "old": ""}});
        Held {
            config_map: Some(serde_json::from_value(config_map).expect("a ConfigMap")),
            secret: Some(
                secret
                    .map(|data| serde_json::from_value(json!({ "data": data })).expect("a Secret")),
            ),
        }
    }

    fn pod() -> Pod {
        let items = json!([
            {"key": "workflow.yaml", "path": "workflow.yaml"},
            {"key": "nodes__a.ts", "path": "nodes/a.ts"},
        ]);
        let volumes = json!([
            {"name": "code", "configMap": {"name": "w-code", "items": items}},
            {"name": "secrets", "secret": {"secretName": "w-secrets"}},
        ]);
        serde_json::from_value(json!({"spec": {"containers": [], "volumes": volumes}}))
            .expect("a pod")
    }

    fn loaded(secrets: &str) -> Loaded {
        // The same value stands in the engine's tests: engine/core/revision_test.ts.
        let line = "[engine] INFO loading revision=577d24dd69490500 secrets=";
        let log = format!("Warning of Deno's\n{line}{secrets}\n[engine] INFO listening\n");
        Loaded::parse(&log).expect("a report")
    }

    #[test]
    fn a_report_is_found_in_the_beginning_of_a_log() {
        assert_eq!(loaded("none").revision, "577d24dd69490500");
        assert_eq!(loaded("none").secrets, "none");
        assert_eq!(
            Loaded::parse("[a] INFO [engine] INFO loading revision=1"),
            None
        );
    }

    #[test]
    fn what_is_held_as_it_was_loaded_differs_in_nothing() {
        assert_eq!(held("ä", None).differences(&pod(), &loaded("none")), []);
        assert_eq!(mounted_secret(&pod()), Some("w-secrets"));
    }

    #[test]
    fn other_code_differs_and_missing_code_cannot_be_compared() {
        let other = held("b", None).differences(&pod(), &loaded("none"));
        assert_eq!(other, [Difference::Code]);
        let mut missing = held("ä", None);
        missing.config_map = None;
        assert_eq!(missing.differences(&pod(), &loaded("none")), []);
    }

    #[test]
    fn secrets_are_compared_as_far_as_they_have_a_salt() {
        let differences = |data: serde_json::Value, secrets: &str| {
            held("ä", Some(&data)).differences(&pod(), &loaded(secrets))
        };
        let by_hand = json!({"github": "eA=="});
        assert_eq!(differences(by_hand.clone(), "unsalted"), []);
        assert_eq!(differences(by_hand, "none"), [Difference::Secrets]);
        let salted = |value: &str| json!({"github": value, ".tentacular-salt": "c2FsdA=="});
        let of = |value: &str| {
            let data: Secret =
                serde_json::from_value(json!({"data": salted(value)})).expect("data");
            secret::report(&secret::data(&data))
        };
        assert_eq!(differences(salted("eA=="), &of("eA==")), []);
        assert_eq!(
            differences(salted("eA=="), &of("eQ==")),
            [Difference::Secrets]
        );
        assert_eq!(differences(json!({}), &of("eA==")), [Difference::Secrets]);
        let unread = Held {
            secret: None,
            ..held("ä", None)
        };
        assert_eq!(unread.differences(&pod(), &loaded("none")), []);
    }
}
