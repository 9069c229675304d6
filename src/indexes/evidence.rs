//! What speaks for a change: kept beside it, so that a reviewer sees it and the gain can be checked
//! after it was applied.

use crate::model::advice::Tier;

/// What speaks for a change. No date is in it, so that the same advice gives the same file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evidence {
    /// Where the workload came from.
    pub source: String,
    /// The time it covers, seconds.
    pub window_seconds: Option<f64>,
    /// How it was judged.
    pub tier: Option<Tier>,
    /// It was executed and measured there, not only estimated.
    pub is_proven: bool,
    /// Version of the server that it is for.
    pub server_version: Option<String>,
    /// Version of mydex.
    pub mydex_version: Option<String>,
    /// The workload before and after everything that was recommended together.
    pub load: Option<Load>,
    /// Estimated bytes.
    pub bytes: Option<u64>,
    /// Estimated time to build, seconds.
    pub build_seconds: Option<f64>,
    /// Estimated time for each inserted row, microseconds; negative for a drop.
    pub write_us_per_row: Option<f64>,
    /// The queries that it changes.
    pub queries: Vec<QueryEvidence>,
}

/// What the workload takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// In what it is measured.
    pub unit: Unit,
    /// Today.
    pub before: f64,
    /// With everything that was recommended together.
    pub after: f64,
    /// What is lost of the difference if this change is left out, with those that only pay beside it.
    pub marginal: f64,
}

/// Unit of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Unit {
    Seconds,
    Cost,
}

impl Unit {
    /// The unit as it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Cost => "cost",
        }
    }
}

/// What the change does to one query.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct QueryEvidence {
    /// Short name.
    pub name: String,
    /// Normalized text, as the server's own digests have it.
    pub fingerprint: String,
    /// Its default schema.
    pub schema: Option<String>,
    /// Executions in the workload.
    pub calls: Option<f64>,
    /// What the change alone does to its cost: 0.1 is ten times faster.
    pub factor: Option<f64>,
    /// Estimated cost of one execution, before and after.
    pub cost: Option<(f64, f64)>,
    /// Time of one execution where it was run, microseconds, before and after.
    pub time_us: Option<(f64, f64)>,
    /// The execution before was ended at the time limit: its true time and rows are more.
    pub is_capped: bool,
    /// Rows read by one execution where it was run, before and after.
    pub rows_read: Option<(u64, u64)>,
}
