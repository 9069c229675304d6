//! Statement digests: cumulative rows as the server keeps them, and what they did in an interval.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::latency::BucketCounts;

/// Identity of a digest row: the digest alone is not unique, the schema may be NULL, and the row
/// with a NULL digest collects every statement that found the table full.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DigestKey {
    /// Default schema of the session that ran it.
    pub schema: Option<Arc<str>>,
    /// SHA-256 in hexadecimal; `None` is the row of lost digests.
    pub digest: Option<Arc<str>>,
}

impl DigestKey {
    /// Whether this is the row that stands for all statements the full table had no room for.
    #[must_use]
    pub fn is_lost_row(&self) -> bool {
        self.digest.is_none()
    }

    /// The first 16 digits of the digest, which are enough to tell it; empty for the lost row.
    #[must_use]
    pub fn start(&self) -> String {
        let digest = self.digest.as_deref().unwrap_or_default();
        digest.chars().take(16).collect()
    }
}

macro_rules! digest_counters {
    ($($(#[$doc:meta])* $field:ident = $column:literal),* $(,)?) => {
        /// The counters of one digest; times in picoseconds.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct DigestCounters { $($(#[$doc])* pub $field: u64),* }

        impl DigestCounters {
            /// Column names of `events_statements_summary_by_digest`, in field order.
            pub const COLUMNS: &'static [&'static str] = &[$($column),*];

            /// Builds from values in the order of [`Self::COLUMNS`]; missing ones are zero.
            #[must_use]
            pub fn from_values(values: &[u64]) -> Self {
                let mut values = values.iter().copied();
                Self { $($field: values.next().unwrap_or(0)),* }
            }

            /// What was added since `earlier`, or `None` when any counter fell.
            #[must_use]
            pub fn since(&self, earlier: &Self) -> Option<Self> {
                Some(Self { $($field: self.$field.checked_sub(earlier.$field)?),* })
            }

            /// Field by field sum.
            #[must_use]
            pub fn plus(&self, other: &Self) -> Self {
                Self { $($field: self.$field.saturating_add(other.$field)),* }
            }
        }
    };
}

digest_counters! {
    /// Executions.
    calls = "COUNT_STAR",
    /// Total time, picoseconds.
    time_ps = "SUM_TIMER_WAIT",
    /// Time waiting for table locks, picoseconds.
    lock_ps = "SUM_LOCK_TIME",
    /// Executions that ended in an error.
    errors = "SUM_ERRORS",
    /// Warnings.
    warnings = "SUM_WARNINGS",
    /// Rows changed.
    rows_affected = "SUM_ROWS_AFFECTED",
    /// Rows returned.
    rows_sent = "SUM_ROWS_SENT",
    /// Rows read by the executor.
    rows_examined = "SUM_ROWS_EXAMINED",
    /// Internal temporary tables on disk.
    tmp_disk_tables = "SUM_CREATED_TMP_DISK_TABLES",
    /// Internal temporary tables.
    tmp_tables = "SUM_CREATED_TMP_TABLES",
    /// Joins that scanned the second table without an index.
    full_joins = "SUM_SELECT_FULL_JOIN",
    /// First tables read as a whole.
    scans = "SUM_SELECT_SCAN",
    /// Rows sorted.
    sort_rows = "SUM_SORT_ROWS",
    /// Executions that used no index.
    no_index = "SUM_NO_INDEX_USED",
    /// Executions for which the optimizer re-checked indexes for each row.
    no_good_index = "SUM_NO_GOOD_INDEX_USED",
    /// Processor time, picoseconds; zero unless the consumer `events_statements_cpu` is on.
    cpu_ps = "SUM_CPU_TIME",
}

/// One cumulative row of the digest table.
#[derive(Debug, Clone, PartialEq)]
pub struct DigestRow {
    /// Identity.
    pub key: DigestKey,
    /// Since `first_seen`.
    pub counters: DigestCounters,
    /// When the row was made; moves only when the table was truncated.
    pub first_seen: Timestamp,
}

/// What one digest did in one interval.
#[derive(Debug, Clone, PartialEq)]
pub struct DigestDelta {
    /// Identity.
    pub key: DigestKey,
    /// Normalized text, cut by the server at `performance_schema_max_digest_length`; absent until
    /// it has been fetched, and for the lost row.
    pub text: Option<Arc<str>>,
    /// Differences over the interval.
    pub counters: DigestCounters,
    /// First seen within the interval.
    pub is_new: bool,
    /// Average time per call of this digest in the latest intervals, oldest first.
    pub trend: Vec<Duration>,
}

impl DigestDelta {
    /// Average time per execution.
    #[must_use]
    pub fn average(&self) -> Duration {
        super::units::from_picoseconds(
            self.counters
                .time_ps
                .checked_div(self.counters.calls)
                .unwrap_or(0),
        )
    }

    /// Rows examined for each row sent or changed; the executor's waste. `None` without calls.
    #[must_use]
    pub fn examined_per_row(&self) -> Option<f64> {
        (self.counters.calls > 0).then(|| {
            let useful = (self.counters.rows_sent + self.counters.rows_affected).max(1);
            self.counters.rows_examined as f64 / useful as f64
        })
    }
}

/// Why an interval of digests is not whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DigestGap {
    /// The server restarted; everything before is gone.
    Restarted,
    /// Someone truncated the table; what ran between the last poll and the truncation is unseen.
    Truncated,
}

/// All digests that were active in one interval.
#[derive(Debug, Clone, PartialEq)]
pub struct DigestInterval {
    /// When the interval ended.
    pub to: Timestamp,
    /// Its length.
    pub window: Duration,
    /// Active digests, the most time first; mydex's own are left out.
    pub digests: Vec<DigestDelta>,
    /// Sum over `digests` and the lost row.
    pub total: DigestCounters,
    /// What fell into the lost row, if anything did.
    pub lost: Option<DigestCounters>,
    /// Rows in the table, and its capacity (`performance_schema_digests_size`) where known.
    pub rows: u64,
    /// Capacity of the table.
    pub capacity: Option<u64>,
    /// A break in the counting, if there was one.
    pub gap: Option<DigestGap>,
    /// How long until the next poll, as the overhead budget allows.
    pub next_poll: Duration,
}

/// Differences of `now` against `earlier`, by identity.
///
/// A row that is new counts from zero when it was first seen after `since` (the time of the
/// earlier poll, server clock); a row whose counters fell or whose `first_seen` moved was
/// truncated and also counts from zero. Rows that did nothing are left out.
#[must_use]
pub fn difference<S: BuildHasher>(
    now: &[DigestRow],
    earlier: &HashMap<DigestKey, DigestRow, S>,
) -> (Vec<(DigestKey, DigestCounters, bool)>, bool) {
    let mut truncated = false;
    let mut deltas = Vec::new();
    for row in now {
        let (counters, is_new) = match earlier.get(&row.key) {
            None => (row.counters, true),
            Some(then) => match row.counters.since(&then.counters) {
                Some(delta) if row.first_seen == then.first_seen => (delta, false),
                _ => {
                    truncated = true;
                    (row.counters, false)
                }
            },
        };
        if counters.calls > 0 {
            deltas.push((row.key.clone(), counters, is_new));
        }
    }
    (deltas, truncated)
}

/// Everything the detail pane shows of one digest, read on demand.
#[derive(Debug, Clone, PartialEq)]
pub struct DigestDetail {
    /// Identity.
    pub key: DigestKey,
    /// Normalized text.
    pub text: Option<String>,
    /// A real statement, with its constants, as the server kept it.
    pub sample: Option<Sample>,
    /// Latency since `first_seen`.
    pub latency: BucketCounts,
    /// Since `first_seen`.
    pub counters: DigestCounters,
    /// When the row was made.
    pub first_seen: Timestamp,
    /// The plan, or why there is none.
    pub plan: Plan,
}

/// A statement kept by the server as an example of its digest.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its text.
    pub sql: String,
    /// Cut by the server (`performance_schema_max_sql_text_length`), so that it cannot be
    /// explained.
    pub is_truncated: bool,
    /// When it ran.
    pub seen: Option<Timestamp>,
    /// How long it took.
    pub time: Duration,
}

/// An execution plan, or the reason why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// `EXPLAIN FORMAT=TREE`, as the server printed it.
    Tree(String),
    /// Why not, and the remedy, in one sentence.
    Unavailable(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(digest: &str, calls: u64, first_seen: i64) -> DigestRow {
        DigestRow {
            key: DigestKey {
                schema: None,
                digest: Some(digest.into()),
            },
            counters: DigestCounters {
                calls,
                time_ps: calls * 1_000,
                ..Default::default()
            },
            first_seen: Timestamp::from_second(first_seen).unwrap(),
        }
    }

    fn map(rows: &[DigestRow]) -> HashMap<DigestKey, DigestRow> {
        rows.iter().map(|r| (r.key.clone(), r.clone())).collect()
    }

    #[test]
    fn deltas_by_identity() {
        let (deltas, truncated) = difference(
            &[row("a", 5, 1), row("b", 2, 9), row("c", 1, 1)],
            &map(&[row("a", 3, 1), row("c", 1, 1)]),
        );
        assert!(!truncated);
        let calls: Vec<_> = deltas
            .iter()
            .map(|(k, c, new)| (k.digest.as_deref().unwrap(), c.calls, *new))
            .collect();
        assert_eq!(calls, [("a", 2, false), ("b", 2, true)]);
    }

    #[test]
    fn truncation_is_seen_even_when_counts_grew() {
        let (deltas, truncated) = difference(&[row("a", 7, 100)], &map(&[row("a", 3, 1)]));
        assert!(truncated);
        assert_eq!(deltas[0].1.calls, 7);
    }
}
