//! What the index advisor found: recommendations with their evidence, for whoever shows them.

use std::time::Duration;

use super::finding::Finding;
use super::schema::{GeneratedColumn, Index, TableName};

/// How the what-if answers were found; trust rises from the first to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// A twin without data: the schema with the target's statistics and histograms.
    Dataless,
    /// A twin with a sample that is consistent along foreign keys.
    Sample,
    /// Real indexes on a replica or clone that the user named.
    Replica,
}

impl Tier {
    /// `T0`, `T1`, `T2`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Dataless => "T0",
            Self::Sample => "T1",
            Self::Replica => "T2",
        }
    }
}

/// Everything one run of the advisor has to say.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// Name of the server it is for, without secrets.
    pub server: String,
    /// Its version.
    pub version: String,
    /// Where the workload came from, and the time it covers.
    pub workload: WorkloadSummary,
    /// How it was judged, and the limits of that.
    pub twin: TwinSummary,
    /// What the user asked for.
    pub limits: Limits,
    /// Best first: creations and drops.
    pub recommendations: Vec<Recommendation>,
    /// Every query of the workload that could be judged, the heaviest first.
    pub queries: Vec<QueryEffect>,
    /// Statements that could not be judged, with the reason.
    pub skipped: Vec<Skipped>,
    /// Advice that is no index to be made by itself, such as full text; and what could not be seen.
    pub notes: Vec<Finding>,
    /// How far the chosen set is from the best.
    pub optimality: Optimality,
    /// What the work took, here and on the server it is for.
    pub effort: Effort,
}

/// The workload in figures.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkloadSummary {
    /// A phrase, such as `digests of db1:3306` or `slow log app.log`.
    pub source: String,
    /// The time it covers, where the source tells.
    pub window: Option<Duration>,
    /// Weights are measured total times; otherwise calls times estimated costs.
    pub is_measured: bool,
    /// Those times are calls times one execution on the twin, not the server's own.
    pub is_of_twin: bool,
    /// Estimated time of the workload today: in the window when it was measured, else in the
    /// optimizer's cost units.
    pub before: f64,
    /// The same with everything that is recommended.
    pub after: f64,
}

/// The twin, or the server that stands for it.
#[derive(Debug, Clone, PartialEq)]
pub struct TwinSummary {
    /// How the answers were found.
    pub tier: Tier,
    /// Version of the server that answered.
    pub version: String,
    /// Rows there, and rows in the original, over all tables of the workload.
    pub rows: (u64, u64),
    /// What this can't tell, each one sentence; a difference of versions is among them.
    pub limits: Vec<String>,
}

/// The limits under which the set was chosen.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Limits {
    /// Bytes that new indexes may take together.
    pub budget_bytes: Option<u64>,
    /// New indexes at most.
    pub max_indexes: Option<u32>,
    /// Added write cost at most, microseconds of server time a second of the window.
    pub max_write_cost: Option<f64>,
    /// How much slower a query may get, as a share: 0.1 is ten percent.
    pub tolerance: f64,
}

/// What is to be done with an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Action {
    Create,
    Drop,
}

/// How much a DDL statement stands in the way of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockLevel {
    /// `LOCK=NONE`: reads and writes go on.
    None,
    /// `LOCK=SHARED`: reads go on, writes wait.
    Shared,
    /// `LOCK=EXCLUSIVE`: everyone waits.
    Exclusive,
}

/// One change, with everything needed to decide on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// Create or drop.
    pub action: Action,
    /// On which table.
    pub table: TableName,
    /// The index.
    pub index: Index,
    /// A generated column that is made before it, or goes after it when it is dropped.
    pub column: Option<GeneratedColumn>,
    /// Why, in one or two sentences.
    pub reason: String,
    /// Statements to run, in order, without final semicolons.
    pub ddl: Vec<String>,
    /// Statements that undo them.
    pub undo: Vec<String>,
    /// Estimated bytes on disk: taken when created, freed when dropped.
    pub bytes: u64,
    /// Estimated time to build; zero for a drop.
    pub build: Duration,
    /// The strongest lock that the statements need.
    pub lock: LockLevel,
    /// Estimated time that it adds to each inserted row, microseconds.
    pub write_us_per_row: f64,
    /// Estimated write cost in the workload, microseconds of server time a second; `None` where
    /// the workload has no window.
    pub write_us_per_second: Option<f64>,
    /// What is lost of `before - after` if this one is left out, and with it those that only pay
    /// beside it, in the workload's unit.
    pub marginal: f64,
    /// Queries that it helps and hurts, by their place in [`Advice::queries`], with the marginal
    /// factor of their cost: 0.1 is ten times faster, 1.2 a fifth slower.
    pub effects: Vec<(usize, f64)>,
    /// The nearest others, and why they lost.
    pub alternatives: Vec<Alternative>,
    /// Measured on the twin, not only estimated.
    pub is_proven: bool,
}

/// An index that was considered in place of a recommended one.
#[derive(Debug, Clone, PartialEq)]
pub struct Alternative {
    /// The index.
    pub index: Index,
    /// Why it lost, in one sentence with figures.
    pub why: String,
}

/// What the recommendations do to one query.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryEffect {
    /// Short name: a probe, a file's line, or the beginning of a digest.
    pub name: String,
    /// Normalized text.
    pub fingerprint: String,
    /// Its default schema.
    pub schema: Option<String>,
    /// Executions in the workload; a weight where the source has no counts.
    pub calls: f64,
    /// Measured total time in the workload.
    pub time: Option<Duration>,
    /// Estimated cost of one execution before and after, in the optimizer's units on the twin.
    pub cost: (f64, f64),
    /// Measured on the twin, where it was run: before and after.
    pub measured: Option<(Measured, Measured)>,
    /// `EXPLAIN FORMAT=TREE` before and after; the same text when the plan stays.
    pub plans: Option<(String, String)>,
    /// Names of the recommended indexes that its plan uses afterwards.
    pub uses: Vec<String>,
    /// It writes: its cost contains the upkeep of indexes.
    pub writes: bool,
}

/// One execution on the twin.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Measured {
    /// The shortest of several executions.
    pub time: Duration,
    /// Rows that the storage engine was asked for: the sum of `Handler_read_*`.
    pub reads: u64,
    /// Rows written to temporary tables, `Handler_write`, for a statement that only reads.
    pub temporary: u64,
    /// It was ended at the time limit; the true time is longer.
    pub is_capped: bool,
}

/// A statement that could not be judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Skipped {
    /// Its normalized text, or its beginning.
    pub text: String,
    /// Its measured total time, where known.
    pub time: Option<Duration>,
    /// Why, and the remedy.
    pub reason: String,
}

/// How far the chosen set is from the best, given the costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Optimality {
    /// Share between the chosen set and the bound below all sets: zero when it is the optimum,
    /// infinite when no bound is known. Plans that were not run count with their estimates.
    pub gap: f64,
    /// The gap is proven: the search ended by itself, and all plans of the set were run, if any
    /// was to be.
    pub is_proven: bool,
    /// The work was interrupted; this is the best answer so far.
    pub is_interrupted: bool,
    /// Rounds of measuring and solving again.
    pub rounds: u32,
}

/// What the work took.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Effort {
    /// Wall time.
    pub elapsed: Duration,
    /// Candidates that were judged.
    pub candidates: usize,
    /// `EXPLAIN` calls on the twin.
    pub explains: u64,
    /// Calls that asking for every subset would have taken.
    pub exhaustive_explains: f64,
    /// Executions on the twin.
    pub executions: u64,
    /// Statements sent to the server that the advice is for.
    pub target_statements: u64,
    /// Rows read there.
    pub target_rows: u64,
    /// Server time of all of them, and of the longest, where the server tells; else the time waited.
    pub target_time: Duration,
    /// The longest of them.
    pub target_longest: Duration,
}

#[cfg(test)]
pub mod fixture;
