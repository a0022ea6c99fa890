//! What engines report of their queue triggers, in lines of their logs.

use std::collections::BTreeMap;

/// Seconds of log that hold what still is so: engines repeat it every ten minutes.
pub const RECENT_SECONDS: i64 = 15 * 60;

const DOWN: &str = "[engine] ERROR queue trigger ";
const UP: &str = "[engine] INFO queue trigger ";

/// Why triggers receive nothing, by subject, as the last line about each says. A node cannot write such a line through
/// its log or its console.
#[must_use]
pub fn down(log: &str) -> BTreeMap<&str, &str> {
    let mut problems = BTreeMap::new();
    for line in log.lines() {
        let report = |start: &str, verb: &str| line.strip_prefix(start)?.split_once(verb);
        if let Some((subject, problem)) = report(DOWN, " is down: ") {
            problems.insert(subject, problem);
        } else if let Some((subject, _)) = report(UP, " is up: ") {
            problems.remove(subject);
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_about_each_trigger_counts() {
        let log = "[engine] INFO listening on 0.0.0.0:8080
[engine] ERROR queue trigger a.* is down: no stream: is up: there
[engine] ERROR queue trigger b is down: lost NATS
[n] INFO [engine] ERROR queue trigger c is down: forged
[engine] INFO queue trigger b is up: receiving from stream s
[engine] ERROR queue b: gave up, dead letter on dlq.b
";
        assert_eq!(
            down(log),
            BTreeMap::from([("a.*", "no stream: is up: there")])
        );
        assert_eq!(down(""), BTreeMap::new());
    }
}
