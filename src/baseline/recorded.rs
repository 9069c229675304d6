//! What was recorded of a workload: the values that the file holds.

use std::collections::BTreeMap;

/// A recorded workload.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Baseline {
    /// What was run.
    pub workload: Workload,
    /// The server it ran on.
    pub server: ServerFacts,
    /// The data it ran over.
    pub data: Data,
    /// The indexes of each table, each as `name (columns)`. They are what a baseline guards, so
    /// that a difference is told and compared all the same.
    pub indexes: BTreeMap<String, Vec<String>>,
    /// The counters that the server could tell; one that a probe does not list is 0.
    pub counted: Vec<String>,
    /// Probe by probe.
    pub probes: BTreeMap<String, Probe>,
    /// Probes that were not run, with the reason.
    pub left_out: BTreeMap<String, String>,
    /// What a timed pass gave, where there was one.
    pub timed: Option<Timed>,
}

/// What was run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Workload {
    /// Name of the pack.
    pub pack: String,
    /// Version of its data.
    pub version: u32,
    /// Seed of its data.
    pub data_seed: u64,
    /// Size of its data.
    pub scale: f64,
    /// Seed of the values of the operations.
    pub seed: u64,
    /// Operations of each probe.
    pub operations: u64,
}

/// A server as far as it decides what is counted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ServerFacts {
    /// `VERSION()`.
    pub version: String,
    /// Variables that plans and temporary tables depend on.
    pub variables: BTreeMap<String, String>,
}

/// The data of a workload.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Data {
    /// Table by table.
    pub tables: BTreeMap<String, TableData>,
}

/// The data of one table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableData {
    /// Its rows.
    pub rows: u64,
    /// A sum over the contents of all rows, in any order; it changes with each of them.
    pub checksum: String,
    /// The same of the definitions of its columns.
    pub columns: String,
}

/// One probe.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Probe {
    /// Counters over all operations; those that are 0 are left out.
    pub counters: BTreeMap<String, Count>,
    /// The plans of its operations, in the order of their text.
    pub plans: Vec<PlanShape>,
    /// Why an operation failed; no file is written then.
    pub failure: Option<String>,
}

/// A counter in the rounds that were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// The lowest.
    pub low: u64,
    /// The highest; more than the lowest where rounds of the same operations differed.
    pub high: u64,
}

/// A plan, and how many operations had it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct PlanShape {
    /// The plan without costs and constants, a line for each step.
    pub shape: Vec<String>,
    /// Operations.
    pub operations: u64,
}

/// What a timed pass gave. It differs from run to run, and no exact comparison reads it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Timed {
    /// Measured time, seconds.
    pub seconds: f64,
    /// Intended rate of all probes, operations per second.
    pub rate: f64,
    /// Probe by probe.
    pub probes: BTreeMap<String, TimedProbe>,
    /// Figures of the pool, by name with unit.
    pub pool: BTreeMap<String, f64>,
}

/// One probe of a timed pass.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimedProbe {
    /// Operations that ended without an error.
    pub completed: u64,
    /// Operations that failed, were given up or never sent.
    pub others: u64,
    /// Response times by quantile, microseconds.
    pub response_us: BTreeMap<String, f64>,
    /// All response times: an HDR histogram of nanoseconds, V2 with deflate, in base64.
    pub response: String,
    /// All service times, likewise.
    pub service: String,
}

impl Count {
    /// A counter that every round agreed on.
    #[must_use]
    pub fn steady(value: u64) -> Self {
        Self {
            low: value,
            high: value,
        }
    }

    /// Whether all rounds agreed.
    #[must_use]
    pub fn is_steady(self) -> bool {
        self.low == self.high
    }

    /// With another round.
    #[must_use]
    pub fn with(self, value: u64) -> Self {
        Self {
            low: self.low.min(value),
            high: self.high.max(value),
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            low: self.low.saturating_add(other.low),
            high: self.high.saturating_add(other.high),
        }
    }
}

impl Probe {
    /// A counter; one that is not listed is 0.
    #[must_use]
    pub fn counter(&self, name: &str) -> Count {
        self.counters.get(name).copied().unwrap_or_default()
    }
}
