//! How the sender of a webhook proves who it is.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::contract::SecretRef;
use crate::diagnostic::{Invalid, shown};
use crate::values::text_type;

/// How far the time of a signature may be from the engine's clock when the file does not say: what Standard Webhooks,
/// Stripe and Slack recommend.
pub const DEFAULT_TOLERANCE: Duration = Duration::from_mins(5);

/// The largest tolerance: the engine remembers deliveries for as long. The engine has the same limit.
pub const MAX_TOLERANCE: Duration = Duration::from_hours(1);

/// `verify` of a webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct Verification {
    /// What proves it.
    pub scheme: Scheme,
    /// The secret that sender and engine share.
    pub secret: SecretRef,
    /// The user's own `x-` keys.
    pub extensions: Map<String, Value>,
}

/// What proves who sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// A signature of the body in a header.
    Hmac {
        /// The hash function in it.
        algorithm: Algorithm,
        /// The header that holds it.
        header: HeaderName,
        /// What stands before the signature in the header.
        prefix: Option<HeaderPrefix>,
        /// How the signature is written; hexadecimal when absent.
        encoding: Option<Encoding>,
    },
    /// A signature of the body and of its time, by a convention of its own.
    Timed {
        /// The convention.
        convention: Convention,
        /// How far the time may be from the engine's clock; [`DEFAULT_TOLERANCE`] when absent.
        tolerance: Option<Duration>,
    },
    /// A token in a header, which is the secret itself.
    Bearer {
        /// The header that is the token, instead of `Authorization: Bearer <token>`.
        header: Option<HeaderName>,
    },
}

impl Verification {
    /// The key of the file that names the scheme, and what the file says there.
    #[must_use]
    pub fn named(&self) -> (&'static str, &'static str) {
        match &self.scheme {
            Scheme::Hmac { algorithm, .. } => ("hmac", algorithm.name()),
            Scheme::Timed { convention, .. } => ("type", convention.name()),
            Scheme::Bearer { .. } => ("type", BEARER),
        }
    }
}

/// What the file calls [`Scheme::Bearer`].
pub const BEARER: &str = "bearer";

/// Defines an enum whose variants are words of the file.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$of])* $variant),+ }

        impl $name {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// What the file calls it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The one with this name.
            #[must_use]
            pub fn of(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.name() == name)
            }
        }
    };
}

words! {
    /// A hash function.
    Algorithm {
        /// SHA-256.
        Sha256 = "sha256",
        /// SHA-512.
        Sha512 = "sha512",
        /// SHA-1, which is no worse within an HMAC, and which old senders use.
        Sha1 = "sha1",
    }
}

words! {
    /// How bytes are written.
    Encoding {
        /// Hexadecimal digits.
        Hex = "hex",
        /// Base64.
        Base64 = "base64",
    }
}

words! {
    /// Who defined how body and time are signed.
    Convention {
        /// Standard Webhooks, which many senders follow.
        StandardWebhooks = "standard-webhooks",
        /// Stripe.
        Stripe = "stripe",
        /// Slack.
        Slack = "slack",
    }
}

text_type! {
    /// Name of an HTTP header (RFC 9110, section 5.1).
    HeaderName, header_name
}

text_type! {
    /// The beginning of an HTTP header's value.
    HeaderPrefix, header_prefix
}

fn header_name(text: &str) -> Result<(), Invalid> {
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+.^_`|~-".contains(&b);
    if !text.is_empty() && text.bytes().all(is_token) {
        return Ok(());
    }
    let problem = Invalid::new(
        "header",
        format!("`{}` is not a valid name of a header", shown(text)),
    );
    Err(problem.help("write the name alone, such as `X-Signature`"))
}

fn header_prefix(text: &str) -> Result<(), Invalid> {
    let is_visible = |b: u8| b.is_ascii_graphic() || b == b' ';
    if !text.starts_with(' ') && text.bytes().all(is_visible) {
        return Ok(());
    }
    let problem = Invalid::new("header", format!("no header begins with `{}`", shown(text)));
    Err(problem.help("write the visible ASCII characters before the signature, such as `sha256=`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_have_names_without_spaces_and_colons() {
        for good in ["X-Signature", "x_sig", "a"] {
            assert!(good.parse::<HeaderName>().is_ok(), "{good}");
        }
        for bad in ["", "X-Signature:", "a b", "ä", "a\n"] {
            assert!(bad.parse::<HeaderName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_prefix_is_what_a_header_can_begin_with() {
        for good in ["", "sha256=", "HMAC ", "keyId=a, signature="] {
            assert!(good.parse::<HeaderPrefix>().is_ok(), "{good}");
        }
        for bad in [" a", "a\tb", "a\n", "ä"] {
            assert!(bad.parse::<HeaderPrefix>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn every_word_is_found_by_its_name() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::of(algorithm.name()), Some(*algorithm));
        }
        assert_eq!(Convention::of("stripe"), Some(Convention::Stripe));
        assert_eq!(Encoding::of("Hex"), None);
    }
}
