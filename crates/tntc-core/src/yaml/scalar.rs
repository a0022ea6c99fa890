//! What a scalar means, by the YAML 1.2 core schema (YAML 1.2.2, 10.3.2).
//!
//! The rules are those of the `yaml` package that the engine reads the same file with: `yes` and `on` are strings.

use std::borrow::Cow;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scalar<'s> {
    pub(crate) text: Cow<'s, str>,
    /// Written without quotes, so that the core schema decides about its type.
    pub(crate) plain: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Integer,
    Float,
    /// `.inf` and `.nan`, which JSON does not have.
    NotFinite,
    String,
}

impl Scalar<'_> {
    pub(crate) fn kind(&self) -> Kind {
        if self.plain {
            kind(&self.text)
        } else {
            Kind::String
        }
    }

    /// Whether the text itself is the name of a key, whichever way a parser turns a key that is no string into one.
    pub(crate) fn is_key(&self) -> bool {
        match self.kind() {
            Kind::String => true,
            Kind::Null | Kind::NotFinite | Kind::Float => false,
            Kind::Bool(_) => self.is_written_as_json(),
            Kind::Integer => self.is_written_as_json() && self.is_exact(),
        }
    }

    fn is_written_as_json(&self) -> bool {
        self.to_json()
            .is_some_and(|value| value.to_string() == self.text)
    }

    /// Whether a double, which is what JavaScript has for numbers, holds the value: false for some integers only.
    pub(crate) fn is_exact(&self) -> bool {
        self.kind() != Kind::Integer || is_exact_integer(&self.text)
    }

    /// The value as JSON. Integers beyond 64 bits become the nearest float, as they do in JavaScript.
    pub(crate) fn to_json(&self) -> Option<serde_json::Value> {
        Some(match self.kind() {
            Kind::Null => serde_json::Value::Null,
            Kind::Bool(value) => value.into(),
            Kind::Integer => integer(&self.text)?,
            Kind::Float => finite(self.text.parse().ok()?)?,
            Kind::NotFinite => return None,
            Kind::String => self.text.as_ref().into(),
        })
    }
}

fn kind(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Bool(true),
        "false" | "False" | "FALSE" => Kind::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Kind::NotFinite,
        _ if matches!(unsigned(text), ".inf" | ".Inf" | ".INF") => Kind::NotFinite,
        _ if is_integer(text) => Kind::Integer,
        _ if is_float(unsigned(text)) => Kind::Float,
        _ => Kind::String,
    }
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

fn is_integer(text: &str) -> bool {
    let all = |digits: &str, radix| !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    match (text.strip_prefix("0o"), text.strip_prefix("0x")) {
        (Some(octal), _) => all(octal, 8),
        (_, Some(hex)) => all(hex, 16),
        _ => all(unsigned(text), 10),
    }
}

fn is_float(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(unsigned(exponent))),
        None => (text, None),
    };
    let exponent_fits = exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent));
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, fraction)) => {
            !(whole.is_empty() && fraction.is_empty()) && digits(whole) && digits(fraction)
        }
        None => exponent.is_some() && !mantissa.is_empty() && digits(mantissa),
    };
    mantissa_fits && exponent_fits
}

/// The digits of an integer, its sign included, with their base.
fn digits(text: &str) -> (&str, u32) {
    match (text.strip_prefix("0o"), text.strip_prefix("0x")) {
        (Some(octal), _) => (octal, 8),
        (_, Some(hex)) => (hex, 16),
        _ => (text, 10),
    }
}

/// Whether an integer has at most 53 bits between its first and its last that is set (IEEE 754, binary64). One of more than 127 bits
/// counts as one that has not: nobody writes those but as an identifier.
fn is_exact_integer(text: &str) -> bool {
    let (digits, radix) = digits(text);
    match i128::from_str_radix(digits, radix).map(i128::unsigned_abs) {
        Ok(0) => true,
        Ok(value) => 128 - value.leading_zeros() - value.trailing_zeros() <= f64::MANTISSA_DIGITS,
        Err(_) => false,
    }
}

fn integer(text: &str) -> Option<serde_json::Value> {
    let (digits, radix) = digits(text);
    if let Ok(value) = i64::from_str_radix(digits, radix) {
        return Some(value.into());
    }
    if let Ok(value) = u64::from_str_radix(digits, radix) {
        return Some(value.into());
    }
    let nearest = digits
        .chars()
        .filter_map(|c| c.to_digit(radix))
        .fold(0.0, |sum, digit| sum * f64::from(radix) + f64::from(digit));
    let decimal = if radix == 10 {
        digits.parse().ok()?
    } else {
        nearest
    };
    finite(decimal)
}

fn finite(value: f64) -> Option<serde_json::Value> {
    serde_json::Number::from_f64(value).map(serde_json::Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        for (text, expected) in [
            ("", Kind::Null),
            ("~", Kind::Null),
            ("null", Kind::Null),
            ("nULL", Kind::String),
            ("true", Kind::Bool(true)),
            ("FALSE", Kind::Bool(false)),
            ("yes", Kind::String),
            ("off", Kind::String),
            ("0", Kind::Integer),
            ("-12", Kind::Integer),
            ("0o17", Kind::Integer),
            ("0o18", Kind::String),
            ("0xfF", Kind::Integer),
            ("0x", Kind::String),
            ("-0x1", Kind::String),
            ("1_000", Kind::String),
            ("1.10", Kind::Float),
            (".5", Kind::Float),
            ("5.", Kind::Float),
            (".", Kind::String),
            ("1e3", Kind::Float),
            ("1e", Kind::String),
            ("e3", Kind::String),
            ("1.2.3", Kind::String),
            ("+.inf", Kind::NotFinite),
            (".NaN", Kind::NotFinite),
            ("12:30", Kind::String),
            ("-", Kind::String),
        ] {
            assert_eq!(kind(text), expected, "{text:?}");
        }
    }

    #[test]
    fn quoted_scalars_are_strings() {
        assert_eq!(
            Scalar {
                text: "1.10".into(),
                plain: false
            }
            .kind(),
            Kind::String
        );
    }

    #[test]
    fn integers_beyond_64_bits_become_floats() {
        let scalar = |text: &'static str| {
            Scalar {
                text: text.into(),
                plain: true,
            }
            .to_json()
            .unwrap()
        };
        assert_eq!(scalar("18446744073709551615"), serde_json::json!(u64::MAX));
        assert_eq!(scalar("-9223372036854775808"), serde_json::json!(i64::MIN));
        assert_eq!(scalar("0x1F"), serde_json::json!(31));
        assert!(scalar("36893488147419103232").is_f64());
    }
}
