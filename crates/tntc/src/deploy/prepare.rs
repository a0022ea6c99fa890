//! From a workflow directory to a plan: everything that is read and decided before a cluster is changed.

use std::path::Path;

use tntc_core::contract::{Endpoint, endpoints};
use tntc_core::derive::network::{Services, Surroundings};
use tntc_core::drift::{self, Drift};
use tntc_core::manifests::code::{Code, CodeError};
use tntc_core::manifests::{Inputs, Plan, PullPolicy, secret};
use tntc_core::project::WORKFLOW_FILE;
use tntc_core::settings::Settings;
use tntc_core::workflow::{
    Namespace, Overridden, OverrideError, Trigger, TriggerKind, Workflow, overridden,
};

use crate::cluster::client::connect::Target;
use crate::cluster::{Cluster, services};
use crate::context::{self, Context, Overrides};
use crate::deno::bundle;
use crate::outcome::{Error, Result};
use crate::workspace::image_record;
use crate::workspace::project::Opened;
use crate::workspace::secrets::{self, Local};
use crate::workspace::trust::{self, DirectoryImage};

/// A workflow directory, read and checked, with every setting that applies to it.
pub struct Prepared {
    /// Every setting in force.
    pub settings: Settings,
    /// Where it goes.
    pub namespace: Namespace,
    /// The workflow with the environment's overrides merged in.
    pub workflow: Workflow,
    /// The files to deliver.
    pub code: Code,
    /// Where code and contract have come apart, as far as the sources show.
    pub drift: Drift,
    /// Which build of the image is wanted, when this directory knows.
    pub image_id: Option<String>,
    /// Images that files of the directory choose.
    pub images: Vec<DirectoryImage>,
    /// Local secrets, when there are any.
    pub secrets: Option<Local>,
    /// Name of the kind cluster, when the context leads to one.
    pub kind: Option<String>,
    endpoints: Vec<Endpoint>,
    metrics_namespace: Option<Namespace>,
}

/// A workflow as an environment changes it.
pub struct InEnvironment {
    /// The workflow with the environment's overrides merged in.
    pub workflow: Workflow,
    /// The `workflow.yaml` that says the same.
    pub text: String,
    /// What is reached besides the contract's dependencies.
    pub endpoints: Vec<Endpoint>,
    /// Namespace whose pods may read `/metrics`.
    pub metrics_namespace: Option<Namespace>,
}

/// Which Deployment a plan is of.
#[derive(Debug, Clone, Copy)]
pub enum Variant<'a> {
    /// The workflow itself.
    Own,
    /// A live test under this name of its own.
    Live(&'a str),
}

/// Reads and decides; the target is returned beside, since some callers work without a cluster.
pub async fn prepare(
    dir: &Path,
    overrides: Overrides,
    context: &Context,
) -> Result<(Prepared, Result<Target>)> {
    let opened = context.open(dir)?;
    let settings = context.settings_of(&opened, overrides)?;
    let target = Target::find(&settings);
    let kind = target.as_ref().ok().and_then(|target| target.kind.clone());
    let settings = settings.on_kind(kind.as_deref());
    let changed = in_environment(&opened, &settings)?;
    deliverable(&opened, &changed)?;
    let code = code(&opened, &changed, context).await?;
    let secrets = secrets::read(dir, &settings)?;
    let secrets = secrets.map(|local| local.warned_of_unused(&changed.workflow));
    let evidence = drift::read(&changed.workflow, &opened.project, None);
    let image_id = image_record::id_of(dir, &settings.image.value);
    let prepared = Prepared {
        image_id,
        images: trust::images(
            &settings,
            &["image", "trigger_image"],
            dir,
            context.home.as_deref(),
        )?,
        drift: drift::judge(&changed.workflow, evidence),
        namespace: context::namespace(&settings)?,
        endpoints: changed.endpoints,
        metrics_namespace: changed.metrics_namespace,
        workflow: changed.workflow,
        settings,
        code,
        secrets,
        kind,
    };
    Ok((prepared, target))
}

/// Applies what an environment says about the workflow itself; without one, nothing changes.
///
/// # Errors
/// The workflow is wrong with the overrides, or a setting is no URL or no namespace.
pub fn in_environment(opened: &Opened, settings: &Settings) -> Result<InEnvironment> {
    let Overridden { workflow, text } = overridden(
        &opened.project,
        &opened.workflow,
        &settings.config_overrides,
    )
    .map_err(|cause| not_overridable(&cause))?;
    Ok(InEnvironment {
        workflow,
        text,
        endpoints: collector(settings)?,
        metrics_namespace: metrics_namespace(settings)?,
    })
}

fn not_overridable(cause: &OverrideError) -> Error {
    let OverrideError { report, text } = cause;
    let mut error = Error::failed(cause.to_string()).details(report.without_hints().render(
        WORKFLOW_FILE,
        text.as_bytes(),
        false,
    ));
    error.evidence.errors = Some(report.errors().cloned().collect());
    error.evidence.warnings = Some(report.warnings().cloned().collect());
    error
}

/// Makes sure that a deploy would not refuse the files, as far as that shows without Deno.
///
/// # Errors
/// Every reason why they do not fit a `ConfigMap`, or would not work in a pod.
pub fn deliverable(opened: &Opened, changed: &InEnvironment) -> Result<()> {
    let errors = Code::refusals(&opened.project, &changed.workflow, &changed.text);
    if errors.is_empty() {
        Ok(())
    } else {
        Err(not_deliverable(&errors))
    }
}

/// The code as a pod gets it, with bundles in place of nodes that import from outside.
///
/// # Errors
/// Something cannot be bundled, cannot run in a pod, or does not fit.
pub async fn code(opened: &Opened, changed: &InEnvironment, context: &Context) -> Result<Code> {
    // Boxed: few workflows need it, and every caller would carry its size.
    let project = Box::pin(bundle::delivered(opened, &context.printer)).await?;
    Code::collect(&project, &changed.workflow)
        .and_then(|code| code.with_workflow_file(&changed.text))
        .map_err(|errors| not_deliverable(&errors))
}

fn not_deliverable(errors: &[CodeError]) -> Error {
    let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
    Error::failed("the workflow's files cannot run in a pod as they are").cause(lines.join("\n"))
}

/// The telemetry collector is reached like a dependency.
fn collector(settings: &Settings) -> Result<Vec<Endpoint>> {
    let Some(endpoint) = &settings.otel_endpoint else {
        return Ok(Vec::new());
    };
    let parsed = endpoints::parse_url(&endpoint.value).map_err(|cause| {
        Error::usage(format!(
            "otel_endpoint `{}` (from {}): {cause}",
            endpoint.value, endpoint.origin
        ))
    })?;
    Ok(vec![parsed])
}

fn metrics_namespace(settings: &Settings) -> Result<Option<Namespace>> {
    let Some(setting) = &settings.metrics_namespace else {
        return Ok(None);
    };
    let parsed = setting.value.parse();
    parsed.map(Some).map_err(|cause| {
        Error::usage(format!(
            "metrics_namespace `{}` (from {}): {cause}",
            setting.value, setting.origin
        ))
    })
}

impl Prepared {
    /// Says what a person should know before anything happens.
    pub fn tell(&self, context: &Context) {
        if let Some(cluster) = &self.kind {
            let no_gvisor = if self.settings.runtime_class.value.is_none() {
                "no gVisor, "
            } else {
                ""
            };
            context.printer.note(format!("Detected kind cluster '{cluster}', adjusted: {no_gvisor}imagePullPolicy=IfNotPresent"));
        }
        for image in &self.images {
            image.tell(&context.printer);
        }
        for warning in self.secrets.iter().flat_map(|local| &local.warnings) {
            context.printer.warn(warning);
        }
    }

    /// Before anything is done that the directory's images would run in.
    ///
    /// # Errors
    /// As [`DirectoryImage::require`].
    pub fn require_images(&self) -> Result<()> {
        self.images.iter().try_for_each(DirectoryImage::require)
    }

    /// Decides every object.
    pub fn plan(&self, services: &Services, variant: Variant) -> Result<Plan> {
        let own = secret::name(self.workflow.name.as_str());
        let live = match variant {
            Variant::Own => None,
            Variant::Live(name) => Some(live_workflow(&self.workflow, name)?),
        };
        let files = self.secrets.as_ref().map(|local| &local.services);
        Ok(Plan::new(&Inputs {
            workflow: live.as_ref().unwrap_or(&self.workflow),
            namespace: &self.namespace,
            image: &self.settings.image.value,
            image_id: self.image_id.as_deref(),
            runtime_class: self.settings.runtime_class.value.as_deref(),
            pull_policy: if self.kind.is_some() {
                PullPolicy::IfNotPresent
            } else {
                PullPolicy::Always
            },
            trigger_image: self.settings.trigger_image.value.as_str(),
            code: &self.code,
            secrets: files,
            existing_secret: (live.is_some() && files.is_none()).then_some(own.as_str()),
            otel_endpoint: self
                .settings
                .otel_endpoint
                .as_ref()
                .map(|endpoint| endpoint.value.as_str()),
            http_only: live.is_some(),
            surroundings: Surroundings {
                services,
                metrics_namespace: self.metrics_namespace.as_ref(),
                endpoints: &self.endpoints,
            },
        }))
    }

    /// Decides every object, with the Services that the contract names as the cluster has them.
    pub async fn plan_on(&self, cluster: &Cluster, variant: Variant<'_>) -> Result<Plan> {
        let services =
            services::read(cluster, &self.namespace, &self.workflow, &self.endpoints).await;
        self.plan(&services, variant)
    }
}

/// The workflow under another name, with one replica and nothing that starts it by itself.
fn live_workflow(workflow: &Workflow, name: &str) -> Result<Workflow> {
    let mut live = workflow.clone();
    live.name = name.parse().map_err(|cause| {
        Error::failed(format!("a live test cannot be called `{name}`: {cause}"))
    })?;
    live.deployment.replicas = None;
    live.triggers = vec![Trigger {
        name: None,
        kind: TriggerKind::Manual,
        extensions: serde_json::Map::new(),
    }];
    Ok(live)
}
