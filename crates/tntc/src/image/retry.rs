//! Trying again what a broken connection has stopped.

use std::time::Duration;

/// How often one step is tried, and how long to wait before trying again (twice as long each time).
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 250 });

/// Whoever asks for more time than this is not waited for.
const LONGEST: Duration = Duration::from_secs(30);

/// Takes a step until it is done, or has failed in a way that is not over in a moment, or too often. `pause` says how long
/// a failure wants to be waited for at least; nothing for one that stays.
pub async fn while_transient<T, E>(
    pause: impl Fn(&E) -> Option<Duration>,
    mut step: impl AsyncFnMut() -> Result<T, E>,
) -> Result<T, E> {
    let mut least = PAUSE;
    for _ in 1..ATTEMPTS {
        let done = step().await;
        let wanted = done.as_ref().err().and_then(&pause);
        match wanted.filter(|wanted| *wanted <= LONGEST) {
            Some(wanted) => tokio::time::sleep(wanted.max(least)).await,
            None => return done,
        }
        least *= 2;
    }
    step().await
}
