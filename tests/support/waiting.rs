//! Waiting for what happens by itself, such as a restart.

use std::time::Duration;

/// Looks each 100 ms until there is something to see.
///
/// # Panics
/// There is nothing after two minutes.
#[track_caller]
pub fn wait_for<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    for _ in 0..1200 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{what} never happened");
}
