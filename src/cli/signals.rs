//! SIGINT, SIGTERM and SIGHUP: the first asks for an orderly end, the second insists.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::error::Error;

/// The two stages of being asked to stop.
#[derive(Debug)]
pub(super) struct Signals {
    first: CancellationToken,
    second: CancellationToken,
}

impl Signals {
    /// Starts to listen; must be called within a runtime.
    pub(super) fn listen() -> Result<Self, Error> {
        let stream = |kind| {
            signal(kind).map_err(|error| Error::new(format!("cannot listen for signals: {error}")))
        };
        let mut interrupt = stream(SignalKind::interrupt())?;
        let mut terminate = stream(SignalKind::terminate())?;
        let mut hangup = stream(SignalKind::hangup())?;
        let signals = Self {
            first: CancellationToken::new(),
            second: CancellationToken::new(),
        };
        let (first, second) = (signals.first.clone(), signals.second.clone());
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hangup.recv() => {}
                }
                if first.is_cancelled() {
                    second.cancel();
                } else {
                    first.cancel();
                }
            }
        });
        Ok(signals)
    }

    /// Cancelled by the first signal.
    pub(super) fn cancel(&self) -> CancellationToken {
        self.first.clone()
    }

    /// Resolves at the second signal.
    pub(super) async fn insisted(&self) {
        self.second.cancelled().await;
    }
}
