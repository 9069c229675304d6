//! `--dry-run`: what would be sent to the server, with its bounds.

use std::time::Duration;

use serde::Serialize;

use super::TierName;
use crate::advisor::twin::Plan;
use crate::model::units;
use crate::report::doc::{Block, Document, Table};

/// What a tier does besides.
fn more(tier: TierName) -> Option<&'static str> {
    match tier {
        TierName::T0 => None,
        TierName::T1 => Some(
            "For each kind of prepared statement, one row of each of its tables is read up to three \
             times (LIMIT 1 OFFSET 0, 97 and 997), for constants in place of its parameters.",
        ),
        TierName::T2 => Some(
            "For each kind of prepared statement, one row of each of its tables is read up to three \
             times (LIMIT 1 OFFSET 0, 97 and 997). On the replica, candidates are created invisible \
             (ALTER TABLE ... ADD INDEX ... INVISIBLE), shown and hidden (ALTER INDEX), and dropped \
             at the end; reads of the workload are explained and run there.",
        ),
    }
}

/// The plan for people.
pub(super) fn document(plan: &Plan, tier: TierName) -> Document {
    let mut table = Table::new(
        "Statements for the twin, each with its bounds; a question mark stands for a value that an \
         earlier one finds",
        &["for", ">times", ">rows each", ">limit", "statement"],
    );
    for step in &plan.steps {
        table.push([
            step.purpose.clone(),
            step.times.to_string(),
            step.rows.to_string(),
            units::duration(step.limit),
            step.sql.to_string(),
        ]);
    }
    let mut blocks = vec![Block::Facts(vec![
        (
            "statements at most".to_owned(),
            plan.statements().to_string(),
        ),
        ("rows at most".to_owned(), plan.rows().to_string()),
        ("share of big tables".to_owned(), units::percent(plan.share)),
    ])];
    blocks.push(Block::Table(table));
    blocks.extend(plan.notes.iter().cloned().map(Block::Paragraph));
    blocks.push(Block::Paragraph(
        "Besides these, the workload, the schema, statistics, privileges and settings are read from \
         information_schema, performance_schema and the server's variables, each with a limit of \
         rows and of time."
            .to_owned(),
    ));
    blocks.extend(more(tier).map(|text| Block::Paragraph(text.to_owned())));
    Document {
        title: "What the advisor would read".to_owned(),
        blocks,
    }
}

/// The plan for programs.
#[derive(Debug, Serialize)]
pub(super) struct PlanJson {
    statements: u64,
    rows: u64,
    share: f64,
    steps: Vec<StepJson>,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct StepJson {
    purpose: String,
    sql: String,
    times: u64,
    rows: u64,
    limit_seconds: f64,
}

/// The plan as JSON.
pub(super) fn json(plan: &Plan) -> PlanJson {
    PlanJson {
        statements: plan.statements(),
        rows: plan.rows(),
        share: plan.share,
        steps: plan
            .steps
            .iter()
            .map(|step| StepJson {
                purpose: step.purpose.clone(),
                sql: step.sql.to_string(),
                times: step.times,
                rows: step.rows,
                limit_seconds: Duration::as_secs_f64(&step.limit),
            })
            .collect(),
        notes: plan.notes.clone(),
    }
}
