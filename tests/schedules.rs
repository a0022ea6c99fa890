//! The cron schedules that `validate` accepts are those that a real API server accepts.
//!
//! Every schedule of the table is part of a CronJob that the server is asked about in a dry run, which creates nothing.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tntc_core::cron::Schedule;
use tntc_core::workflow::TimeZone;

/// One verdict, a tab and a schedule a line, with `\\n` for a line break.
const TABLE: &str = include_str!("../crates/tntc-core/tests/data/schedules.txt");

/// kubectl asks one object after the other, so several of it ask at once.
const AT_ONCE: usize = 6;

#[test]
fn every_schedule_of_the_table_has_the_api_servers_verdict() {
    let schedules: Vec<String> = TABLE
        .lines()
        .filter_map(|line| Some(line.split_once('\t')?.1.replace("\\n", "\n")))
        .collect();
    assert!(schedules.len() >= 300);
    let schedules: Vec<&str> = schedules.iter().map(String::as_str).collect();
    let accepted = accepted_by_server(&schedules);
    let wrong: Vec<_> = schedules
        .iter()
        .enumerate()
        .filter(|(index, schedule)| Schedule::parse(schedule).is_ok() != accepted.contains(index))
        .map(|(_, schedule)| schedule)
        .collect();
    assert!(wrong.is_empty(), "the API server disagrees on {wrong:#?}");
}

/// Indices of the schedules that the server accepts; all others were refused for their schedule and nothing else.
fn accepted_by_server(schedules: &[&str]) -> BTreeSet<usize> {
    let numbered: Vec<_> = schedules.iter().copied().enumerate().collect();
    let share = numbered.len().div_ceil(AT_ONCE);
    std::thread::scope(|scope| {
        let asked: Vec<_> = numbered
            .chunks(share)
            .map(|some| scope.spawn(|| ask(some)))
            .collect();
        asked
            .into_iter()
            .flat_map(|it| it.join().expect("an answer"))
            .collect()
    })
}

fn ask(schedules: &[(usize, &str)]) -> BTreeSet<usize> {
    let items: Vec<_> = schedules
        .iter()
        .map(|(index, it)| cron_job(*index, it))
        .collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    let (stdout, stderr) = dry_run(&list.to_string());
    let accepted: BTreeSet<usize> = stdout
        .lines()
        .filter_map(|line| line.strip_prefix("cronjob.batch/schedule-")?.parse().ok())
        .collect();
    for (index, schedule) in schedules {
        // Several reasons stand in brackets.
        let refused = ["", "["].iter().any(|bracket| {
            stderr.contains(&format!(
                "\"schedule-{index}\" is invalid: {bracket}spec.schedule:"
            ))
        });
        assert!(
            accepted.contains(index) != refused,
            "the API server gave no verdict on {schedule:?}: {stderr}"
        );
    }
    accepted
}

/// Names that are zones to some and not to others. Everything that a host's own database may add is left out.
const ZONES: [&str; 14] = [
    "UTC",
    "Factory",
    "Europe/Kyiv",
    "EST5EDT",
    "GMT+0",
    "Etc/GMT-14",
    "America/Ciudad_Juarez",
    "Local",
    "local",
    "europe/berlin",
    "Europe",
    "Asia/Hanoi",
    "Etc/Unknown",
    "UTC\n",
];

#[test]
fn every_time_zone_has_the_api_servers_verdict() {
    for zone in ZONES {
        let mut job = cron_job(0, "@daily");
        job["spec"]["timeZone"] = zone.into();
        let (accepted, refused) = dry_run(&job.to_string());
        assert!(
            accepted.is_empty() == refused.contains("spec.timeZone"),
            "{zone:?}: {refused}"
        );
        assert_eq!(
            zone.parse::<TimeZone>().is_ok(),
            !accepted.is_empty(),
            "{zone:?}: {refused}"
        );
    }
}

fn cron_job(index: usize, schedule: &str) -> Value {
    let pod = json!({"restartPolicy": "Never", "containers": [{"name": "none", "image": "none"}]});
    json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": format!("schedule-{index}")},
        "spec": {"schedule": schedule, "jobTemplate": {"spec": {"template": {"spec": pod}}}},
    })
}

/// kubectl's stdout and stderr; it fails as soon as one object is refused.
fn dry_run(list: &str) -> (String, String) {
    let mut kubectl = Command::new("kubectl")
        .args(["create", "--dry-run=server", "-o", "name", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kubectl starts");
    let mut stdin = kubectl.stdin.take().expect("a pipe");
    stdin.write_all(list.as_bytes()).expect("kubectl reads");
    drop(stdin);
    let output = kubectl.wait_with_output().expect("kubectl ends");
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
    (stdout, stderr)
}
