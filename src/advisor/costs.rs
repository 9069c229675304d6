//! The table of costs from which the set is selected, and the answer.
//!
//! The optimizer takes, of the configurations that are subsets of a set S of indexes, the one with
//! the lowest rank, whether we like it or not; its cost is the cost of the query under S. Rank and
//! cost are the same until a plan is measured, which changes what it costs and not when it is taken.
//! Besides, a query costs at least as much as each of its floors that is a subset of S: a floor is
//! for plans that are worse for a reason that no configuration tells.

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
    /// Least costs of sets.
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
    /// What the optimizer takes it to cost, where that is not [`Configuration::cost`]. A floor has
    /// none.
    pub rank: Option<f64>,
}

impl Configuration {
    /// What the optimizer takes it to cost.
    #[must_use]
    pub fn rank(&self) -> f64 {
        self.rank.unwrap_or(self.cost)
    }

    /// Whether the optimizer takes it and not `other`, when both can be; of equals the cheaper.
    #[must_use]
    pub fn precedes(&self, other: &Self) -> bool {
        self.order(other).is_lt()
    }

    /// Which of two the optimizer takes: the lesser.
    #[must_use]
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        let ranks = self.rank().total_cmp(&other.rank());
        ranks.then(self.cost.total_cmp(&other.cost))
    }
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

    /// Share by which a better set could still be below this one; none within [`Selection::GAP`], and
    /// infinite when no bound is known.
    #[must_use]
    pub fn gap(&self) -> f64 {
        if self.objective <= self.bound || self.objective <= 0.0 {
            return 0.0;
        }
        let gap = (self.objective - self.bound) / self.objective;
        if gap <= Self::GAP { 0.0 } else { gap }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_told_only_where_there_is_one() {
        let gap = |objective, bound| {
            let selection = Selection {
                objective,
                bound,
                ..Selection::default()
            };
            selection.gap()
        };
        assert!((gap(10.0, 8.0) - 0.2).abs() < 1e-12);
        assert_eq!(gap(10.0, 10.0 - 1e-8).to_bits(), 0);
        assert_eq!(gap(10.0, 11.0).to_bits(), 0);
        assert_eq!(
            gap(10.0, f64::NEG_INFINITY).to_bits(),
            f64::INFINITY.to_bits()
        );
    }
}
