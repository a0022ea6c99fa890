//! Ctrl-C and SIGTERM as a future, so that whoever waits can still clean up.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::{Error, Result};

/// From its creation on, the process no longer dies of these signals by itself.
pub struct Interrupt {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupt {
    /// Starts listening.
    pub fn listen() -> Result<Self> {
        let listen = |kind| {
            signal(kind)
                .map_err(|cause| Error::surroundings(format!("cannot listen for signals: {cause}")))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    /// Waits for either signal.
    pub async fn raised(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
