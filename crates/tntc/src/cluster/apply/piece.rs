//! One object of a plan on its way to the cluster: looked at first, since server-side apply would merge into somebody
//! else's object of the same name without a word.

use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams, ValidationDirective};
use kube::{Resource, ResourceExt};
use serde::Serialize;
use serde_json::{Value, json};
use tntc_core::manifests::apply_body::apply_body;
use tntc_core::manifests::in_force::is_in_force;
use tntc_core::manifests::{labels, ownership};

use crate::cluster::Cluster;
use crate::cluster::client::errors;
use crate::cluster::objects::is_ours;
use crate::outcome::followup::Followup;
use crate::outcome::{Error, Result};

/// The name under which the API server books our fields.
pub const FIELD_MANAGER: &str = "tntc";

/// Pause between looks at an object that is still being deleted.
const TERMINATING_PAUSE: Duration = Duration::from_millis(200);
/// How often an object that is still being deleted is looked at: 60 s in all, twice the default grace of a pod.
const TERMINATING_LOOKS: u32 = 300;

/// How objects are sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Take back fields that another manager has taken over.
    pub force_conflicts: bool,
}

/// One object of a plan.
pub struct Piece {
    followup: Followup,
    api: Api<DynamicObject>,
    kind: String,
    namespace: String,
    name: String,
    wanted: Value,
}

impl Piece {
    /// The object as it is wanted.
    pub fn of<K>(cluster: &Cluster, wanted: &K) -> Self
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Serialize,
    {
        let namespace = wanted.meta().namespace.clone().unwrap_or_default();
        let resource = ApiResource::erase::<K>(&());
        Self {
            followup: cluster.followup.clone(),
            api: Api::namespaced_with(cluster.client.clone(), &namespace, &resource),
            kind: resource.kind,
            namespace,
            name: wanted.meta().name.clone().unwrap_or_default(),
            wanted: json!(wanted),
        }
    }

    /// `Kind/name`.
    pub fn what(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }

    /// Whether pods mount it or are reached through it; it then goes before the objects that make pods.
    pub fn is_needed_by_pods(&self) -> bool {
        !matches!(self.kind.as_str(), "Deployment" | "CronJob")
    }

    /// What is there of that name; an object that is being deleted is waited for.
    ///
    /// # Errors
    /// It is somebody else's.
    pub async fn look(&self) -> Result<Option<DynamicObject>> {
        for _ in 0..TERMINATING_LOOKS {
            let found = self.api.get_opt(&self.name).await;
            let found =
                found.map_err(|cause| errors::tell(&format!("reading {}", self.what()), cause))?;
            match found {
                Some(found) if !is_ours(&found) => return Err(self.not_ours()),
                Some(found) if is_terminating(&found) => {
                    tokio::time::sleep(TERMINATING_PAUSE).await;
                }
                found => return Ok(found),
            }
        }
        Err(self.still_there())
    }

    /// Makes ours what `kubectl apply` has sent of it, and with `--force-conflicts` what anybody has: without that, each
    /// later deploy would meet the same conflict again, and what was added would stay.
    pub async fn adopt(
        &self,
        live: Option<DynamicObject>,
        options: Options,
    ) -> Result<Option<DynamicObject>> {
        let Some(live) = live else {
            return Ok(None);
        };
        let fields = ownership::adopted(&json!(live), FIELD_MANAGER, options.force_conflicts);
        let Some(fields) = fields else {
            return Ok(Some(live));
        };
        let version = live.resource_version();
        let patch = json!({"metadata": {"managedFields": fields, "resourceVersion": version}});
        let patch = Patch::Merge(&patch);
        match self
            .api
            .patch(&self.name, &PatchParams::default(), &patch)
            .await
        {
            Ok(after) => Ok(Some(after)),
            // Somebody was faster; applying meets what they did.
            Err(cause) if errors::was_modified(&cause) => Ok(Some(live)),
            Err(cause) => Err(self.refused(cause)),
        }
    }

    /// Whether sending it would change nothing.
    pub fn is_in_force(&self, live: Option<&DynamicObject>) -> bool {
        live.is_some_and(|live| is_in_force(&self.wanted, &json!(live), FIELD_MANAGER))
    }

    /// Asks the server what it would say, and changes nothing.
    ///
    /// # Errors
    /// What sending it would fail with: a conflict, a quota, or what admission refuses.
    pub async fn rehearse(&self, options: Options) -> Result<()> {
        let parameters = PatchParams {
            dry_run: true,
            ..parameters(options)
        };
        match self.patch(&parameters, None).await {
            Ok(_) => Ok(()),
            Err(cause) if errors::cannot_be_rehearsed(&cause) => Ok(()),
            Err(cause) => Err(self.refused(cause)),
        }
    }

    /// Sends it onto what was looked at; when that has changed since, it is looked at again.
    pub async fn send(
        &self,
        mut live: Option<DynamicObject>,
        options: Options,
    ) -> Result<DynamicObject> {
        for _ in 0..TERMINATING_LOOKS {
            let version = live.as_ref().and_then(ResourceExt::resource_version);
            match self.patch(&parameters(options), version).await {
                Ok(after) if !is_terminating(&after) => return Ok(after),
                // The object was being deleted when it was sent, and is about to vanish with what was sent.
                Ok(_) => {}
                Err(cause) if errors::was_modified(&cause) => {}
                Err(cause) => return Err(self.refused(cause)),
            }
            live = self.look().await?;
        }
        Err(self.still_there())
    }

    /// With the resource version that was looked at, so that nobody can slip in between.
    async fn patch(
        &self,
        parameters: &PatchParams,
        version: Option<String>,
    ) -> kube::Result<DynamicObject> {
        let mut wanted = self.wanted.clone();
        if let Some(version) = version {
            wanted["metadata"]["resourceVersion"] = json!(version);
        }
        let body = apply_body(&wanted).map_err(kube::Error::SerdeError)?;
        self.api
            .patch(&self.name, parameters, &Patch::Apply(&body))
            .await
    }

    fn refused(&self, cause: kube::Error) -> Error {
        let is_conflict = matches!(&cause, kube::Error::Api(status) if status.code == 409);
        let error = errors::tell(&format!("applying {}", self.what()), cause);
        if is_conflict {
            error.hint(
                "field manager conflict: another manager owns these fields; --force-conflicts takes them back",
            )
        } else {
            error
        }
    }

    fn still_there(&self) -> Error {
        Error::failed(format!("{} is still being deleted", self.what()))
            .hint("wait until it is gone, then deploy again")
    }

    fn not_ours(&self) -> Error {
        let (kind, name, namespace) = (self.kind.to_lowercase(), &self.name, &self.namespace);
        let what = self.what();
        let label = format!("{}={}", labels::MANAGED_BY, labels::MANAGER);
        let delete = format!("delete {kind} {name} -n {namespace}");
        let delete = self.followup.kubectl(delete);
        let hand_over = format!("label {kind} {name} -n {namespace} {label}");
        let hand_over = self.followup.kubectl(hand_over);
        Error::failed(format!("{what} in namespace {namespace} exists and is not managed by tentacular; nothing was changed"))
            .hint(format!("rename the workflow, or delete the other object: {delete}"))
            .hint(format!("or hand it over: {hand_over}"))
    }
}

fn parameters(options: Options) -> PatchParams {
    PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        field_validation: Some(ValidationDirective::Strict),
        force: options.force_conflicts,
        ..PatchParams::default()
    }
}

fn is_terminating<K: Resource>(object: &K) -> bool {
    object.meta().deletion_timestamp.is_some()
}
