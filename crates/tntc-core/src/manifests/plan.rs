//! Every object of one workflow.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use serde_json::{Value, json};

use super::{
    Inputs, config_map, cron_job, deployment, labels, network_policy, secret, service,
    template_annotations,
};
use crate::contract::SecretRef;
use crate::derive::network;
use crate::derive::secrets::{self, Need};

/// Every object of one workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// `<name>-secrets`, when there are local secrets.
    pub secret: Option<Secret>,
    /// `<name>-code`.
    pub config_map: ConfigMap,
    /// `<name>-netpol`, when there is a contract.
    pub network_policy: Option<NetworkPolicy>,
    /// `<name>-trigger-netpol`, when there is a contract.
    pub trigger_policy: Option<NetworkPolicy>,
    /// `<name>`.
    pub service: Service,
    /// `<name>`.
    pub deployment: Deployment,
    /// `<name>-cron`, or `<name>-cron-0` and so on.
    pub cron_jobs: Vec<CronJob>,
    /// The secrets that the workflow reads, and how much depends on each.
    pub secret_needs: BTreeMap<SecretRef, Need>,
    /// What could not be derived exactly.
    pub warnings: Vec<network::Warning>,
    /// What the policy's rule for the Internet is for.
    pub outside: network::Outside,
}

impl Plan {
    /// Decides every object.
    #[must_use]
    pub fn new(inputs: &Inputs) -> Self {
        let policy = network::policy(inputs.workflow, &inputs.surroundings);
        let (spec, warnings) = policy.map(|policy| (policy.spec, policy.warnings)).unzip();
        Self {
            secret: inputs.secrets.map(|files| secret::build(inputs, files)),
            config_map: config_map::build(inputs),
            network_policy: spec.map(|spec| network_policy::build(inputs, spec)),
            trigger_policy: network::trigger_policy(inputs.workflow)
                .map(|spec| network_policy::build_trigger(inputs, spec)),
            service: service::build(inputs),
            deployment: deployment::build(inputs),
            cron_jobs: if inputs.http_only {
                Vec::new()
            } else {
                cron_job::build_all(inputs)
            },
            secret_needs: secrets::needs(inputs.workflow),
            warnings: warnings.unwrap_or_default(),
            outside: network::outside(inputs.workflow, &inputs.surroundings),
        }
    }

    /// Gives the Secret its salt, and Secret and pod template the hash of both together.
    ///
    /// The pods restart when the salt changes, too, as after a Secret that was deleted and made anew.
    pub fn salt(&mut self, salt: Vec<u8>) {
        let Some(own) = &mut self.secret else {
            return;
        };
        let values = own.data.get_or_insert_default();
        values.insert(secret::SALT.to_owned(), ByteString(salt));
        let hash = secret::report(&secret::data(own));
        let annotations = own.metadata.annotations.get_or_insert_default();
        annotations.insert(labels::SECRETS_HASH.to_owned(), hash.clone());
        if let Some(template) = template_annotations(&mut self.deployment) {
            template.insert(labels::SECRETS_HASH.to_owned(), hash);
        }
    }

    /// The network policies, that of the engine's pod first.
    pub fn policies(&self) -> impl Iterator<Item = &NetworkPolicy> {
        self.network_policy.iter().chain(&self.trigger_policy)
    }

    /// The objects in the order in which they are applied, as JSON values with `apiVersion` and `kind`.
    #[must_use]
    pub fn objects(&self) -> Vec<Value> {
        let mut objects: Vec<Value> = Vec::new();
        objects.extend(self.secret.as_ref().map(|object| json!(object)));
        objects.push(json!(self.config_map));
        objects.extend(self.policies().map(|object| json!(object)));
        objects.push(json!(self.service));
        objects.push(json!(self.deployment));
        objects.extend(self.cron_jobs.iter().map(|object| json!(object)));
        objects
    }

    /// The objects as [`Self::objects`] gives them, without the Secret: fit to be printed, and to be applied by others.
    #[must_use]
    pub fn without_secret(&self) -> Vec<Value> {
        let objects = self.objects().into_iter();
        objects
            .filter(|object| object["kind"] != "Secret")
            .collect()
    }
}
