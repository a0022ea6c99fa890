//! Keys of a webhook that were meant to verify its senders and do not, as they are misspelt or belong into `verify`. A
//! warning would not do: the webhook would be open to whoever reaches it.
//!
//! The engine refuses the same keys (`engine/core/verification.ts`).

use crate::diagnostic::{Invalid, Severity, shown};
use crate::yaml::{EXTENSION, Fields, Sink};

/// What any key about verification contains.
const STEMS: [&str; 10] = [
    "verif",
    "secret",
    "signature",
    "hmac",
    "authen",
    "authori",
    "token",
    "bearer",
    "password",
    "credential",
];

/// What such a key may be meant to be when it is misspelt.
const WORDS: [&str; 9] = [
    "verify",
    "provider",
    "secret",
    "signature",
    "hmac",
    "auth",
    "basicauth",
    "token",
    "password",
];

/// Reports such keys of a webhook that nothing else verifies, and returns them.
pub(super) fn check<'f>(
    sink: &mut Sink<'_>,
    fields: &'f Fields<'_>,
    known: &[&str],
) -> Vec<&'f str> {
    if fields.get("verify").is_some() || fields.get("provider").is_some() {
        return Vec::new();
    }
    let mut reported = Vec::new();
    for (key, spot) in fields.iter() {
        if !known.contains(&key) && !key.starts_with(EXTENSION) && is_about_verification(key) {
            let problem = problem(sink, key);
            sink.add(Severity::Error, spot.key_place(), spot.path, problem);
            reported.push(key);
        }
    }
    reported
}

fn problem(sink: &mut Sink<'_>, key: &str) -> Invalid {
    let nearest = sink.suggester.nearest(key, ["verify", "provider"]);
    let message = format!(
        "the key `{}` is not known here, so that nothing would verify who sends to this webhook",
        shown(key)
    );
    Invalid::new("webhook", message).did_you_mean(
        nearest,
        "put it into `verify`, such as `verify: {hmac: sha256, header: X-Signature, secret: <service>.<key>}`; remove it, or begin its name with `x-`, to leave the webhook open",
    )
}

/// Whether a key is, in whatever spelling, about who may send.
fn is_about_verification(key: &str) -> bool {
    let letters: String = { key.chars() }
        .filter(char::is_ascii_alphabetic)
        .map(|it| it.to_ascii_lowercase())
        .collect();
    STEMS.iter().any(|it| letters.contains(it)) || WORDS.iter().any(|it| is_near(&letters, it))
}

/// Whether one or two mistakes in typing turn one word into the other: one only, in words of up to four letters.
fn is_near(letters: &str, word: &str) -> bool {
    let most = if letters.len().min(word.len()) > 4 {
        2
    } else {
        1
    };
    letters.len().abs_diff(word.len()) <= most && strsim::osa_distance(letters, word) <= most
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys, with whether they are about verification: the same as the engine's test has.
    const KEYS: &str = include_str!("../../../../../tests/conformance/keys-of-webhooks.json");

    #[test]
    fn keys_are_told_apart_as_the_engine_does() {
        let keys: std::collections::BTreeMap<String, bool> =
            serde_json::from_str(KEYS).expect("JSON");
        for (key, expected) in keys {
            assert_eq!(is_about_verification(&key), expected, "{key}");
        }
    }
}
