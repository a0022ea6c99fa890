//! Trying again what a broken connection has stopped.

use std::time::Duration;

/// How often one step is tried, and how long to wait before trying again (twice as long each time).
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 250 });

/// Takes a step until it is done, or has failed in a way that is not over in a moment, or too often.
pub async fn while_transient<T, E>(
    transient: impl Fn(&E) -> bool,
    mut step: impl AsyncFnMut() -> Result<T, E>,
) -> Result<T, E> {
    let mut pause = PAUSE;
    for _ in 1..ATTEMPTS {
        match step().await {
            Err(cause) if transient(&cause) => tokio::time::sleep(pause).await,
            done => return done,
        }
        pause *= 2;
    }
    step().await
}
