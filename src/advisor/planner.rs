//! What is asked of the server that stands for the target: the one seam behind which it is.

use std::collections::BTreeSet;

use super::workload::Sample;
use crate::model::advice::Measured;
use crate::model::schema::TableName;
use crate::server;

/// An index on the twin that can be shown to the optimizer or hidden from it: an existing one of
/// the target, or a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// On which table.
    pub table: TableName,
    /// The index's name there.
    pub index: String,
    /// It can't be hidden: a primary key, or what stands for one.
    pub is_fixed: bool,
}

/// The optimizer's plan for one statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Cost in the optimizer's units, of all query blocks together.
    pub cost: f64,
    /// The choices that it uses, by place.
    pub used: BTreeSet<usize>,
    /// Tables that it reads from end to end, with the estimated number of rows read there.
    pub scans: Vec<(TableName, f64)>,
    /// It reads rows through entries of a secondary index, one by one.
    pub fetches: bool,
    /// Equal for plans that do the same work: access paths, order of joins, indexes, sorts.
    pub signature: String,
    /// It was answered while it was planned, and does not say from which indexes: whether it needs
    /// one shows only when that is hidden.
    pub hides_use: bool,
}

/// Answers what-if questions. Calls count in [`Planner::calls`].
pub trait Planner {
    /// Makes exactly these choices (and the fixed ones) visible to the optimizer.
    fn show(
        &mut self,
        visible: &BTreeSet<usize>,
    ) -> impl Future<Output = Result<(), server::Error>> + Send;

    /// The plan of a statement with what is visible now; an error of the statement itself is
    /// inside, in one sentence.
    fn explain(
        &mut self,
        schema: Option<&str>,
        sample: &Sample,
    ) -> impl Future<Output = Result<Result<Plan, String>, server::Error>> + Send;

    /// `EXPLAIN FORMAT=TREE` with what is visible now.
    fn tree(
        &mut self,
        schema: Option<&str>,
        sample: &Sample,
    ) -> impl Future<Output = Result<Result<String, String>, server::Error>> + Send;

    /// Runs a statement with what is visible now, changing nothing: a write is rolled back.
    /// It is run until the time is settled, each run ended at `limit`.
    fn measure(
        &mut self,
        schema: Option<&str>,
        sample: &Sample,
        limit: std::time::Duration,
    ) -> impl Future<Output = Result<Result<Measured, String>, server::Error>> + Send;

    /// How many plans and executions were asked for.
    fn calls(&self) -> Calls;
}

/// What was asked of a [`Planner`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// Plans.
    pub explains: u64,
    /// Changes of an index's visibility.
    pub toggles: u64,
    /// Executions.
    pub executions: u64,
}
