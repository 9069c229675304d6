//! The stages of a run, each on its own.

use super::text::{quantiles, responses, services};
use super::{all_responses, cell, counts};
use crate::config::value;
use crate::model::units;
use crate::probes::outcome::{StageReport, client_limit};
use crate::report::doc::{Block, Table};

/// One table of all stages, then each with its probes.
pub(super) fn blocks(stages: &[StageReport]) -> Vec<Block> {
    let mut table = Table::new(
        "By the intended start of the operations; response of all probes together",
        &[
            "Stage",
            ">Scheduled",
            ">Handled/s",
            ">Errors",
            ">p50",
            ">p95",
            ">p99",
            ">Waiting",
            "Verdict",
        ],
    );
    for stage in stages {
        table.push(row(stage));
    }
    let mut blocks = vec![Block::Table(table)];
    blocks.extend(stages.iter().enumerate().map(|(number, stage)| {
        let name = value::show_stage(stage.stage);
        Block::Details {
            summary: format!("Stage {}: {name}", number + 1),
            blocks: vec![
                Block::Facts(facts(stage)),
                Block::Table(responses(&stage.total)),
                Block::Table(services(&stage.total)),
            ],
        }
    }));
    blocks
}

fn row(stage: &StageReport) -> Vec<String> {
    let counts = counts(&stage.total);
    let responses = all_responses(&stage.total);
    let lost = counts.failed + counts.timed_out + counts.unsent;
    vec![
        value::show_stage(stage.stage),
        counts.scheduled.to_string(),
        units::count(stage.handled_rate()),
        lost.to_string(),
        cell(&responses, 0.50),
        cell(&responses, 0.95),
        cell(&responses, 0.99),
        format!("{} to {}", stage.waiting_before, stage.waiting_after),
        verdict(stage),
    ]
}

fn verdict(stage: &StageReport) -> String {
    let mut words = Vec::new();
    if !stage.is_rate_sustained() {
        words.push("rate not sustained".to_owned());
    }
    let objectives = stage
        .total
        .probes
        .iter()
        .filter(|probe| probe.slo.is_some());
    match (stage.missed().len(), objectives.count()) {
        (0, _) => {}
        (missed, all) => words.push(format!("{missed} of {all} objectives MISSED")),
    }
    if client_limit(&stage.total).is_some() {
        words.push("client-limited".to_owned());
    }
    if words.is_empty() {
        words.push("met".to_owned());
    }
    words.join(", ")
}

fn facts(stage: &StageReport) -> Vec<(String, String)> {
    let total = &stage.total;
    let counts = counts(total);
    [
        ("Measured", units::duration(total.window)),
        (
            "Intended",
            format!(
                "{} operations/s on average",
                units::count(total.target_rate)
            ),
        ),
        (
            "Operations",
            format!(
                "{} scheduled = {} completed + {} failed + {} timed out + {} unsent",
                counts.scheduled, counts.completed, counts.failed, counts.timed_out, counts.unsent
            ),
        ),
        ("Pool wait", quantiles(&total.pool.wait)),
        ("Pool utilization", units::percent(total.pool.utilization)),
        ("Generator lateness", quantiles(&total.lateness)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}
