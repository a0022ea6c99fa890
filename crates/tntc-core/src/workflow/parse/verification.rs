//! `verify` of a webhook trigger.

use std::time::Duration;

use crate::diagnostic::{Invalid, shown};
use crate::workflow::{
    Algorithm, BEARER, Convention, Encoding, MAX_TOLERANCE, Scheme, Verification, format_duration,
};
use crate::yaml::{Fields, Sink, Spot, Value, parsed, string};

const HMAC_KEYS: &[&str] = &["hmac", "secret", "header", "prefix", "encoding"];
const TIMED_KEYS: &[&str] = &["type", "secret", "tolerance"];
const BEARER_KEYS: &[&str] = &["type", "secret", "header"];
/// Keys of every scheme.
const ALL_KEYS: &[&str] = &[
    "hmac",
    "type",
    "secret",
    "header",
    "prefix",
    "encoding",
    "tolerance",
];

pub(super) fn read(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<Verification> {
    if let Some(name) = text(spot) {
        sink.error(spot, bare(name));
        return None;
    }
    let fields = Fields::open(sink, spot)?;
    let extensions = fields.extensions(sink, keys(&fields));
    let scheme = scheme(sink, &fields);
    let secret = fields.required(sink, "secret", "<service>.<key>", parsed);
    Some(Verification {
        scheme: scheme?,
        secret: secret?,
        extensions,
    })
}

fn text(spot: Spot<'_>) -> Option<&str> {
    match &spot.node.value {
        Value::Scalar(scalar) => Some(&scalar.text),
        _ => None,
    }
}

/// For a scheme alone, as in `verify: stripe`.
fn bare(name: &str) -> Invalid {
    let secret = match name {
        "stripe" => "stripe.webhook_secret",
        "slack" => "slack.signing_secret",
        _ => "<service>.<key>",
    };
    let scheme = if types().contains(&name) {
        format!("type: {name}")
    } else {
        "hmac: sha256, header: X-Signature".to_owned()
    };
    Invalid::new("verification", "`verify` has to name a secret")
        .help(format!("write `verify: {{{scheme}, secret: {secret}}}`"))
}

fn keys(fields: &Fields<'_>) -> &'static [&'static str] {
    let kind = fields.get("type").and_then(text);
    match (fields.get("hmac").is_some(), kind) {
        (true, None) => HMAC_KEYS,
        (false, Some(BEARER)) => BEARER_KEYS,
        (false, Some(name)) if Convention::of(name).is_some() => TIMED_KEYS,
        _ => ALL_KEYS,
    }
}

fn scheme(sink: &mut Sink<'_>, fields: &Fields<'_>) -> Option<Scheme> {
    match (fields.get("hmac"), fields.get("type")) {
        (Some(_), Some(spot)) => {
            let problem = Invalid::new("verification", "`verify` has either `hmac` or `type`");
            sink.error(spot, problem.help("remove one of them"));
            None
        }
        (None, None) => {
            let problem = Invalid::new("missing-key", "`verify` does not say how to verify");
            let help = format!(
                "add `hmac: sha256` for a signature in a header, or a `type`: {}",
                types().join(", ")
            );
            fields.complain(sink, problem.help(help));
            None
        }
        (Some(spot), None) => hmac(sink, fields, spot),
        (None, Some(spot)) => by_type(sink, fields, spot),
    }
}

fn types() -> Vec<&'static str> {
    let conventions = Convention::ALL.iter().map(|it| it.name());
    conventions.chain([BEARER]).collect()
}

fn hmac(sink: &mut Sink<'_>, fields: &Fields<'_>, spot: Spot<'_>) -> Option<Scheme> {
    let algorithms: Vec<_> = Algorithm::ALL.iter().map(|it| it.name()).collect();
    let encodings: Vec<_> = Encoding::ALL.iter().map(|it| it.name()).collect();
    let algorithm = word(sink, spot, &algorithms, Algorithm::of);
    let header = fields.required(sink, "header", "X-Signature", parsed);
    let prefix = fields.optional(sink, "prefix", parsed);
    let encoding = fields.optional(sink, "encoding", |sink, spot| {
        word(sink, spot, &encodings, Encoding::of)
    });
    Some(Scheme::Hmac {
        algorithm: algorithm?,
        header: header?,
        prefix,
        encoding,
    })
}

fn by_type(sink: &mut Sink<'_>, fields: &Fields<'_>, spot: Spot<'_>) -> Option<Scheme> {
    let kind = |name: &str| match Convention::of(name) {
        Some(convention) => Some(Some(convention)),
        None => (name == BEARER).then_some(None),
    };
    Some(match word(sink, spot, &types(), kind)? {
        Some(convention) => Scheme::Timed {
            convention,
            tolerance: fields.optional(sink, "tolerance", tolerance),
        },
        None => Scheme::Bearer {
            header: fields.optional(sink, "header", parsed),
        },
    })
}

/// One of the words that may stand there.
fn word<T>(
    sink: &mut Sink<'_>,
    spot: Spot<'_>,
    known: &[&str],
    of: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let name = string(sink, spot)?;
    if let Some(found) = of(name) {
        return Some(found);
    }
    let message = format!("`{}` is not known here", shown(name));
    let problem = Invalid::new("verification", message);
    let problem = match name {
        "hmac" => problem.help("write `hmac: sha256` instead of `type: hmac`"),
        "github" => problem.help("write `provider: github` instead of `path` and `verify`"),
        _ => {
            let nearest = sink.suggester.nearest(name, known.iter().copied());
            problem.did_you_mean(nearest, format!("use one of {}", known.join(", ")))
        }
    };
    sink.error(spot, problem);
    None
}

fn tolerance(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<Duration> {
    let tolerance = super::nodes::timeout(sink, spot)?;
    if tolerance <= MAX_TOLERANCE {
        return Some(tolerance);
    }
    let message = format!("a tolerance of {} is too long", format_duration(tolerance));
    let most = format_duration(MAX_TOLERANCE);
    let problem = Invalid::new("duration", message);
    sink.error(spot, problem.help(format!("the most is `{most}`")));
    None
}
