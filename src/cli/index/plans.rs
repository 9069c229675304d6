//! The advisor's reading of plans, for the judgement of an index: features do not know one another.

use crate::advisor::plan::{self, Known};
use crate::advisor::planner::Choice;
use crate::indexes::verify::Figures;
use crate::model::schema::TableName;

/// Reads one answer of `EXPLAIN FORMAT=JSON`; see [`crate::indexes::verify::PlanReader`].
///
/// # Errors
/// When it is no plan, in one sentence.
pub fn read(json: &str, note: &str, indexes: &[(TableName, String)]) -> Result<Figures, String> {
    let choices: Vec<Choice> = indexes
        .iter()
        .map(|(table, index)| Choice {
            table: table.clone(),
            index: index.clone(),
            is_fixed: false,
        })
        .collect();
    let plan = plan::parse(json, note, &Known::of(&choices))?;
    Ok(Figures {
        cost: plan.cost,
        used: plan.used,
        hides_use: plan.hides_use,
    })
}
