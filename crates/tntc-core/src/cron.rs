//! Cron schedules exactly as the Kubernetes API server accepts them.
//!
//! The server parses a `CronJob`'s schedule with robfig/cron v3 `ParseStandard` and refuses a time zone inside it
//! (`validateScheduleFormat` in Kubernetes' batch validation). Both are followed to the letter, their leniency included:
//! `1,,2` and `*-5` pass there, so they pass here.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::diagnostic::{Invalid, shown};

/// A schedule that Kubernetes accepts, as it was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Schedule(String);

impl Schedule {
    /// Checks a schedule: five fields (minute, hour, day of month, month, day of week) or a descriptor such as `@hourly`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.contains("TZ") {
            let problem = invalid("Kubernetes allows no time zone inside a schedule");
            return Err(problem.help("remove the prefix and set `timezone` on the trigger"));
        }
        if text.starts_with('@') {
            descriptor(text)?;
        } else {
            fields(text)?;
        }
        Ok(Self(text.to_owned()))
    }

    /// The schedule as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Schedule {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One of the five fields: its name in messages, its bounds, and names for its numbers.
struct Field {
    name: &'static str,
    least: u64,
    most: u64,
    /// Three-letter names in the order of their numbers, the first standing for `least`.
    names: &'static [&'static str],
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// The fields of a schedule in their order. The day of week ends at 6: Kubernetes does not know Sunday as 7.
const FIELDS: [Field; 5] = [
    Field {
        name: "minute",
        least: 0,
        most: 59,
        names: &[],
    },
    Field {
        name: "hour",
        least: 0,
        most: 23,
        names: &[],
    },
    Field {
        name: "day of month",
        least: 1,
        most: 31,
        names: &[],
    },
    Field {
        name: "month",
        least: 1,
        most: 12,
        names: &MONTHS,
    },
    Field {
        name: "day of week",
        least: 0,
        most: 6,
        names: &DAYS,
    },
];

fn fields(text: &str) -> Result<(), Invalid> {
    let written: Vec<&str> = text.split_whitespace().collect();
    if written.len() != FIELDS.len() {
        let problem = invalid(format!(
            "a schedule has 5 fields, this one has {}",
            written.len()
        ));
        return Err(problem);
    }
    FIELDS
        .iter()
        .zip(written)
        .try_for_each(|(field, text)| field.check(text))
}

impl Field {
    fn check(&self, text: &str) -> Result<(), Invalid> {
        text.split(',')
            .filter(|part| !part.is_empty())
            .try_for_each(|part| self.range(part))
    }

    /// `*`, `5`, `1-5`, each with an optional `/step`; `5/10` means from 5 to the end.
    fn range(&self, text: &str) -> Result<(), Invalid> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (text, None),
        };
        let (from, to) = self.bounds(range)?;
        if let Some(step) = step {
            self.step(step)?;
        }
        let to = if step.is_some() && !range.contains('-') {
            self.most
        } else {
            to
        };
        let Self {
            name, least, most, ..
        } = self;
        if from < *least || to > *most {
            let problem = invalid(format!(
                "`{}` is outside {least}-{most}, the range of the {name}",
                shown(text)
            ));
            let is_sunday = to == 7 && *most == 6;
            return Err(if is_sunday {
                problem.help("write 0 for Sunday")
            } else {
                problem
            });
        }
        if from > to {
            let problem = invalid(format!(
                "the {name} range `{}` ends before it begins",
                shown(text)
            ));
            return Err(problem.help(format!("write two ranges: `{from}-{most},{least}-{to}`")));
        }
        Ok(())
    }

    fn bounds(&self, range: &str) -> Result<(u64, u64), Invalid> {
        let parts: Vec<&str> = range.splitn(4, '-').collect();
        match parts.as_slice() {
            ["*" | "?", ..] => Ok((self.least, self.most)),
            [only] => self.number(only).map(|number| (number, number)),
            [from, to] => Ok((self.number(from)?, self.number(to)?)),
            _ => Err(invalid(format!(
                "the {} `{}` has too many hyphens",
                self.name,
                shown(range)
            ))),
        }
    }

    fn number(&self, text: &str) -> Result<u64, Invalid> {
        let name = text.to_lowercase();
        if let Some(index) = self.names.iter().position(|known| *known == name) {
            return Ok(self.least + index as u64);
        }
        number(text)
            .ok_or_else(|| invalid(format!("`{}` is not a valid {}", shown(text), self.name)))
    }

    fn step(&self, text: &str) -> Result<(), Invalid> {
        match number(text) {
            Some(0) => Err(invalid(format!(
                "the step of the {} must not be 0",
                self.name
            ))),
            Some(_) => Ok(()),
            None => Err(invalid(format!(
                "`{}` is not a valid step for the {}",
                shown(text),
                self.name
            ))),
        }
    }
}

/// A number as Go's `strconv.Atoi` reads it, without the negative ones: a leading `+` and leading zeros pass.
fn number(text: &str) -> Option<u64> {
    let value: i64 = text.parse().ok()?;
    u64::try_from(value).ok()
}

const DESCRIPTORS: [&str; 7] = [
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@midnight",
    "@hourly",
];

fn descriptor(text: &str) -> Result<(), Invalid> {
    if DESCRIPTORS.contains(&text) {
        return Ok(());
    }
    match text.strip_prefix("@every ") {
        Some(duration) if is_go_duration(duration) => Ok(()),
        Some(duration) => {
            let problem = invalid(format!("`{}` is not a valid duration", shown(duration)));
            Err(problem.help("write hours, minutes and seconds: `@every 1h30m`"))
        }
        None => {
            let problem = invalid(format!("`{}` is not known", shown(text)));
            Err(problem.help(format!(
                "use one of {} or `@every 1h30m`",
                DESCRIPTORS.join(", ")
            )))
        }
    }
}

/// Units of Go's `time.ParseDuration` in nanoseconds; both characters that look like a micro sign are units there.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Whether Go's `time.ParseDuration` accepts the text: signed, fractions, several units, at most 2^63 nanoseconds.
fn is_go_duration(text: &str) -> bool {
    let negative = text.starts_with('-');
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "0" {
        return true;
    }
    let limit = if negative { 1 << 63 } else { (1 << 63) - 1 };
    nanoseconds(unsigned).is_some_and(|total| total <= limit)
}

fn nanoseconds(text: &str) -> Option<u64> {
    let (mut rest, mut total) = (text, 0_u64);
    loop {
        let (part, after) = leading_part(rest)?;
        total = total.checked_add(part).filter(|total| *total <= 1 << 63)?;
        if after.is_empty() {
            return Some(total);
        }
        rest = after;
    }
}

/// The first number with its unit, in nanoseconds, and what follows it.
fn leading_part(text: &str) -> Option<(u64, &str)> {
    let (whole, rest) = digits(text);
    let (fraction, rest) = rest.strip_prefix('.').map_or(("", rest), digits);
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let end = rest
        .find(|c: char| c == '.' || c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    let (_, unit) = UNITS.iter().find(|(known, _)| *known == name)?;
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let part = whole
        .checked_mul(*unit)?
        .checked_add(fraction_of(fraction, *unit))?;
    (part <= 1 << 63).then_some((part, rest))
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    )
}

/// Nanoseconds of the digits after the point; what lies below a nanosecond is dropped.
fn fraction_of(digits: &str, unit: u64) -> u64 {
    let mut sum = 0;
    let mut place = unit;
    for digit in digits.bytes() {
        // Integers all the way: a float would need a lossy cast, and the limit is 2^63 with or without the last bit.
        sum += u64::from(digit - b'0') * place / 10;
        place /= 10;
    }
    sum
}

/// Help for mistakes that have no better one.
const EXAMPLE: &str =
    "write minute, hour, day of month, month, day of week: `0 9 * * 1-5`, `*/15 * * * *`";

fn invalid(message: impl Into<String>) -> Invalid {
    Invalid::new("cron-schedule", message).help(EXAMPLE)
}
