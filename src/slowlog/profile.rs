//! What a slow log says, class by class.

use super::histogram::Histogram;

/// A ranked profile: classes by total time, the most expensive first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    /// Names of what was read.
    pub sources: Vec<String>,
    /// Bytes of log, after decompression.
    pub bytes: u64,
    /// Entries that were counted.
    pub entries: u64,
    /// Entries that a filter left out.
    pub filtered: u64,
    /// Things that could not be read.
    pub malformed: u64,
    /// The first of them.
    pub faults: Vec<Fault>,
    /// Time of the first and of the last counted entry, in microseconds since 1970.
    pub window: Option<(i64, i64)>,
    /// The classes.
    pub classes: Vec<Class>,
    /// What did not fit into the classes, when there were too many.
    pub rest: Option<Class>,
    /// Distinct classes folded into `rest`, or a lower bound of their number.
    pub folded: u64,
    /// It was stopped before the end.
    pub is_interrupted: bool,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Name of the log.
    pub source: String,
    /// Line, from 1.
    pub line: u64,
    /// What is wrong.
    pub reason: &'static str,
    /// How the place looks.
    pub text: String,
}

/// Statements of one fingerprint.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Class {
    /// Text of the class; see [`crate::sql::fingerprint`].
    pub fingerprint: String,
    /// Hash of the class, the same in every run of this version.
    pub hash: u64,
    /// Executions.
    pub calls: u64,
    /// Total time in microseconds.
    pub time: u64,
    /// Shortest and longest time in microseconds.
    pub time_min: u64,
    /// Longest time in microseconds.
    pub time_max: u64,
    /// Sum of the squared times in square microseconds.
    pub squares: u128,
    /// Time waiting for locks in microseconds.
    pub lock_time: u64,
    /// Rows sent.
    pub rows_sent: u64,
    /// Rows examined.
    pub rows_examined: u64,
    /// Rows affected, where the log tells.
    pub rows_affected: u64,
    /// Bytes sent, where the log tells.
    pub bytes_sent: u64,
    /// Executions that ended with an error, where the log tells.
    pub errors: u64,
    /// Latencies.
    pub histogram: Histogram,
    /// Time of the first and of the last execution, in microseconds since 1970.
    pub seen: Option<(i64, i64)>,
    /// Default schemas.
    pub schemas: Tally,
    /// Users.
    pub users: Tally,
    /// Hosts.
    pub hosts: Tally,
    /// Statements as they were written: the slowest, then others picked at random, always the same
    /// ones for the same log.
    pub samples: Vec<Sample>,
}

/// A statement as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Its text.
    pub sql: String,
    /// Its time in microseconds.
    pub time: u64,
    /// The text was cut because it is very long.
    pub is_cut: bool,
    /// Decides which samples are kept.
    pub(super) lot: u64,
}

/// The window from the first to the last time, with one more time.
#[inline]
pub(super) fn widened(window: Option<(i64, i64)>, at: Option<i64>) -> Option<(i64, i64)> {
    match (window, at) {
        (Some((first, last)), Some(at)) => Some((first.min(at), last.max(at))),
        (None, Some(at)) => Some((at, at)),
        (window, None) => window,
    }
}

/// Names with their counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// In the order in which they came.
    pub names: Vec<(String, u64)>,
    /// Count of all names for which there was no room.
    pub others: u64,
}

/// Names that a tally keeps.
const NAMES: usize = 16;

impl Tally {
    /// Adds `count` to `name`.
    pub fn add(&mut self, name: &str, count: u64) {
        if let Some(known) = self.names.iter_mut().find(|(known, _)| known == name) {
            known.1 += count;
        } else if self.names.len() < NAMES {
            self.names.push((name.to_owned(), count));
        } else {
            self.others += count;
        }
    }

    /// The most frequent name; the first of several.
    #[must_use]
    pub fn most(&self) -> Option<&str> {
        let mut most: Option<&(String, u64)> = None;
        for name in &self.names {
            if most.is_none_or(|most| name.1 > most.1) {
                most = Some(name);
            }
        }
        most.map(|(name, _)| name.as_str())
    }
}

impl Class {
    /// A class of nothing yet.
    pub(super) fn new(fingerprint: String, hash: u64) -> Self {
        Self {
            fingerprint,
            hash,
            time_min: u64::MAX,
            ..Self::default()
        }
    }

    /// Adds the figures of the same class elsewhere; names and samples stay.
    pub(super) fn merge(&mut self, from: &Self) {
        self.calls += from.calls;
        self.time += from.time;
        self.time_min = self.time_min.min(from.time_min);
        self.time_max = self.time_max.max(from.time_max);
        self.squares += from.squares;
        self.lock_time += from.lock_time;
        self.rows_sent += from.rows_sent;
        self.rows_examined += from.rows_examined;
        self.rows_affected += from.rows_affected;
        self.bytes_sent += from.bytes_sent;
        self.errors += from.errors;
        self.histogram.merge(&from.histogram);
        if let Some((first, last)) = from.seen {
            self.seen = widened(widened(self.seen, Some(first)), Some(last));
        }
    }

    /// The default schema of most executions, if the log tells.
    #[must_use]
    pub fn schema(&self) -> Option<&str> {
        self.schemas.most().filter(|name| !name.is_empty())
    }

    /// Its part of a `total` time in microseconds.
    #[must_use]
    pub fn share(&self, total: u64) -> f64 {
        self.time as f64 / (total.max(1)) as f64
    }

    /// Mean time in microseconds.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.time as f64 / self.calls.max(1) as f64
    }

    /// Variance of the times divided by their mean, in seconds: near zero for a steady class.
    #[must_use]
    pub fn variance_to_mean(&self) -> f64 {
        let mean = self.mean();
        if mean == 0.0 {
            return 0.0;
        }
        let variance = self.squares as f64 / self.calls.max(1) as f64 - mean * mean;
        (variance.max(0.0) / mean) / 1e6
    }

    /// Time in microseconds that a share of the executions does not exceed; at most 1/32 too high.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> u64 {
        self.histogram.quantile(quantile).min(self.time_max)
    }
}

impl Profile {
    /// Total time in microseconds, of all classes.
    #[must_use]
    pub fn time(&self) -> u64 {
        self.classes
            .iter()
            .chain(&self.rest)
            .map(|class| class.time)
            .sum()
    }
}
