//! Durations as workflow files write them.

use std::time::Duration;

use crate::diagnostic::{Invalid, shown};

/// Longest timeout: JavaScript timers hold at most 2^31-1 milliseconds.
pub const MAX_TIMEOUT: Duration = Duration::from_millis(i32::MAX as u64);

/// Units of a duration in milliseconds, the largest first.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Reads `<n>ms`, `<n>s`, `<n>m` or `<n>h`, from one millisecond to [`MAX_TIMEOUT`].
pub fn parse_duration(text: &str) -> Result<Duration, Invalid> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = UNITS.iter().find(|(name, _)| *name == unit);
    let (Some((_, factor)), false) = (unit, number.is_empty()) else {
        let problem = Invalid::new(
            "duration",
            format!("`{}` is not a valid duration", shown(text)),
        );
        return Err(problem.help("write a whole number and one of ms, s, m, h: `30s`, `1500ms`"));
    };
    let millis = number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(*factor));
    match millis.map(Duration::from_millis) {
        Some(Duration::ZERO) => {
            Err(Invalid::new("duration", "a duration must be longer than 0")
                .help("the least is `1ms`"))
        }
        Some(duration) if duration <= MAX_TIMEOUT => Ok(duration),
        _ => Err(
            Invalid::new("duration", format!("`{}` is too long", shown(text)))
                .help("the most is `596h`"),
        ),
    }
}

/// The shortest text that [`parse_duration`] reads as this duration; parts of a millisecond are dropped.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    let fits =
        |(_, factor): &&(&str, u64)| millis > 0 && millis.is_multiple_of(u128::from(*factor));
    match UNITS.iter().find(fits) {
        Some((name, factor)) => format!("{}{name}", millis / u128::from(*factor)),
        None => format!("{millis}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_one_unit_and_are_longer_than_nothing() {
        for (text, millis) in [
            ("1ms", 1),
            ("30s", 30_000),
            ("90m", 5_400_000),
            ("596h", 2_145_600_000),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for bad in [
            "",
            "30",
            "s",
            "1.5s",
            "-1s",
            "1m30s",
            "30 s",
            "30S",
            "0s",
            "597h",
            "99999999999999999999h",
        ] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_formatted_duration_reads_back_as_itself() {
        for (text, expected) in [
            ("60s", "1m"),
            ("90s", "90s"),
            ("1500ms", "1500ms"),
            ("120m", "2h"),
        ] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), expected);
        }
    }
}
