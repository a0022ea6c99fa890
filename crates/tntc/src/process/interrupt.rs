//! Ctrl-C and SIGTERM as a future, so that whoever waits can still clean up.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::outcome::{Error, ErrorKind, Result};

/// The signal that was raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raised(SignalKind);

impl Raised {
    /// The error of a command that the signal ended; its exit status is the signal's, such as 130 for Ctrl-C.
    pub fn error(self, message: impl Into<String>) -> Error {
        Error::new(self.kind(), message)
    }

    /// For an answer that was written already.
    pub fn kind(self) -> ErrorKind {
        ErrorKind::Interrupted(u8::try_from(self.0.as_raw_value()).unwrap_or_default())
    }
}

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
            hangup: if hangup_is_ignored() {
                None
            } else {
                Some(listen(SignalKind::hangup())?)
            },
            ..Self::listen()?
        })
    }

    /// Waits for the step, unless a signal comes first; then the step is dropped where it stands, so what it has begun
    /// must be fit to be left like that.
    ///
    /// # Errors
    /// The step's own, or this message.
    pub async fn unless<T>(
        &mut self,
        message: &str,
        step: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        tokio::select! {
            done = Box::pin(step) => done,
            signal = self.raised() => Err(signal.error(message)),
        }
    }

    /// Waits for any of the signals.
    pub async fn raised(&mut self) -> Raised {
        let kind = tokio::select! {
            _ = self.ctrl_c.recv() => SignalKind::interrupt(),
            _ = self.terminate.recv() => SignalKind::terminate(),
            () = received(self.hangup.as_mut()) => SignalKind::hangup(),
        };
        Raised(kind)
    }
}

/// Whoever started this process with nohup(1) wants it to outlive the terminal.
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let bit = SignalKind::hangup().as_raw_value() - 1;
    ignored.is_some_and(|mask| (mask >> bit) & 1 == 1)
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
