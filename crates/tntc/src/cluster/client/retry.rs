//! How long a request is repeated that the API server has no time for.
//!
//! `kube`'s own client repeats it 15 times with ever longer pauses, and waits for as long as `Retry-After` says, so that
//! somebody who waits for a command would learn of it after minutes, if at all.

use std::time::Duration;

use kube::client::Body;
use kube::client::retry::{InvalidBackoff, RetryPolicy};
use tokio::time::{Instant, Sleep};
use tower::BoxError;
use tower::retry::Policy;

/// The first pause when the server names none; each further one is about twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// No pause is longer, unless the server asks for it.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How often one request is repeated.
const REPEATS: u32 = 6;
/// How long all pauses of one request may be together. The API server's priority and fairness asks for one second.
const PAUSES: Duration = Duration::from_secs(10);

/// Repeats what was answered with 429, 503 or 504, for as long as [`PAUSES`] and [`REPEATS`] let it.
#[derive(Clone)]
pub struct Patience {
    policy: RetryPolicy,
    left: Duration,
}

impl Patience {
    /// For one request; the layer copies it for each.
    pub fn new() -> Result<Self, InvalidBackoff> {
        Ok(Self {
            policy: RetryPolicy::new(FIRST_PAUSE, LONGEST_PAUSE, REPEATS, true)?,
            left: PAUSES,
        })
    }
}

type Request = hyper::Request<Body>;
type Answer<B> = hyper::Response<B>;

impl<B> Policy<Request, Answer<B>, BoxError> for Patience {
    type Future = Sleep;

    fn retry(
        &mut self,
        request: &mut Request,
        result: &mut Result<Answer<B>, BoxError>,
    ) -> Option<Sleep> {
        let pause = self.policy.retry(request, result)?;
        let length = pause.deadline().duration_since(Instant::now());
        self.left = self.left.checked_sub(length)?;
        Some(pause)
    }

    fn clone_request(&mut self, request: &Request) -> Option<Request> {
        <RetryPolicy as Policy<Request, Answer<B>, BoxError>>::clone_request(
            &mut self.policy,
            request,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often a request is repeated whose answers all ask for this pause.
    fn repeats(status: u16, retry_after: Option<&str>) -> usize {
        let mut patience = Patience::new().expect("valid pauses");
        let mut repeated = || {
            let answer = hyper::Response::builder().status(status);
            let answer = match retry_after {
                Some(seconds) => answer.header("retry-after", seconds),
                None => answer,
            };
            let mut answer = Ok(answer.body(()).expect("an answer"));
            patience
                .retry(&mut Request::new(Body::empty()), &mut answer)
                .is_some()
        };
        std::iter::repeat_with(&mut repeated)
            .take(100)
            .take_while(|repeated| *repeated)
            .count()
    }

    #[tokio::test]
    async fn a_busy_server_is_asked_again_for_a_while() {
        assert_eq!(repeats(429, None), 6);
        assert_eq!(repeats(503, Some("1")), 6);
        assert_eq!(repeats(429, Some("4")), 2);
    }

    #[tokio::test]
    async fn a_server_that_asks_for_a_long_pause_is_not_waited_for() {
        assert_eq!(repeats(429, Some("3600")), 0);
    }

    #[tokio::test]
    async fn other_refusals_are_final() {
        assert_eq!(
            [200, 403, 409, 500].map(|status| repeats(status, Some("1"))),
            [0; 4]
        );
    }
}
