//! What happened to operations, counted: one recorder per worker, merged losslessly per window.
//!
//! Histograms count nanoseconds with 3 significant digits and grow to the longest latency met, so
//! that a recorder of many probes stays small. A recorded operation is never stored by itself:
//! memory does not depend on how many there were.

use std::collections::BTreeMap;
use std::fmt;

use hdrhistogram::Histogram;

use crate::model::probe::{Counts, Latencies, MAX_LATENCY};

/// Kinds of errors that are told apart; more are counted under [`ErrorCode::Other`].
const MAX_ERROR_KINDS: usize = 64;

/// Why an operation failed, in the form in which failures are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorCode {
    /// The server's error number, such as 1213 for a deadlock.
    Server(u16),
    /// The connection broke.
    Connection,
    /// More rows than the limit.
    TooManyRows,
    /// Anything else: a value that cannot be sent, an answer that cannot be read.
    Other,
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(number) => write!(f, "{number}"),
            Self::Connection => f.write_str("connection lost"),
            Self::TooManyRows => f.write_str("too many rows"),
            Self::Other => f.write_str("other"),
        }
    }
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Without an error.
    Completed {
        /// Rows returned or changed.
        rows: u64,
    },
    /// With an error.
    Failed {
        /// Its kind.
        code: ErrorCode,
        /// Its text, safe to show.
        text: String,
    },
    /// Given up after the operation timeout, or when the run was stopped.
    TimedOut,
    /// Never sent.
    Unsent,
}

/// One operation, times in nanoseconds since the load started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Index of its probe.
    pub probe: usize,
    /// Intended start.
    pub intended: u64,
    /// Sent to the server; for an operation that was never sent, when it was given up.
    pub sent: u64,
    /// Answered in full, or given up.
    pub ended: u64,
    /// Retries after a deadlock or a lock wait timeout.
    pub retries: u32,
    /// How it ended.
    pub ending: Ending,
}

/// Figures of one probe.
#[derive(Debug, Clone)]
pub struct Record {
    /// How operations ended.
    pub counts: Counts,
    /// From the intended start. Timed-out and unsent operations are in it as waits that lasted at
    /// least that long; failed ones are not, because failing fast is not answering fast.
    pub response: Latencies,
    /// From sending; completed and timed-out operations.
    pub service: Latencies,
    /// Rows of completed operations.
    pub rows: u64,
    /// Latest error.
    pub last_error: Option<String>,
}

/// Figures of all probes and of the connections behind them.
#[derive(Debug, Clone)]
pub struct Recorder {
    /// Each probe.
    pub probes: Vec<Record>,
    /// Waits for a connection.
    pub wait: Latencies,
    /// Times to open a connection.
    pub create: Latencies,
    /// Times a connection was lent.
    pub usage: Latencies,
    /// How late the generator acted.
    pub lateness: Latencies,
    /// Failures by probe and kind.
    pub errors: BTreeMap<(usize, ErrorCode), u64>,
    /// Values above the longest latency a histogram holds, recorded as that.
    pub overflow: u64,
    /// Requests for a connection that were given up.
    pub timeouts: u64,
    /// Connections opened.
    pub created: u64,
    /// Connections closed, on purpose or broken.
    pub closed: u64,
    /// Attempts to open a connection that failed.
    pub refused: u64,
    /// Why the latest of them failed, safe to show.
    pub last_refusal: Option<String>,
}

/// An empty histogram that grows.
#[must_use]
pub fn growing() -> Latencies {
    // Only a number of digits above 5 is refused.
    Histogram::new(3).unwrap_or_else(|_| unreachable!("constant digits"))
}

/// Records `nanos`; returns whether it was longer than a histogram holds.
pub fn record(histogram: &mut Latencies, nanos: u64) -> bool {
    let longest = u64::try_from(MAX_LATENCY.as_nanos()).unwrap_or(u64::MAX);
    // A histogram that grows takes every value up to the bound.
    let _ = histogram.record(nanos.min(longest));
    nanos > longest
}

/// Adds all of `source` to `target`, without loss.
pub fn merge(target: &mut Latencies, source: &Latencies) {
    // Fails only for a target that may not grow; none is made here.
    let added = target.add(source);
    debug_assert!(added.is_ok(), "{added:?}");
}

impl Record {
    fn new() -> Self {
        Self {
            counts: Counts::default(),
            response: growing(),
            service: growing(),
            rows: 0,
            last_error: None,
        }
    }

    fn merge(&mut self, other: &Self) {
        self.counts = self.counts.plus(other.counts);
        merge(&mut self.response, &other.response);
        merge(&mut self.service, &other.service);
        self.rows += other.rows;
        if other.last_error.is_some() {
            self.last_error.clone_from(&other.last_error);
        }
    }
}

impl Recorder {
    /// An empty recorder for this many probes.
    #[must_use]
    pub fn new(probes: usize) -> Self {
        Self {
            probes: (0..probes).map(|_| Record::new()).collect(),
            wait: growing(),
            create: growing(),
            usage: growing(),
            lateness: growing(),
            errors: BTreeMap::new(),
            overflow: 0,
            timeouts: 0,
            created: 0,
            closed: 0,
            refused: 0,
            last_refusal: None,
        }
    }

    /// Records how an operation ended.
    pub fn operation(&mut self, operation: Operation) {
        let Some(record_of) = self.probes.get_mut(operation.probe) else {
            return;
        };
        let response = operation.ended.saturating_sub(operation.intended);
        let service = operation.ended.saturating_sub(operation.sent);
        let counts = &mut record_of.counts;
        counts.retries += u64::from(operation.retries);
        let (in_response, in_service) = match operation.ending {
            Ending::Completed { rows } => {
                counts.completed += 1;
                record_of.rows += rows;
                (true, true)
            }
            Ending::Failed { code, text } => {
                counts.failed += 1;
                record_of.last_error = Some(text);
                let code = if self.errors.len() < MAX_ERROR_KINDS {
                    code
                } else {
                    ErrorCode::Other
                };
                *self.errors.entry((operation.probe, code)).or_default() += 1;
                (false, false)
            }
            Ending::TimedOut => {
                counts.timed_out += 1;
                (true, true)
            }
            Ending::Unsent => {
                counts.unsent += 1;
                (true, false)
            }
        };
        if in_response {
            self.overflow += u64::from(record(&mut record_of.response, response));
        }
        if in_service {
            record(&mut record_of.service, service);
        }
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.probes.iter_mut().zip(&other.probes) {
            mine.merge(theirs);
        }
        merge(&mut self.wait, &other.wait);
        merge(&mut self.create, &other.create);
        merge(&mut self.usage, &other.usage);
        merge(&mut self.lateness, &other.lateness);
        for (kind, count) in &other.errors {
            *self.errors.entry(*kind).or_default() += count;
        }
        self.overflow += other.overflow;
        self.timeouts += other.timeouts;
        self.created += other.created;
        self.closed += other.closed;
        self.refused += other.refused;
        if other.last_refusal.is_some() {
            self.last_refusal.clone_from(&other.last_refusal);
        }
    }

    /// Whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let histograms = [&self.wait, &self.create, &self.usage, &self.lateness];
        histograms.iter().all(|histogram| histogram.is_empty())
            && self.counts() == Counts::default()
            && self.created + self.closed + self.refused + self.timeouts == 0
    }

    /// Empties it and keeps its memory.
    pub fn clear(&mut self) {
        for probe in &mut self.probes {
            probe.counts = Counts::default();
            probe.response.clear();
            probe.service.clear();
            probe.rows = 0;
            probe.last_error = None;
        }
        self.wait.clear();
        self.create.clear();
        self.usage.clear();
        self.lateness.clear();
        self.errors.clear();
        (self.overflow, self.timeouts, self.created) = (0, 0, 0);
        (self.closed, self.refused) = (0, 0);
        self.last_refusal = None;
    }

    /// The counts of all probes together.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.probes
            .iter()
            .fold(Counts::default(), |sum, probe| sum.plus(probe.counts))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn operation(intended: u64, sent: u64, ended: u64, ending: Ending) -> Operation {
        Operation {
            probe: 0,
            intended,
            sent,
            ended,
            retries: 0,
            ending,
        }
    }

    #[test]
    fn histograms_hold_what_their_documentation_says() {
        let mut recorder = Recorder::new(1);
        let failed = Ending::Failed {
            code: ErrorCode::Server(1213),
            text: "deadlock".to_owned(),
        };
        recorder.operation(operation(0, 50, 150, Ending::Completed { rows: 3 }));
        recorder.operation(operation(0, 10, 20, failed));
        recorder.operation(operation(0, 40, 1_000, Ending::TimedOut));
        recorder.operation(operation(0, 900, 900, Ending::Unsent));
        let record = &recorder.probes[0];
        let counts = record.counts;
        assert_eq!(
            (
                counts.completed,
                counts.failed,
                counts.timed_out,
                counts.unsent
            ),
            (1, 1, 1, 1)
        );
        assert_eq!((record.response.len(), record.service.len()), (3, 2));
        assert_eq!((record.response.max(), record.service.max()), (1_000, 960));
        assert_eq!(record.rows, 3);
        assert_eq!(recorder.errors[&(0, ErrorCode::Server(1213))], 1);
    }

    #[test]
    fn too_long_is_recorded_as_the_longest_and_counted() {
        let mut recorder = Recorder::new(1);
        recorder.operation(operation(0, 0, u64::MAX, Ending::TimedOut));
        let max = recorder.probes[0].response.max();
        assert!(max >= 3_599_000_000_000, "{max}");
        assert_eq!(recorder.overflow, 1);
    }

    #[test]
    fn kinds_of_errors_are_bounded() {
        let mut recorder = Recorder::new(1);
        for number in 0..1_000 {
            let code = ErrorCode::Server(number);
            let text = String::new();
            recorder.operation(operation(0, 0, 1, Ending::Failed { code, text }));
        }
        assert!(recorder.errors.len() <= MAX_ERROR_KINDS + 1);
        assert_eq!(recorder.errors.values().sum::<u64>(), 1_000);
    }

    proptest! {
        #[test]
        fn merging_loses_nothing(values in prop::collection::vec((0_usize..2, 1_u64..5_000_000_000), 1..200)) {
            let mut whole = Recorder::new(1);
            let mut parts = [Recorder::new(1), Recorder::new(1)];
            for (part, ended) in values {
                let one = operation(0, 0, ended, Ending::Completed { rows: 1 });
                whole.operation(one.clone());
                parts[part].operation(one);
            }
            let mut merged = Recorder::new(1);
            merged.merge(&parts[0]);
            merged.merge(&parts[1]);
            prop_assert_eq!(&merged.probes[0].response, &whole.probes[0].response);
            prop_assert_eq!(merged.counts(), whole.counts());
            merged.clear();
            prop_assert!(merged.probes[0].response.is_empty());
        }
    }
}
