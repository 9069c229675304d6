//! The table of costs from which the set is selected, and the answer.
//!
//! The cost of a query under a set S of indexes is the least cost of its configurations that are
//! subsets of S, and at least that of each of its floors that is a subset of S. A floor is a plan
//! that was measured to be worse than its estimate: the optimizer takes it when those indexes are
//! there, whether we like it or not.

/// What is to be decided.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Problem {
    /// Indexes, existing ones included.
    pub indexes: Vec<IndexChoice>,
    /// Queries.
    pub queries: Vec<QueryCosts>,
    /// Bytes that new indexes may take together.
    pub budget_bytes: Option<u64>,
    /// New indexes at most.
    pub max_indexes: Option<u32>,
    /// Sum of `write_cost` of new indexes at most.
    pub max_write_cost: Option<f64>,
}

/// One index that may be there or not.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IndexChoice {
    /// Bytes; counts against the budget unless it exists.
    pub bytes: u64,
    /// Its upkeep in the workload, in the unit of the objective; existing indexes have one too.
    pub upkeep: f64,
    /// Its write cost in the unit of `max_write_cost`.
    pub write_cost: f64,
    /// It exists: leaving it out means dropping it.
    pub exists: bool,
    /// It must stay.
    pub is_required: bool,
}

/// The costs of one query.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct QueryCosts {
    /// What one unit of cost weighs in the objective.
    pub weight: f64,
    /// Costs by the indexes that must be there; one has none, or existing ones only.
    pub configurations: Vec<Configuration>,
    /// Plans that were measured to be worse than their estimates.
    pub floors: Vec<Configuration>,
    /// The cost must not exceed this.
    pub limit: Option<f64>,
}

/// A cost that needs some indexes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Configuration {
    /// Places in [`Problem::indexes`], ascending.
    pub indexes: Vec<usize>,
    /// The cost of one execution.
    pub cost: f64,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Selection {
    /// Places in [`Problem::indexes`] of all indexes that are there afterwards, ascending.
    pub chosen: Vec<usize>,
    /// Weighted costs and upkeep of the chosen set.
    pub objective: f64,
    /// No set that keeps to the limits can be below this.
    pub bound: f64,
    /// The search ended by itself: the set is the optimum within [`Selection::GAP`].
    pub is_proven: bool,
    /// Nodes of the search.
    pub nodes: u64,
}

impl Selection {
    /// The relative gap at which a set counts as optimal.
    pub const GAP: f64 = 1e-6;

    /// Share by which a better set could still be below this one.
    #[must_use]
    pub fn gap(&self) -> f64 {
        if self.objective <= self.bound || self.objective <= 0.0 {
            return 0.0;
        }
        (self.objective - self.bound) / self.objective
    }
}
