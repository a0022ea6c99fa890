//! Checks that need the whole workflow: lengths of derived names, a contract at all, a queue's server.

use crate::contract::endpoints::NatsUrl;
use crate::diagnostic::{Invalid, Severity, shown};
use crate::workflow::{MAX_LABEL, Trigger, TriggerKind, WorkflowName};
use crate::yaml::{Fields, Sink, accept, string};

/// Longest name of a `CronJob`: its Jobs append eleven characters and must fit a label value (Kubernetes, `CronJob`
/// concepts).
const MAX_CRON_JOB: usize = 52;

/// Looks at what could be read, also when other parts of the file are wrong.
pub(super) fn check(
    sink: &mut Sink<'_>,
    fields: &Fields<'_>,
    name: Option<&WorkflowName>,
    triggers: &[Trigger],
) {
    if let Some(name) = name {
        derived_names(sink, fields, name, triggers);
    }
    queue_server(sink, fields, triggers);
    if fields.get("contract").is_none() {
        let problem = Invalid::new(
            "no-contract",
            "without a contract the workflow may talk to anything",
        );
        let problem =
            problem.help("add `contract: {version: \"1\"}` and the dependencies it needs");
        let place = fields
            .entries
            .first()
            .map_or(0..0, crate::yaml::Entry::key_span);
        sink.add(Severity::Warning, place, fields.spot.path, problem);
    }
}

fn derived_names(
    sink: &mut Sink<'_>,
    fields: &Fields<'_>,
    name: &WorkflowName,
    triggers: &[Trigger],
) {
    let crons = triggers
        .iter()
        .filter(|trigger| matches!(trigger.kind, TriggerKind::Cron { .. }))
        .count();
    let cron_job = match crons {
        0 => None,
        1 => Some(format!("{name}-cron")),
        several => Some(format!("{name}-cron-{}", several - 1)),
    };
    let service = ("Service", name.to_string(), MAX_LABEL);
    let derived = cron_job
        .map(|name| ("CronJob", name, MAX_CRON_JOB))
        .into_iter()
        .chain([service]);
    let too_long = derived
        .into_iter()
        .find(|(_, name, most)| name.len() > *most);
    let (Some((kind, derived, most)), Some(spot)) = (too_long, fields.get("name")) else {
        return;
    };
    let length = derived.len();
    let message = format!(
        "the {kind} `{}` would have a name of {length} characters; Kubernetes allows {most}",
        shown(&derived)
    );
    let help = format!(
        "shorten the name to {} characters",
        name.as_str().len().saturating_sub(length - most)
    );
    sink.error(spot, Invalid::new("name-too-long", message).help(help));
}

fn queue_server(sink: &mut Sink<'_>, fields: &Fields<'_>, triggers: &[Trigger]) {
    if !triggers
        .iter()
        .any(|trigger| matches!(trigger.kind, TriggerKind::Queue(_)))
    {
        return;
    }
    let config = fields.get("config").and_then(Fields::of);
    if let Some(spot) = config.as_ref().and_then(|config| config.get("nats_url")) {
        string(sink, spot).and_then(|url| accept(sink, spot, url.parse::<NatsUrl>()));
    } else if let Some(spot) = fields.get("triggers") {
        let problem = Invalid::new(
            "no-nats-url",
            "`config.nats_url` is not set: queue triggers receive nothing",
        );
        sink.warning(
            spot,
            problem.help("add `config: {nats_url: nats.example.com:4222}`"),
        );
    }
}
