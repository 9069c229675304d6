//! Advice as a document: the verdict first, then what to do, then why.

mod recommendation;
mod verdict;
mod words;

use std::fmt::Write as _;

use crate::model::advice::{Action, Advice, QueryEffect, Recommendation};
use crate::model::units;
use crate::report::doc::{Amount, BarRow, Bars, Block, Document, Table};
use words::{action, amount, arrow, columns, gain_share, lock, measured_time, reads, signed};

/// Queries in the plot at most.
const MAX_BARS: usize = 10;

/// Advice for people who have to decide on it. Estimates and measurements are told apart.
#[must_use]
pub fn document(advice: &Advice) -> Document {
    let mut blocks = verdict::blocks(advice);
    let of = |action| {
        let all = advice.recommendations.iter().enumerate();
        all.filter(move |(_, one)| one.action == action)
    };
    if !advice.recommendations.is_empty() {
        blocks.push(Block::Heading("Recommendations".to_owned()));
        blocks.push(Block::Table(summary(advice)));
        blocks.extend(loads(advice));
    }
    if of(Action::Create).next().is_some() {
        blocks.push(Block::Heading("Indexes to create".to_owned()));
    }
    let mut plans_shown = Vec::new();
    for (place, one) in of(Action::Create) {
        blocks.extend(recommendation::blocks(advice, place, one, &mut plans_shown));
    }
    if !advice.queries.is_empty() {
        blocks.push(Block::Heading("Queries".to_owned()));
        blocks.push(Block::Table(queries(advice)));
    }
    if of(Action::Drop).next().is_some() {
        blocks.push(Block::Heading("Indexes to drop".to_owned()));
    }
    for (place, one) in of(Action::Drop) {
        blocks.extend(recommendation::blocks(advice, place, one, &mut plans_shown));
    }
    if !advice.notes.is_empty() {
        blocks.push(Block::Heading("Notes".to_owned()));
        blocks.push(Block::Findings(advice.notes.clone()));
    }
    if !advice.skipped.is_empty() {
        blocks.push(Block::Heading(
            "Statements that could not be judged".to_owned(),
        ));
        blocks.push(Block::Table(skipped(advice)));
    }
    blocks.push(Block::Heading("What this took".to_owned()));
    blocks.push(Block::Facts(effort(advice)));
    Document {
        title: format!("Index advice for {}", advice.server),
        blocks,
    }
}

fn summary(advice: &Advice) -> Table {
    let mut table = Table::new(
        "Lost without it: the part of the gain that is lost if this one is left out. Sizes \
         and write costs are estimates.",
        &[
            ">#",
            "action",
            "table",
            "columns",
            ">size",
            ">lost without it",
            "lock",
            ">write us/row",
            "evidence",
        ],
    );
    for (place, one) in advice.recommendations.iter().enumerate() {
        table.push([
            (place + 1).to_string(),
            action(one.action).to_owned(),
            one.table.to_string(),
            columns(&one.index),
            size(one),
            marginal(advice, one),
            lock(one.lock).to_owned(),
            signed(one.write_us_per_row),
            words::evidence(one).to_owned(),
        ]);
    }
    table
}

fn size(one: &Recommendation) -> String {
    match one.action {
        Action::Create => units::bytes(one.bytes),
        Action::Drop => format!("-{}", units::bytes(one.bytes)),
    }
}

/// The marginal gain, and its share of the whole where there is one.
fn marginal(advice: &Advice, one: &Recommendation) -> String {
    let lost = amount(advice, one.marginal);
    match gain_share(advice, one.marginal) {
        Some(share) if one.marginal > 0.0 => format!("{lost} ({})", units::percent(share)),
        _ => lost,
    }
}

/// The heaviest queries, today and with everything that is recommended.
fn loads(advice: &Advice) -> Option<Block> {
    let weight = |query: &QueryEffect| {
        if advice.workload.is_measured {
            query.time.map(|time| time.as_secs_f64())
        } else {
            Some(query.calls * query.cost.0)
        }
    };
    let rows: Vec<BarRow> = advice
        .queries
        .iter()
        .filter_map(|query| Some((query, weight(query)?)))
        .filter(|(_, before)| *before > 0.0)
        .take(MAX_BARS)
        .map(|(query, before)| {
            let after = before * words::ratio(query);
            let amounts = [before, after].map(|value| Amount::new(value, amount(advice, value)));
            BarRow {
                label: query.name.clone(),
                values: amounts.to_vec(),
            }
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let (today, what) = if advice.workload.is_measured {
        ("measured", "Time")
    } else {
        ("estimated", "Cost")
    };
    Some(Block::Bars(Bars {
        caption: format!(
            "{what} of the heaviest queries in the workload: today {today}; afterwards estimated, \
             by the ratio of the executions on the twin where a query was run there, else of the \
             optimizer's costs"
        ),
        series: vec!["today".to_owned(), "afterwards".to_owned()],
        rows,
    }))
}

fn queries(advice: &Advice) -> Table {
    let mut table = Table::new(
        "Every query that could be judged, today -> with everything that is recommended. The cost \
         is the optimizer's estimate for one execution; times and rows read are measured on the \
         twin, for one execution, where the query was run there.",
        &[
            "query",
            ">calls",
            ">time in workload",
            ">estimated cost",
            ">measured time",
            ">rows read",
            "uses",
        ],
    );
    for query in &advice.queries {
        table.push([
            query.name.clone(),
            units::count(query.calls),
            query.time.map_or_else(|| "-".to_owned(), units::duration),
            arrow(units::count(query.cost.0), units::count(query.cost.1)),
            measured_time(query),
            reads(query),
            query.uses.join(", "),
        ]);
    }
    table
}

fn skipped(advice: &Advice) -> Table {
    let mut table = Table::new("", &["statement", ">time in workload", "reason"]);
    for one in &advice.skipped {
        table.push([
            one.text.clone(),
            one.time.map_or_else(|| "-".to_owned(), units::duration),
            one.reason.clone(),
        ]);
    }
    table
}

fn effort(advice: &Advice) -> Vec<(String, String)> {
    let effort = &advice.effort;
    let whole = |n: u64| units::count(n as f64);
    let fact = |name: &str, value: String| (name.to_owned(), value);
    vec![
        fact("time", units::duration(effort.elapsed)),
        fact("candidates", effort.candidates.to_string()),
        fact("explained", explains(advice)),
        fact(
            "executed",
            format!("{} times on the twin", whole(effort.executions)),
        ),
        fact(
            "the server itself",
            format!(
                "{} statements, {} rows read, {} in all, the longest {}",
                whole(effort.target_statements),
                whole(effort.target_rows),
                units::duration(effort.target_time),
                units::duration(effort.target_longest)
            ),
        ),
    ]
}

/// The calls made, beside those that asking for every subset would have taken.
fn explains(advice: &Advice) -> String {
    let effort = &advice.effort;
    let made = effort.explains as f64;
    let mut text = format!("{} times on the twin", units::count(made));
    if effort.exhaustive_explains > made && effort.exhaustive_explains.is_finite() {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "; asking for every subset would have taken {} ({} of that)",
            units::count(effort.exhaustive_explains),
            units::percent(made / effort.exhaustive_explains)
        );
    }
    text
}

#[cfg(test)]
mod tests;
