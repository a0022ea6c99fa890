//! Our verdict on every schedule of the table. A test against a real API server holds the same table against its verdict.

use tntc_core::cron::Schedule;

/// One `ok` or `bad`, a tab and a schedule a line; the schedule is the rest of the line, spaces and all, with `\\n` for
/// a line break.
const TABLE: &str = include_str!("data/schedules.txt");

#[test]
fn every_schedule_of_the_table_gets_its_verdict() {
    let wrong: Vec<String> = TABLE
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(verdict, schedule)| (verdict, schedule.replace("\\n", "\n")))
        .map(|(verdict, schedule)| (verdict, Schedule::parse(&schedule), schedule))
        .map(|(verdict, answer, schedule)| (verdict, schedule, answer))
        .filter(|(verdict, _, answer)| (*verdict == "ok") != answer.is_ok())
        .map(|(verdict, schedule, answer)| format!("{verdict} {schedule:?}: {answer:?}"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_table_is_large_and_has_both_verdicts_and_no_line_twice() {
    let lines: std::collections::BTreeSet<&str> = TABLE.lines().collect();
    assert_eq!(lines.len(), TABLE.lines().count());
    for verdict in ["ok\t", "bad\t"] {
        assert!(
            lines
                .iter()
                .filter(|line| line.starts_with(verdict))
                .count()
                >= 100,
            "{verdict}"
        );
    }
}

#[test]
fn a_refused_schedule_says_what_to_write() {
    let help = |text: &str| Schedule::parse(text).unwrap_err().help.unwrap_or_default();
    assert_eq!(help("0 22-6 * * *"), "write two ranges: `22-23,0-6`");
    assert_eq!(
        help("0 9 * *"),
        "write minute, hour, day of month, month, day of week: `0 9 * * 1-5`, `*/15 * * * *`"
    );
    assert_eq!(
        help("TZ=UTC 0 9 * * *"),
        "remove the prefix and set `timezone` on the trigger"
    );
    assert_eq!(help("0 9 * * 7"), "write 0 for Sunday");
}
