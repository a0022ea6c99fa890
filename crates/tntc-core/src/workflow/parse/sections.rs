//! The `config` and `deployment` sections.

use super::nodes::{retries, timeout};
use super::refused;
use crate::workflow::{Config, Deployment};
use crate::yaml::{Fields, Sink, Spot, integer, json_map, parsed};

pub(super) fn config(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<Config> {
    let fields = Fields::open(sink, spot)?;
    let timeout = fields.optional(sink, "timeout", timeout);
    let retries = fields.optional(sink, "retries", retries);
    Some(Config {
        values: json_map(sink, spot)?,
        timeout,
        retries,
    })
}

/// Largest number of replicas: Kubernetes counts them in a signed 32-bit integer.
const MAX_REPLICAS: u32 = i32::MAX.unsigned_abs();

pub(super) fn deployment(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<Deployment> {
    let fields = Fields::open(sink, spot)?;
    let known = ["namespace", "serviceAccount", "replicas", refused::SIDECARS];
    let extensions = fields.extensions(sink, &known);
    refused::sidecars(sink, &fields);
    let namespace = fields.optional(sink, "namespace", parsed);
    let service_account = fields.optional(sink, "serviceAccount", parsed);
    let replicas = fields.optional(sink, "replicas", |sink, spot| {
        integer(sink, spot, 0, MAX_REPLICAS)
    });
    Some(Deployment {
        namespace,
        service_account,
        replicas,
        extensions,
    })
}
