//! Ending work on a thread of its own when nobody waits for it any more, as after Ctrl-C.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Held by whoever waits: when it is dropped, the work ends.
pub struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Given to the work.
pub struct Stopped(Arc<AtomicBool>);

/// The two ends.
pub fn pair() -> (Stop, Stopped) {
    let flag = Arc::new(AtomicBool::new(false));
    (Stop(Arc::clone(&flag)), Stopped(flag))
}

impl Stopped {
    /// An error once nobody waits any more.
    pub fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::Relaxed) {
            return Err(io::Error::other("interrupted"));
        }
        Ok(())
    }

    /// A reader that fails once nobody waits any more.
    pub fn watch<R: Read>(&self, inner: R) -> impl Read {
        Watched {
            inner,
            stopped: self,
        }
    }
}

struct Watched<'a, R> {
    inner: R,
    stopped: &'a Stopped,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stopped.check()?;
        self.inner.read(buffer)
    }
}
