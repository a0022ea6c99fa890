//! References to secrets.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::diagnostic::{Invalid, shown};
use crate::values::is_identifier;

/// A secret, as `service.key`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretRef {
    service: String,
    key: String,
}

impl SecretRef {
    /// The service: the key in `.secrets.yaml` and in the cluster's Secret.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The key within the service.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// A reference that the program itself names; both parts must follow the rule.
    pub(crate) fn known(service: &str, key: &str) -> Self {
        debug_assert!(
            is_identifier(service) && is_identifier(key),
            "{service}.{key}"
        );
        Self {
            service: service.to_owned(),
            key: key.to_owned(),
        }
    }
}

impl FromStr for SecretRef {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text.split_once('.') {
            Some((service, key)) if is_identifier(service) && is_identifier(key) => {
                Ok(Self { service: service.to_owned(), key: key.to_owned() })
            }
            _ => Err(Invalid::new("secret-ref", format!("`{}` is not a reference to a secret", shown(text))).help(
                "write `service.key`, both of lower-case letters, digits, `-` and `_`, beginning with a letter",
            )),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.service, self.key)
    }
}

impl Serialize for SecretRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_have_two_parts() {
        let secret: SecretRef = "github.webhook_secret".parse().unwrap();
        assert_eq!(
            (secret.service(), secret.key()),
            ("github", "webhook_secret")
        );
        for bad in [
            "",
            "github",
            "github.",
            ".token",
            "a.b.c",
            "Git.token",
            "git.1",
        ] {
            assert!(bad.parse::<SecretRef>().is_err(), "{bad}");
        }
    }
}
