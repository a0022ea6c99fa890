//! The Deployment: the engine in a hardened pod, with the derived Deno flags.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec};
use k8s_openapi::api::core::v1::{
    Container, ContainerPort, EmptyDirVolumeSource, EnvVar, HTTPGetAction, PodSpec,
    PodTemplateSpec, Probe, ResourceRequirements, SecretVolumeSource, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{Inputs, PORT, annotated, config_map, labels, restricted, secret};
use crate::derive::network::{self, Listener};
use crate::derive::permissions;
use crate::workflow::graph;

/// Name of the engine's container.
pub const CONTAINER: &str = "engine";
/// Where the workflow's files are mounted.
pub const WORKFLOW_DIR: &str = "/app/workflow";
/// Where the Secret is mounted.
pub const SECRETS_DIR: &str = "/app/secrets";

pub(super) fn build(inputs: &Inputs) -> Deployment {
    let workflow = inputs.workflow;
    Deployment {
        metadata: annotated(inputs, workflow.name.to_string(), image_tag(inputs)),
        spec: Some(DeploymentSpec {
            // Sent only when the workflow asks for a number: otherwise `kubectl scale` and autoscalers own it.
            replicas: workflow
                .deployment
                .replicas
                .map(|count| i32::try_from(count).unwrap_or(i32::MAX)),
            selector: LabelSelector {
                match_labels: Some(labels::selector(workflow)),
                ..LabelSelector::default()
            },
            template: template(inputs),
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    }
}

/// On the Deployment and not on its pods, which another tag of the same image must not restart.
fn image_tag(inputs: &Inputs) -> Option<(&'static str, String)> {
    let tag = inputs.image.tag_beside_digest()?;
    Some((labels::IMAGE_TAG, tag.to_owned()))
}

fn template(inputs: &Inputs) -> PodTemplateSpec {
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(labels::object(inputs.workflow)),
            annotations: Some(revision_annotations(inputs)),
            ..ObjectMeta::default()
        }),
        spec: Some(pod_spec(inputs)),
    }
}

/// A changed hash is what makes Kubernetes replace the pods; an unchanged one keeps them.
fn revision_annotations(inputs: &Inputs) -> BTreeMap<String, String> {
    let mut annotations = BTreeMap::from([(labels::CODE_HASH.to_owned(), inputs.code.hash())]);
    if let Some(id) = inputs.image_id {
        annotations.insert(labels::IMAGE_ID.to_owned(), id.to_owned());
    }
    annotations
}

fn pod_spec(inputs: &Inputs) -> PodSpec {
    let account = inputs.workflow.deployment.service_account.as_ref();
    PodSpec {
        automount_service_account_token: Some(account.is_some()),
        service_account_name: account.map(ToString::to_string),
        enable_service_links: Some(false),
        runtime_class_name: inputs.runtime_class.map(str::to_owned),
        termination_grace_period_seconds: Some(grace_seconds(inputs)),
        security_context: Some(restricted::pod_security()),
        containers: vec![container(inputs)],
        volumes: Some(volumes(inputs)),
        ..PodSpec::default()
    }
}

/// Twenty days: timers of JavaScript count milliseconds in 31 bits, so an engine can wait for no more than 24.8.
const MAX_GRACE_SECONDS: i64 = 20 * 24 * 60 * 60;

/// Whole seconds, rounded up, that runs in flight may take to finish after SIGTERM. Nobody but its own caller waits for
/// a live test's.
pub(super) fn grace_seconds(inputs: &Inputs) -> i64 {
    if inputs.http_only {
        return 1;
    }
    let grace = graph::grace_period(inputs.workflow);
    let seconds = grace.as_secs() + u64::from(grace.subsec_nanos() > 0);
    i64::try_from(seconds)
        .unwrap_or(MAX_GRACE_SECONDS)
        .min(MAX_GRACE_SECONDS)
}

fn container(inputs: &Inputs) -> Container {
    let (command, args) = command_line(inputs);
    Container {
        name: CONTAINER.to_owned(),
        image: Some(inputs.image.pinned()),
        image_pull_policy: Some(inputs.pull_policy.as_str().to_owned()),
        command,
        args: Some(args),
        env: Some(environment(inputs)),
        ports: Some(listeners(inputs).map(container_port).collect()),
        liveness_probe: Some(liveness()),
        readiness_probe: Some(readiness()),
        resources: Some(resources()),
        security_context: Some(restricted::container_security()),
        volume_mounts: Some(mounts()),
        ..Container::default()
    }
}

/// The ports that the engine listens on.
pub(super) fn listeners(inputs: &Inputs) -> impl Iterator<Item = Listener> {
    network::listeners(inputs.workflow, inputs.surroundings.metrics_namespace).into_iter()
}

fn container_port(listener: Listener) -> ContainerPort {
    ContainerPort {
        name: Some(listener.name().to_owned()),
        container_port: i32::from(listener.port().get()),
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    }
}

/// With a contract, the image's broad entrypoint is replaced by one with exactly the derived permissions. Without one,
/// the image's own entrypoint stands, which already names the workflow and the port; the rest is appended to it.
fn command_line(inputs: &Inputs) -> (Option<Vec<String>>, Vec<String>) {
    let Some(flags) = permissions::deno_flags(
        inputs.workflow,
        inputs.surroundings.endpoints,
        inputs.surroundings.metrics_namespace,
    ) else {
        return (None, identity(inputs));
    };
    let workflow_file = format!("{WORKFLOW_DIR}/{}", crate::project::WORKFLOW_FILE);
    let port = PORT.to_string();
    let mut args = vec!["run".to_owned()];
    args.extend(flags);
    args.extend(
        [
            "engine/main.ts",
            "--workflow",
            &workflow_file,
            "--port",
            &port,
        ]
        .map(str::to_owned),
    );
    args.extend(identity(inputs));
    (Some(vec!["deno".to_owned()]), args)
}

/// Which workflow this engine is, which code it runs, how long it may take to stop, and where it takes notes.
fn identity(inputs: &Inputs) -> Vec<String> {
    let instance = format!("{}/{}", inputs.namespace, inputs.workflow.name);
    let grace = format!("{}s", grace_seconds(inputs));
    let revision = inputs.code.hash();
    let always = [
        "--instance",
        &instance,
        "--revision",
        &revision,
        "--grace",
        &grace,
        "--journal",
        permissions::JOURNAL_DIR,
    ];
    let http_only: &[&str] = if inputs.http_only {
        &["--triggers", "http"]
    } else {
        &[]
    };
    let port = Listener::Metrics.port().to_string();
    let metrics = ["--metrics-port", port.as_str()];
    let metrics = inputs.surroundings.metrics_namespace.map(|_| metrics);
    always
        .iter()
        .chain(http_only)
        .chain(metrics.iter().flatten())
        .map(|&word| word.to_owned())
        .collect()
}

fn environment(inputs: &Inputs) -> Vec<EnvVar> {
    let mut variables = vec![certificate_stores(), variable(V8_FLAGS, &pod_v8_flags())];
    if let Some(endpoint) = inputs.otel_endpoint {
        variables.push(variable("OTEL_DENO", "true"));
        variables.push(variable("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint));
        variables.push(variable("OTEL_SERVICE_NAME", inputs.workflow.name.as_str()));
    }
    variables
}

/// Memory of the engine's container in MiB, at most.
const MEMORY_LIMIT_MIB: u32 = 256;

fn resources() -> ResourceRequirements {
    let memory = format!("{MEMORY_LIMIT_MIB}Mi");
    restricted::resources(
        &[
            ("memory", "64Mi"),
            ("cpu", "100m"),
            ("ephemeral-storage", "64Mi"),
        ],
        // What nodes write goes to /tmp, which is limited by itself, and the log.
        &[
            ("memory", &memory),
            ("cpu", "500m"),
            ("ephemeral-storage", "1Gi"),
        ],
    )
}

/// V8's flags for an engine that may use `mib` of memory.
///
/// By itself V8 looks at the machine's memory and lets garbage grow beyond what the container may have. Five eighths:
/// in 256 MiB an engine needs 45 for itself, and the bodies that it reads lie beside the heap (measured; with more, two
/// bodies of 8 MiB one after the other ended a pod).
#[must_use]
pub fn v8_flags(mib: u32) -> String {
    format!("--max-heap-size={}", u64::from(mib) * 5 / 8)
}

/// The variable in which Deno looks for V8's flags; it needs no permission for that.
pub const V8_FLAGS: &str = "DENO_V8_FLAGS";

/// The flags of an engine with a pod's memory.
#[must_use]
pub fn pod_v8_flags() -> String {
    v8_flags(MEMORY_LIMIT_MIB)
}

fn variable(name: &str, value: &str) -> EnvVar {
    EnvVar {
        name: name.to_owned(),
        value: Some(value.to_owned()),
        value_from: None,
    }
}

/// Deno trusts only Mozilla's list by default; a private CA lives in the system's store. Deno reads this variable
/// itself, so the workflow needs no permission for it.
fn certificate_stores() -> EnvVar {
    variable("DENO_TLS_CA_STORE", "system,mozilla")
}

fn liveness() -> Probe {
    Probe {
        initial_delay_seconds: Some(5),
        period_seconds: Some(10),
        timeout_seconds: Some(5),
        failure_threshold: Some(6),
        // The pod's own grace period is for runs, and an engine that does not answer finishes none.
        termination_grace_period_seconds: Some(5),
        ..health_probe()
    }
}

/// No delay and a period of one second: a healthy pod is Ready seconds sooner.
fn readiness() -> Probe {
    Probe {
        period_seconds: Some(1),
        ..health_probe()
    }
}

fn health_probe() -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some("/health".to_owned()),
            port: IntOrString::Int(i32::from(PORT)),
            ..HTTPGetAction::default()
        }),
        ..Probe::default()
    }
}

fn secret_name(inputs: &Inputs) -> String {
    let own = || secret::name(inputs.workflow.name.as_str());
    inputs.existing_secret.map_or_else(own, str::to_owned)
}

fn mounts() -> Vec<VolumeMount> {
    let mount = |name: &str, path: &str, read_only: bool| VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        read_only: read_only.then_some(true),
        ..VolumeMount::default()
    };
    vec![
        mount("code", WORKFLOW_DIR, true),
        mount("secrets", SECRETS_DIR, true),
        mount("tmp", "/tmp", false),
    ]
}

fn volumes(inputs: &Inputs) -> Vec<Volume> {
    let volume = |name: &str| Volume {
        name: name.to_owned(),
        ..Volume::default()
    };
    vec![
        Volume {
            config_map: Some(config_map::volume(inputs)),
            ..volume("code")
        },
        Volume {
            secret: Some(SecretVolumeSource {
                secret_name: Some(secret_name(inputs)),
                optional: Some(true),
                ..SecretVolumeSource::default()
            }),
            ..volume("secrets")
        },
        Volume {
            empty_dir: Some(EmptyDirVolumeSource {
                size_limit: Some(Quantity("512Mi".to_owned())),
                ..EmptyDirVolumeSource::default()
            }),
            ..volume("tmp")
        },
    ]
}
