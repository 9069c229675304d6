//! What one worker counts, and the connections that it lends: each operation is recorded once,
//! however it ends.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::level::Level;
use super::operation::Done;
use super::pacer::Pacer;
use super::recorder::{Ending, Operation, record};
use super::schedule::Arrival;
use super::stages::Staged;

/// What one worker counts.
#[derive(Debug)]
pub(crate) struct Shard {
    /// Number of the worker.
    pub(crate) number: u64,
    tally: Mutex<Tally>,
}

/// Its figures of the present window.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) recorder: Staged,
    /// Connections lent.
    pub(crate) used: Level,
    /// Connections open.
    pub(crate) open: u32,
    /// Processor time of the worker's thread so far, nanoseconds.
    pub(crate) cpu: u64,
}

impl Shard {
    pub(crate) fn new(number: u64, recorder: Staged) -> Self {
        Self {
            number,
            tally: Mutex::new(Tally {
                recorder,
                used: Level::default(),
                open: 0,
                cpu: 0,
            }),
        }
    }

    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection lent for one operation. Dropped before [`Lease::end`], by an abort or a panic, it
/// records the operation as given up, so that the counts add up whatever happens.
pub(crate) struct Lease<'a> {
    pub(crate) shard: &'a Shard,
    pub(crate) pacer: &'a Pacer,
    pub(crate) arrival: Arrival,
    pub(crate) sent: u64,
    pub(crate) is_measured: bool,
    pub(crate) is_open: bool,
}

impl Lease<'_> {
    /// Counts the connection as lent; `wait` and `late` in nanoseconds. `is_new` counts the
    /// operation as scheduled, which for one that came out of the line was done there.
    pub(crate) fn begin(&self, wait: u64, late: Option<u64>, is_new: bool) {
        let mut tally = self.shard.tally();
        let used = tally.used.value() + 1;
        tally.used.set(self.sent, used);
        if self.is_measured {
            let recorder = tally.recorder.at(self.arrival.at);
            record(&mut recorder.wait, wait);
            if let Some(late) = late {
                record(&mut recorder.lateness, late);
            }
            if is_new && let Some(probe) = recorder.probes.get_mut(self.arrival.source) {
                probe.counts.scheduled += 1;
            }
        }
    }

    /// Returns whether the connection is to be replaced.
    pub(crate) fn end(mut self, now: u64, done: Option<Done>) -> bool {
        self.is_open = false;
        let (retries, ending, is_broken) = match done {
            None => (0, Ending::TimedOut, true),
            Some(Done { retries, result }) => match result {
                Ok(rows) => (retries, Ending::Completed { rows }, false),
                Err(failure) if failure.is_timeout() => {
                    (retries, Ending::TimedOut, failure.is_broken)
                }
                Err(failure) => {
                    let is_broken = failure.is_broken;
                    let (code, text) = (failure.code, failure.text);
                    (retries, Ending::Failed { code, text }, is_broken)
                }
            },
        };
        self.record(now, retries, ending);
        is_broken
    }

    fn record(&self, now: u64, retries: u32, ending: Ending) {
        let mut tally = self.shard.tally();
        let used = tally.used.value().saturating_sub(1);
        tally.used.set(now, used);
        if self.is_measured {
            let recorder = tally.recorder.at(self.arrival.at);
            record(&mut recorder.usage, now.saturating_sub(self.sent));
            recorder.operation(Operation {
                probe: self.arrival.source,
                intended: self.arrival.at,
                sent: self.sent,
                ended: now,
                retries,
                ending,
            });
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if self.is_open {
            self.record(self.pacer.now(), 0, Ending::TimedOut);
        }
    }
}
