//! Texts that follow a rule: once built, a value of these types needs no second check.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::diagnostic::{Invalid, shown};

/// Defines a validated text; the function answers what is wrong with a text, if anything.
macro_rules! text_type {
    ($(#[$meta:meta])* $name:ident, $check:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                $check(text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}
pub(crate) use text_type;

/// Longest DNS label, label value and Service name (RFC 1035; Kubernetes "Object Names and IDs"), in characters.
pub const MAX_LABEL: usize = 63;

/// Longest DNS subdomain that Kubernetes takes as an object's name, in characters.
const MAX_SUBDOMAIN: usize = 253;

text_type! {
    /// Name of a workflow: lower-case words of letters and digits, joined by single hyphens.
    WorkflowName, workflow_name
}

text_type! {
    /// Name of a node.
    NodeName, |text| identifier("node", text)
}

text_type! {
    /// Name of a trigger.
    TriggerName, |text| identifier("trigger", text)
}

text_type! {
    /// Name of a dependency of the contract.
    DependencyName, |text| identifier("dependency", text)
}

text_type! {
    /// Name of a Kubernetes namespace: a DNS label.
    Namespace, namespace
}

text_type! {
    /// Name of an existing service account: a DNS subdomain.
    ServiceAccountName, service_account
}

text_type! {
    /// A workflow's version, with the digits as they were written: `1.10` is not `1.1`.
    Version, version
}

fn workflow_name(text: &str) -> Result<(), Invalid> {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    if text.starts_with(|c: char| c.is_ascii_lowercase()) && text.split('-').all(is_word) {
        return Ok(());
    }
    let rule = "lower-case letters, digits and single hyphens, beginning with a letter";
    Err(bad_name("workflow name", text, rule, '-'))
}

/// The rule that nodes, triggers, dependencies and both halves of a secret reference share.
pub(crate) fn is_identifier(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(allowed)
}

fn identifier(kind: &str, text: &str) -> Result<(), Invalid> {
    if is_identifier(text) {
        return Ok(());
    }
    let rule = "lower-case letters, digits, hyphens and underscores, beginning with a letter";
    Err(bad_name(&format!("{kind} name"), text, rule, '-'))
}

fn is_dns_label(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let ends_well = !text.starts_with('-') && !text.ends_with('-');
    (1..=MAX_LABEL).contains(&text.len()) && ends_well && text.bytes().all(allowed)
}

fn namespace(text: &str) -> Result<(), Invalid> {
    if is_dns_label(text) {
        return Ok(());
    }
    let rule = "at most 63 lower-case letters, digits and hyphens, beginning and ending with a letter or digit";
    Err(bad_name("namespace", text, rule, '-'))
}

fn service_account(text: &str) -> Result<(), Invalid> {
    if text.len() <= MAX_SUBDOMAIN && text.split('.').all(is_dns_label) {
        return Ok(());
    }
    let rule = "lower-case letters, digits, hyphens and dots";
    Err(bad_name("service account name", text, rule, '-'))
}

fn version(text: &str) -> Result<(), Invalid> {
    let parts: Vec<&str> = text.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    // A version becomes the value of a label.
    if matches!(parts.len(), 2 | 3) && parts.iter().all(is_number) && text.len() <= MAX_LABEL {
        return Ok(());
    }
    let problem = Invalid::new(
        "version",
        format!("`{}` is not a valid version", shown(text)),
    );
    let digits = text.trim_start_matches(['v', 'V']);
    let guess = if is_number(&digits) {
        format!("\"{}.0\"", shown(digits))
    } else {
        "\"1.0\" or \"1.0.0\"".to_owned()
    };
    Err(problem.help(format!("write numbers with dots, in quotes: {guess}")))
}

fn bad_name(what: &str, text: &str, rule: &str, joint: char) -> Invalid {
    let problem = Invalid::new(
        "name",
        format!(
            "`{}` is not a valid {what}: it may hold {rule}",
            shown(text)
        ),
    );
    match respelt(text, joint) {
        Some(name) => problem.help(format!("write `{}`", shown(&name))),
        None => problem.help(format!("choose a name of {rule}")),
    }
}

/// The same name by the rules: lower case, everything else joined by single hyphens.
fn respelt(text: &str, joint: char) -> Option<String> {
    let words: Vec<String> = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let name = words.join(&joint.to_string());
    let name = name.trim_start_matches(|c: char| !c.is_ascii_lowercase());
    (!name.is_empty() && name.len() <= MAX_LABEL).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workflow_names_are_words_joined_by_single_hyphens() {
        for good in ["a", "a1", "word-counter", "a-1-b"] {
            assert!(good.parse::<WorkflowName>().is_ok(), "{good}");
        }
        for bad in ["", "1a", "A", "a--b", "-a", "a-", "a_b", "a.b", "ä"] {
            assert!(bad.parse::<WorkflowName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_refused_name_comes_with_one_that_would_do() {
        let problem = "My Great_Workflow!".parse::<WorkflowName>().unwrap_err();
        assert_eq!(problem.help.as_deref(), Some("write `my-great-workflow`"));
    }

    #[test]
    fn versions_keep_their_digits() {
        assert_eq!("1.10".parse::<Version>().unwrap().as_str(), "1.10");
        for bad in ["1", "1.", "1.2.3.4", "v1.0", "1.0-rc1", ""] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
    }

    #[test]
    fn namespaces_are_dns_labels() {
        assert!("1-a".parse::<Namespace>().is_ok());
        assert!("a".repeat(63).parse::<Namespace>().is_ok());
        for bad in ["", "-a", "a-", "a.b", "A"] {
            assert!(bad.parse::<Namespace>().is_err(), "{bad}");
        }
        assert!("a".repeat(64).parse::<Namespace>().is_err());
    }
}
