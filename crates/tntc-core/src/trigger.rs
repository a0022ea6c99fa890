//! What is known of a run by what its trigger pod said: whether the workflow was started, and whether the answer is
//! whole.
//!
//! The connection to a trigger pod passes the API server, the kubelet and the container runtime, and each of them can
//! lose its end: an answer that is cut off looks like one that is complete, and so does an attach to a container that
//! was not there yet. So curl itself tells how its request ended and how long the answer is, in a line that ends its
//! messages, and nothing is concluded from how a connection ended where that line can tell.

/// Exit statuses of curl for a request that never reached the engine: could not resolve, could not connect, and, without
/// `--max-time`, the connect timeout.
pub const NEVER_REACHED: [i32; 3] = [6, 7, 28];

/// Exit statuses of curl after which its standard output holds an answer: a success, and with `--fail-with-body` a
/// failure.
const ANSWERED: [i32; 2] = [0, 22];

/// How the line begins that ends curl's messages.
const END: &str = "tentacular-trigger:";

/// curl's `--write-out` for that line; it is written once, after the last retry. Before it the answer gets a line break,
/// since a container runtime keeps the last line back from its log until it has ended.
#[must_use]
pub fn write_out() -> String {
    format!(
        "\\n%{{stderr}}{END} exit=%{{exitcode}} http=%{{http_code}} bytes=%{{size_download}}\\n"
    )
}

/// How curl's request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// curl's exit status for it.
    pub exit_status: i32,
    /// Length of the answer, in bytes.
    pub bytes: usize,
}

/// The end of the request, once curl's messages tell it.
#[must_use]
pub fn end_in(messages: &[u8]) -> Option<End> {
    let messages = String::from_utf8_lossy(messages);
    let (_, rest) = messages.split_once(END)?;
    let (line, _) = rest.split_once('\n')?;
    let field = |name: &str| {
        let mut fields = line
            .split_whitespace()
            .filter_map(|field| field.split_once('='));
        fields.find_map(|(key, value)| (key == name).then_some(value))
    };
    Some(End {
        exit_status: field("exit")?.parse().ok()?,
        bytes: field("bytes")?.parse().ok()?,
    })
}

/// curl's messages about the request, without the line that ends them and what follows it.
#[must_use]
pub fn messages_of(messages: &[u8]) -> String {
    let messages = String::from_utf8_lossy(messages);
    let (own, _) = messages.split_once(END).unwrap_or((messages.as_ref(), ""));
    own.trim_end().to_owned()
}

/// What one attach to a trigger pod brought.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// curl's standard output.
    pub body: &'a [u8],
    /// curl's standard error.
    pub messages: &'a [u8],
    /// Whether the API server ended the attach with success; nothing when it did not end it.
    pub succeeded: Option<bool>,
}

impl<'a> Heard<'a> {
    /// The answer, when nothing of it is missing. Answers that curl tried again after come before it.
    #[must_use]
    pub fn answer(&self) -> Option<&'a [u8]> {
        let Some(end) = end_in(self.messages) else {
            return is_whole(self.body).then_some(self.body);
        };
        let lines = self.body.strip_suffix(b"\n")?;
        let start = lines.len().checked_sub(end.bytes)?;
        let (_, answer) = lines.split_at(start);
        (reached(end.exit_status) == Reached::Answered).then_some(answer)
    }

    /// Whether curl has said everything that it will say of its request.
    #[must_use]
    pub fn is_over(&self) -> bool {
        end_in(self.messages).is_some_and(|end| self.body.len() > end.bytes)
    }
}

/// What follows from an attach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The whole answer is here.
    Answered,
    /// curl ended with this exit status and without an answer.
    Ended(i32),
    /// There was no container, so nothing was sent to anybody.
    NoContainer,
    /// Something is missing: only the pod itself can tell how curl ended.
    Incomplete,
}

/// Judges an attach by its content first.
#[must_use]
pub fn judge(heard: Heard<'_>) -> Verdict {
    if heard.answer().is_some() {
        return Verdict::Answered;
    }
    match end_in(heard.messages) {
        Some(end) if reached(end.exit_status) != Reached::Answered => {
            return Verdict::Ended(end.exit_status);
        }
        Some(_) => return Verdict::Incomplete,
        None => {}
    }
    let is_silent = heard.body.is_empty() && heard.messages.is_empty();
    match heard.succeeded {
        Some(false) if is_silent => Verdict::NoContainer,
        _ => Verdict::Incomplete,
    }
}

/// What curl's exit status says of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// The workflow was certainly not started.
    Never,
    /// There is an answer.
    Answered,
    /// The connection broke off after the request was sent: the workflow may have been started.
    Perhaps,
}

/// Judges curl's exit status.
#[must_use]
pub fn reached(exit_status: i32) -> Reached {
    if NEVER_REACHED.contains(&exit_status) {
        Reached::Never
    } else if ANSWERED.contains(&exit_status) {
        Reached::Answered
    } else {
        Reached::Perhaps
    }
}

/// How a trigger's Job failed, by the reason and the message of its condition.
#[must_use]
pub fn told_end(reason: &str, message: &str) -> String {
    let status = message
        .split_once("exit code ")
        .and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
    match (reason, status.map(|status| (status, reached(status)))) {
        // The engine answers a failed run with 422, and what a trigger sends gives no other refusal.
        (_, Some((_, Reached::Answered))) => "workflow failed (HTTP 422)".to_owned(),
        (_, Some((137, _))) => "the trigger pod was killed; the run may have gone on".to_owned(),
        (_, Some((status, Reached::Perhaps))) => {
            format!("the engine ended during the run (curl's exit status {status})")
        }
        ("BackoffLimitExceeded", _) => "the engine was never reached".to_owned(),
        ("DeadlineExceeded", _) => "no answer in time; the run may have gone on".to_owned(),
        _ => format!("failed: {message}"),
    }
}

/// Whether nothing of the answer is missing. Every answer of the engine is one JSON object, and no beginning of one is
/// one itself.
#[must_use]
pub fn is_whole(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"{") && is_json(body)
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
}

/// How curl begins its error messages.
const PREFIX: &str = "curl: (";

/// The answer in a trigger pod's log, which has both output streams of curl, each in pieces and in any order: a message
/// can be before, behind and within the answer. A message ends with a line break, of which a JSON object as the engine
/// writes it has none.
#[must_use]
pub fn answer_in(log: &str) -> Option<String> {
    let whole = |text: &str| is_whole(text.as_bytes()).then(|| text.trim().to_owned());
    let mut starts: Vec<_> = [PREFIX, END]
        .into_iter()
        .flat_map(|start| log.match_indices(start))
        .map(|(start, _)| start)
        .collect();
    starts.sort_unstable();
    if starts.len() > MOST_MESSAGES {
        return whole(log);
    }
    let mut rest = log.to_owned();
    for start in starts.into_iter().rev() {
        if let Some(found) = whole(&rest) {
            return Some(found);
        }
        if let Some(length) = rest[start..].find('\n') {
            rest.replace_range(start..=start + length, "");
        }
    }
    whole(&rest)
}

/// Whether a log in which the request has ended holds everything of it.
#[must_use]
pub fn is_settled(log: &str) -> bool {
    let end = end_in(log.as_bytes());
    end.is_some_and(|end| reached(end.exit_status) != Reached::Answered) || answer_in(log).is_some()
}

/// curl writes one message a try; a log with many more has them from the workflow.
const MOST_MESSAGES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(body: &str, messages: &str, succeeded: Option<bool>) -> Verdict {
        judge(Heard {
            body: body.as_bytes(),
            messages: messages.as_bytes(),
            succeeded,
        })
    }

    const ANSWER: &str = r#"{"success":true,"outputs":{"only":"a } b"}}"#;
    const FAILED: &str = "curl: (22) The requested URL returned error: 422\n";
    const LINGERS: &str = "curl: (7) Failed to connect to 127.0.0.1 port 1\n";

    fn end(exit_status: i32, bytes: usize) -> String {
        format!("{END} exit={exit_status} http=000 bytes={bytes}\n")
    }

    #[test]
    fn an_answer_counts_however_its_connection_ended() {
        for succeeded in [Some(true), Some(false), None] {
            assert_eq!(heard(ANSWER, FAILED, succeeded), Verdict::Answered);
            let all = format!("{FAILED}{}{LINGERS}", end(22, ANSWER.len()));
            let line = format!("{ANSWER}\n");
            assert_eq!(heard(&line, &all, succeeded), Verdict::Answered);
        }
    }

    #[test]
    fn no_beginning_and_no_end_of_an_answer_is_taken_for_one() {
        for cut in 1..ANSWER.len() {
            let line = format!("{ANSWER}\n");
            for part in [&line[..cut], &line[cut..]] {
                for messages in [String::new(), end(0, ANSWER.len())] {
                    let verdict = heard(part, &messages, Some(true));
                    assert_eq!(verdict, Verdict::Incomplete, "{part}");
                }
            }
        }
    }

    #[test]
    fn an_answer_that_is_no_json_is_whole_by_its_length() {
        let page = "<html>not found</html>\n";
        let length = page.len() - 1;
        assert_eq!(heard(page, &end(22, length), None), Verdict::Answered);
        assert_eq!(
            heard(&page[1..], &end(22, length), Some(true)),
            Verdict::Incomplete
        );
        assert_eq!(heard(page, "", Some(true)), Verdict::Incomplete);
    }

    #[test]
    fn what_curl_tried_again_after_is_no_part_of_the_answer() {
        let body = format!("<html>503</html>{ANSWER}\n");
        let messages = end(0, ANSWER.len());
        let heard = Heard {
            body: body.as_bytes(),
            messages: messages.as_bytes(),
            succeeded: None,
        };
        assert_eq!(heard.answer(), Some(ANSWER.as_bytes()));
    }

    #[test]
    fn silence_proves_only_with_a_failure_that_nothing_was_sent() {
        assert_eq!(heard("", "", Some(false)), Verdict::NoContainer);
        assert_eq!(heard("", "", Some(true)), Verdict::Incomplete);
        assert_eq!(heard("", "", None), Verdict::Incomplete);
    }

    #[test]
    fn curls_own_last_words_count_however_the_connection_ended() {
        let refused = format!("{LINGERS}{}", end(28, 0));
        for succeeded in [Some(true), Some(false), None] {
            assert_eq!(heard("\n", &refused, succeeded), Verdict::Ended(28));
            let cut = &refused[..refused.len() - 1];
            assert_eq!(heard("", cut, succeeded), Verdict::Incomplete);
        }
    }

    #[test]
    fn a_request_is_over_once_its_answer_is_as_long_as_curl_says() {
        let over = |body: &str, messages: &str| {
            let (body, messages) = (body.as_bytes(), messages.as_bytes());
            let heard = Heard {
                body,
                messages,
                succeeded: None,
            };
            heard.is_over()
        };
        assert!(!over(ANSWER, LINGERS));
        assert!(!over(ANSWER, &end(0, ANSWER.len())));
        assert!(over(&format!("{ANSWER}\n"), &end(0, ANSWER.len())));
        assert!(over("\n", &end(7, 0)));
    }

    #[test]
    fn what_curl_says_of_its_lingering_is_not_told() {
        let messages = format!("{FAILED}{}{LINGERS}", end(22, 5));
        assert_eq!(messages_of(messages.as_bytes()), FAILED.trim_end());
    }

    #[test]
    fn only_a_request_that_never_arrived_started_certainly_nothing() {
        let of = |statuses: &[i32]| statuses.iter().map(|it| reached(*it)).collect::<Vec<_>>();
        assert_eq!(of(&[6, 7, 28]), [Reached::Never; 3]);
        assert_eq!(of(&[0, 22]), [Reached::Answered; 2]);
        assert_eq!(of(&[18, 52, 56, 137]), [Reached::Perhaps; 4]);
    }

    #[test]
    fn a_failed_job_is_told_by_what_it_means_for_the_workflow() {
        let exit = |status: u8| {
            let message = format!(
                "Container trigger for pod n/a-cron-1-x failed with exit code {status} matching FailJob rule at index 1"
            );
            told_end("PodFailurePolicy", &message)
        };
        assert_eq!(exit(22), "workflow failed (HTTP 422)");
        assert_eq!(
            exit(52),
            "the engine ended during the run (curl's exit status 52)"
        );
        let limit = "Job has reached the specified backoff limit";
        assert_eq!(
            told_end("BackoffLimitExceeded", limit),
            "the engine was never reached"
        );
        let disrupted = "Pod n/x has condition DisruptionTarget matching FailJob rule at index 0";
        assert_eq!(
            told_end("PodFailurePolicy", disrupted),
            format!("failed: {disrupted}")
        );
    }

    #[test]
    fn an_answer_is_found_among_messages_wherever_they_are() {
        let refused = "curl: (7) Failed to connect\n";
        for at in 0..=ANSWER.len() {
            let (start, rest) = ANSWER.split_at(at);
            let log = format!("{refused}{start}{FAILED}{}{LINGERS}{rest}", end(22, 9));
            assert_eq!(answer_in(&log).as_deref(), Some(ANSWER), "{log}");
        }
    }

    #[test]
    fn a_log_whose_answer_is_still_being_written_is_not_settled() {
        let told =
            |body: &str, status: i32| is_settled(&format!("{}{body}", end(status, ANSWER.len())));
        assert!(!told(&ANSWER[..9], 0));
        assert!(told(ANSWER, 0));
        assert!(told("", 28));
        assert!(!is_settled(&ANSWER[..9]));
    }

    #[test]
    fn an_answer_that_speaks_of_curl_is_left_as_it_is() {
        let answer = r#"{"success":false,"errors":["curl: (7) Failed\n"]}"#;
        for log in [
            answer.to_owned(),
            format!("{answer}{FAILED}"),
            format!("{FAILED}{answer}"),
        ] {
            assert_eq!(answer_in(&log).as_deref(), Some(answer), "{log}");
        }
    }

    #[test]
    fn a_log_without_a_whole_answer_has_none() {
        for log in ["", FAILED, &ANSWER[..20], &ANSWER[20..]] {
            assert_eq!(answer_in(log), None, "{log}");
        }
    }
}
