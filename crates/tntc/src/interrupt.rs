//! Ctrl-C and SIGTERM as a future, so that whoever waits can still clean up.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::{Error, Result};

/// From its creation on, the process no longer dies of these signals by itself.
pub struct Interrupt {
    ctrl_c: Signal,
    terminate: Signal,
    hangup: Option<Signal>,
}

impl Interrupt {
    /// Starts listening.
    pub fn listen() -> Result<Self> {
        Ok(Self {
            ctrl_c: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: None,
        })
    }

    /// The same, and for the end of the terminal too: for what has processes that the terminal does not end itself.
    pub fn listen_also_for_hangup() -> Result<Self> {
        Ok(Self {
            hangup: Some(listen(SignalKind::hangup())?),
            ..Self::listen()?
        })
    }

    /// Waits for any of the signals.
    pub async fn raised(&mut self) {
        tokio::select! {
            _ = self.ctrl_c.recv() => {}
            _ = self.terminate.recv() => {}
            () = received(self.hangup.as_mut()) => {}
        }
    }
}

fn listen(kind: SignalKind) -> Result<Signal> {
    signal(kind).map_err(|cause| Error::surroundings(format!("cannot listen for signals: {cause}")))
}

async fn received(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}
