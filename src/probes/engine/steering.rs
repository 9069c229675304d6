//! Changing the rates of a load while it runs.
//!
//! The latest wish is what counts: one that is replaced before the engine has looked is never in
//! force. The engine takes a wish, calls back what was planned beyond that moment, and ends the
//! window there, so that no figure mixes two rates.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::model::probe::MAX_RATE;

/// Between two changes at least, so that a held key does not cut time into windows too short to
/// be read.
pub(super) const PAUSE: Duration = Duration::from_millis(250);

/// Why rates cannot be those of a load.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RateError {
    /// Not one for each probe.
    #[error("`{given}` rates for `{probes}` probes; a closed loop has none")]
    Number {
        /// How many were given.
        given: usize,
        /// How many there must be.
        probes: usize,
    },
    /// One that is none, or a sum that is too high.
    #[error(
        "rate `{0}` is not a number of operations per second from 0 to `{MAX_RATE}`, which is the \
         limit for all probes together as well"
    )]
    Rate(f64),
    /// Nothing takes it any more.
    #[error("the load has ended")]
    Ended,
}

/// Changes the rates of a load; clones change those of the same one.
#[derive(Debug, Clone)]
pub struct Steering {
    wishes: watch::Sender<Arc<[f64]>>,
    probes: usize,
}

impl Steering {
    pub(super) fn new(first: Arc<[f64]>) -> Self {
        let probes = first.len();
        Self {
            wishes: watch::Sender::new(first),
            probes,
        }
    }

    pub(super) fn wishes(&self) -> Wishes {
        Wishes {
            wishes: self.wishes.subscribe(),
            earliest: None,
        }
    }

    /// Asks for these rates, operations per second of each probe in the order of the load's; 0
    /// stops a probe. They are in force from within a quarter of a second on.
    ///
    /// # Errors
    /// When they are not one number for each probe, within 0 and [`MAX_RATE`] each and all
    /// together, or the load has ended.
    pub fn set(&self, rates: &[f64]) -> Result<(), RateError> {
        if rates.len() != self.probes || rates.is_empty() {
            return Err(RateError::Number {
                given: rates.len(),
                probes: self.probes,
            });
        }
        let sum = [rates.iter().sum()];
        let is_rate = |rate: &f64| (0.0..=MAX_RATE).contains(rate);
        if let Some(rate) = rates.iter().chain(&sum).find(|rate| !is_rate(rate)) {
            return Err(RateError::Rate(*rate));
        }
        self.wishes.send(rates.into()).map_err(|_| RateError::Ended)
    }
}

/// Where the engine hears of them.
#[derive(Debug)]
pub(crate) struct Wishes {
    wishes: watch::Receiver<Arc<[f64]>>,
    /// The next one is not taken before.
    earliest: Option<Instant>,
}

impl Wishes {
    /// The next wish. Without anybody left to wish it waits forever.
    pub(super) async fn next(&mut self) -> Arc<[f64]> {
        if let Some(earliest) = self.earliest {
            tokio::time::sleep_until(earliest).await;
        }
        if self.wishes.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        self.earliest = Some(Instant::now() + PAUSE);
        Arc::clone(&self.wishes.borrow_and_update())
    }
}
