//! `--dry-run`: what would be sent to the server, with its bounds.

use std::time::Duration;

use serde::Serialize;

use crate::advisor::twin::Plan;
use crate::model::units;
use crate::report::doc::{Block, Document, Table};

/// The plan for people.
pub(super) fn document(plan: &Plan) -> Document {
    let mut table = Table::new(
        "Statements that read rows of the server, each with its bounds; a question mark stands for \
         a value that an earlier one finds",
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
    blocks.push(if plan.steps.is_empty() {
        Block::Paragraph("No row of the server is read.".to_owned())
    } else {
        Block::Table(table)
    });
    blocks.extend(plan.notes.iter().cloned().map(Block::Paragraph));
    blocks.push(Block::Paragraph(
        "Besides these, the schema, statistics and settings are read from information_schema, \
         performance_schema and the server's variables."
            .to_owned(),
    ));
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
