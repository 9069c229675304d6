//! Where workloads come from: every source gives statements as they were found, and [`gather`]
//! makes a workload of them in one way.

pub mod digests;
pub mod gather;

use std::time::Duration;

/// Statements of one class as a source found them, before anything is known of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// Short, stable name; see [`super::workload::Query::name`].
    pub name: String,
    /// Normalized text.
    pub fingerprint: String,
    /// Default schema.
    pub schema: Option<String>,
    /// Statements as they were sent, the most typical first.
    pub samples: Vec<String>,
    /// Why its samples can't be used, with the remedy, where they were cut.
    pub cut: Option<&'static str>,
    /// Executions, or a weight.
    pub calls: f64,
    /// Measured total time.
    pub time: Option<Duration>,
    /// Rows examined.
    pub rows_examined: Option<u64>,
    /// Rows sent.
    pub rows_sent: Option<u64>,
    /// Rows inserted, updated or deleted.
    pub rows_affected: Option<u64>,
    /// How much slower it may get, as a share.
    pub tolerance: Option<f64>,
}
