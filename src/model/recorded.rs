//! A recorded baseline as far as it can stand beside a load that runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::probe::Latencies;

/// A recorded workload, for comparing by eye: times were taken on another day and perhaps on
/// another machine.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedLoad {
    /// The file.
    pub file: String,
    /// The data that it ran over, as a phrase: pack, version, seed, scale.
    pub data: String,
    /// Version of the server that it ran on.
    pub version: String,
    /// Measured time of its timed pass, seconds; `None` where it has none.
    pub seconds: Option<f64>,
    /// Probe by probe.
    pub probes: BTreeMap<Arc<str>, RecordedProbe>,
    /// What it lacks, each one phrase with the remedy.
    pub lacks: Vec<String>,
}

/// One probe of it.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedProbe {
    /// From sending to the last row; `None` where it was not timed.
    pub service: Option<Latencies>,
    /// Rows that one operation examined on average; `None` where they were not counted.
    pub rows_examined: Option<f64>,
}
