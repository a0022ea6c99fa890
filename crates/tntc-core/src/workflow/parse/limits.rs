//! Checks that need the whole workflow: lengths of derived names, a contract at all, a queue's server.

use crate::contract::endpoints::NatsUrl;
use crate::diagnostic::{Invalid, Severity, Sink};
use crate::workflow::{MAX_LABEL, TriggerKind, Workflow};
use crate::yaml::{Fields, accept, string};

/// Longest name of a `CronJob`: its Jobs append eleven characters and must fit a label value (Kubernetes, `CronJob`
/// concepts).
const MAX_CRON_JOB: usize = 52;

pub(super) fn check(sink: &mut Sink<'_>, fields: &Fields<'_>, workflow: &Workflow) {
    derived_names(sink, fields, workflow);
    queue_server(sink, fields, workflow);
    if workflow.contract.is_none() {
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

fn derived_names(sink: &mut Sink<'_>, fields: &Fields<'_>, workflow: &Workflow) {
    let name = &workflow.name;
    let service = ("Service", name.to_string(), MAX_LABEL);
    let crons = workflow.crons().count();
    let cron_job = match crons {
        0 => None,
        1 => Some(("CronJob", format!("{name}-cron"), MAX_CRON_JOB)),
        several => Some((
            "CronJob",
            format!("{name}-cron-{}", several - 1),
            MAX_CRON_JOB,
        )),
    };
    let too_long = std::iter::once(service)
        .chain(cron_job)
        .find(|(_, name, most)| name.len() > *most);
    let (Some((kind, derived, most)), Some(spot)) = (too_long, fields.get("name")) else {
        return;
    };
    let shorter = name.as_str().len() - (derived.len() - most);
    let message = format!(
        "the {kind} `{derived}` would have a name of {} characters; Kubernetes allows {most}",
        derived.len()
    );
    sink.error(
        spot,
        Invalid::new("name-too-long", message)
            .help(format!("shorten the name to {shorter} characters")),
    );
}

fn queue_server(sink: &mut Sink<'_>, fields: &Fields<'_>, workflow: &Workflow) {
    let has_queue = workflow
        .triggers
        .iter()
        .any(|trigger| matches!(trigger.kind, TriggerKind::Queue(_)));
    if !has_queue {
        return;
    }
    let config = fields
        .get("config")
        .and_then(|spot| Fields::open(sink, spot));
    let url = config.as_ref().and_then(|config| config.get("nats_url"));
    match (url, fields.get("triggers")) {
        (Some(spot), _) => {
            string(sink, spot).and_then(|url| accept(sink, spot, url.parse::<NatsUrl>()));
        }
        (None, Some(spot)) => {
            let problem = Invalid::new(
                "no-nats-url",
                "queue triggers wait for messages of no server",
            );
            sink.warning(
                spot,
                problem.help("add `config: {nats_url: nats.example.com:4222}`"),
            );
        }
        (None, None) => {}
    }
}
