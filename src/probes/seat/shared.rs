//! What all workers share: the line, its changes, the end.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::probes::pacer::{Pacer, Precision};
use crate::probes::pool::Connector;
use crate::probes::queue::{Next, Queue};
use crate::probes::schedule::Arrival;
use crate::probes::think::Think;

/// Connections that are being opened at one time.
const OPENING: usize = 16;

/// An operation that was handed out before its time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    ticket: u64,
    /// How often rates had changed by then.
    changes: u64,
}

/// What all workers share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The line in front of the connections.
    pub(crate) queue: Mutex<Queue>,
    /// Operations meant to start before this are run, not counted.
    pub(crate) warm: u64,
    /// Operation timeout of each probe, nanoseconds.
    pub(crate) timeouts: Vec<u64>,
    /// Bound of one attempt to connect.
    pub(crate) connect_timeout: Duration,
    /// Timer of the pacers.
    pub(crate) precision: Precision,
    /// What the users of a closed loop do between two operations, with its seed.
    pub(crate) think: Option<(Think, u64)>,
    /// No further operation is taken, nothing is reconnected.
    pub(crate) stop: CancellationToken,
    /// Operations in flight are given up.
    pub(crate) abort: CancellationToken,
    /// Bounds the connections being opened.
    pub(crate) opening: Semaphore,
    /// Set with `stop`; cheaper to read.
    pub(crate) is_stopped: AtomicBool,
    /// How often rates have changed.
    pub(crate) changes: AtomicU64,
    /// Tells the workers of each change.
    pub(crate) changed: watch::Sender<()>,
}

impl Shared {
    pub(crate) fn new(
        queue: Queue,
        warm: u64,
        timeouts: Vec<u64>,
        connect_timeout: Duration,
        precision: Precision,
    ) -> Self {
        Self {
            queue: Mutex::new(queue),
            warm,
            timeouts,
            connect_timeout,
            precision,
            think: None,
            stop: CancellationToken::new(),
            abort: CancellationToken::new(),
            opening: Semaphore::new(OPENING),
            is_stopped: AtomicBool::new(false),
            changes: AtomicU64::new(0),
            changed: watch::Sender::new(()),
        }
    }

    /// From the moment that it returns on these are the rates of the probes.
    pub(crate) fn rerate(&self, now: impl FnOnce() -> u64, rates: &[f64]) -> u64 {
        let mut queue = self.queue();
        // Counted before the clock is read: whoever has woken for its operation and sees the old
        // count did so before this moment, so that its operation is not called back.
        self.changes.fetch_add(1, Ordering::SeqCst);
        let from = queue.rerate(now(), rates);
        drop(queue);
        self.changed.send_replace(());
        from
    }

    pub(crate) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the taking of operations at `now`.
    pub(crate) fn finish(&self, now: u64) {
        self.queue().finish(now);
        self.is_stopped.store(true, Ordering::Release);
        self.stop.cancel();
    }

    /// The next operation of a connection that is free at `now`.
    pub(super) fn next(&self, now: u64) -> (Next, Claim) {
        let changes = self.changes.load(Ordering::SeqCst);
        let mut queue = self.queue();
        let next = queue.take(now);
        let ticket = queue.ticket();
        (next, Claim { ticket, changes })
    }

    /// Waits for the time of an operation that was handed out before it. `false` when it was
    /// called back meanwhile, or the run was ended.
    pub(super) async fn wait_for(
        &self,
        arrival: &Arrival,
        claim: Claim,
        pacer: &Pacer,
        seat: usize,
    ) -> bool {
        loop {
            pacer.wait(seat, arrival.at).await;
            let is_early = pacer.now() < arrival.at;
            if self.changes.load(Ordering::SeqCst) != claim.changes
                && self.queue().is_called_back(claim.ticket)
            {
                return false;
            }
            if self.is_stopped.load(Ordering::Acquire) {
                return !self.queue().is_called_off(arrival);
            }
            if !is_early {
                return true;
            }
            // Roused for a change that was before this operation was handed out.
        }
    }

    pub(super) async fn open<C: Connector>(
        &self,
        connector: &C,
    ) -> Result<(C::Session, u64), sqlx::Error> {
        // Never closed, so that the permit is always granted.
        let _permit = self.opening.acquire().await;
        let begin = Instant::now();
        match tokio::time::timeout(self.connect_timeout, connector.connect()).await {
            Ok(session) => Ok((
                session?,
                u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX),
            )),
            Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
        }
    }
}
