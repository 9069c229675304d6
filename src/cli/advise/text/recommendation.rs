//! One change with everything needed to decide on it.

use std::fmt::Write as _;
use std::time::Duration;

use super::words::{
    action, arrow, columns, factor, lock, lock_meaning, measured_time, reads, signed,
};
use crate::model::advice::{Action, Advice, QueryEffect, Recommendation};
use crate::model::units;
use crate::report::doc::{Block, Table};
use crate::server::ddl;

/// Plans that are shown for one recommendation at most.
const MAX_PLANS: usize = 8;

/// The parts of one recommendation. `plans_shown` holds the queries whose plans stand further up.
pub(super) fn blocks(
    advice: &Advice,
    place: usize,
    one: &Recommendation,
    plans_shown: &mut Vec<usize>,
) -> Vec<Block> {
    let mut verb = action(one.action).to_owned();
    if let Some(first) = verb.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let mut blocks = vec![
        Block::Subheading(format!(
            "{}. {verb} {} on {}",
            place + 1,
            one.index.name,
            one.table
        )),
        Block::Paragraph(one.reason.clone()),
        statements(&one.ddl),
        Block::Details {
            summary: "Undo".to_owned(),
            blocks: undo(one),
        },
        Block::Facts(facts(advice, one)),
    ];
    blocks.push(effects(advice, one));
    blocks.extend(plans(advice, one, plans_shown));
    if !one.alternatives.is_empty() {
        let mut table = Table::new("Alternatives, and why they lost", &["columns", "why"]);
        for other in &one.alternatives {
            table.push([columns(&other.index), other.why.clone()]);
        }
        blocks.push(Block::Table(table));
    }
    blocks
}

/// A hidden index is there yet, and is shown again in place of being built.
fn undo(one: &Recommendation) -> Vec<Block> {
    let mut blocks = Vec::new();
    if one.action == Action::Drop && one.ddl.len() > 1 {
        let show = ddl::set_visible(&one.table, &one.index.name, true);
        blocks.push(Block::Paragraph("While it is only hidden:".to_owned()));
        blocks.push(statements(&[show]));
        blocks.push(Block::Paragraph("After the drop:".to_owned()));
    }
    blocks.push(statements(&one.undo));
    blocks
}

fn statements(statements: &[String]) -> Block {
    let text: Vec<String> = statements.iter().map(|sql| format!("{sql};")).collect();
    Block::Code {
        language: "sql",
        text: text.join("\n"),
    }
}

fn facts(advice: &Advice, one: &Recommendation) -> Vec<(String, String)> {
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let size = match one.action {
        Action::Create => format!("{} estimated", units::bytes(one.bytes)),
        Action::Drop => format!("{} freed", units::bytes(one.bytes)),
    };
    let mut facts = vec![fact("columns", columns(&one.index)), fact("size", size)];
    if let Some(column) = &one.column {
        let text = format!(
            "{} {} as ({})",
            column.name, column.full_type, column.expression
        );
        facts.insert(1, fact("generated column", text));
    }
    if one.action == Action::Create {
        facts.push(fact(
            "time to build",
            format!("{} estimated", units::duration(one.build)),
        ));
    }
    facts.push(fact(
        "lock",
        format!("{}: {}", lock(one.lock), lock_meaning(one.lock)),
    ));
    facts.push(fact("writes", writes(one)));
    facts.push(fact("lost without it", super::marginal(advice, one)));
    facts.push(fact("evidence", evidence(advice, one)));
    facts
}

fn writes(one: &Recommendation) -> String {
    let mut text = format!("{}us for each inserted row", signed(one.write_us_per_row));
    if let Some(us) = one.write_us_per_second {
        let size = Duration::try_from_secs_f64(us.abs() / 1e6).unwrap_or(Duration::MAX);
        let sign = if us < 0.0 { "-" } else { "+" };
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            ", {sign}{} a second in this workload",
            units::duration(size)
        );
    }
    text.push_str(", estimated");
    text
}

fn evidence(advice: &Advice, one: &Recommendation) -> String {
    match (one.is_proven, one.action) {
        (true, _) => format!("executed and measured at tier {}", advice.twin.tier.code()),
        (false, Action::Create) => {
            "estimated by the optimizer; not every query that it concerns was executed".to_owned()
        }
        (false, Action::Drop) => "the reason above; no execution was needed or made".to_owned(),
    }
}

fn effects(advice: &Advice, one: &Recommendation) -> Block {
    let concerned = affected(advice, one);
    if concerned.is_empty() {
        return Block::Paragraph(
            "No query of the workload gets faster or slower by this change alone.".to_owned(),
        );
    }
    let mut table = Table::new(
        "Queries that it helps and hurts: what it alone does to their cost, and one execution \
         today -> with everything that is recommended",
        &[
            "query",
            ">it alone",
            ">estimated cost",
            ">measured time",
            ">rows read",
        ],
    );
    for (_, query, change) in concerned {
        table.push([
            query.name.clone(),
            factor(change),
            arrow(units::count(query.cost.0), units::count(query.cost.1)),
            measured_time(query),
            reads(query),
        ]);
    }
    Block::Table(table)
}

/// The queries that it concerns, those that it helps most first.
fn affected<'a>(advice: &'a Advice, one: &Recommendation) -> Vec<(usize, &'a QueryEffect, f64)> {
    let mut all: Vec<_> = one
        .effects
        .iter()
        .filter_map(|(place, factor)| Some((*place, advice.queries.get(*place)?, *factor)))
        .collect();
    all.sort_by(|a, b| a.2.total_cmp(&b.2).then(a.0.cmp(&b.0)));
    all
}

/// The plans of the queries that it concerns; those that stand further up are not repeated.
fn plans(advice: &Advice, one: &Recommendation, shown: &mut Vec<usize>) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut left_out = 0;
    for (place, query, _) in affected(advice, one) {
        let Some((before, after)) = &query.plans else {
            continue;
        };
        if shown.contains(&place) {
            continue;
        }
        if blocks.len() >= MAX_PLANS {
            left_out += 1;
            continue;
        }
        shown.push(place);
        blocks.push(plan(query, before, after));
    }
    if left_out > 0 {
        blocks.push(Block::Paragraph(format!(
            "The plans of {left_out} more are in the JSON form."
        )));
    }
    blocks
}

fn plan(query: &QueryEffect, before: &str, after: &str) -> Block {
    let code = |text: &str| Block::Code {
        language: "text",
        text: text.to_owned(),
    };
    let mut blocks = vec![Block::Code {
        language: "sql",
        text: query.fingerprint.clone(),
    }];
    let summary = if before == after {
        blocks.push(code(after));
        format!("Plan of `{}`, which stays", query.name)
    } else {
        blocks.push(Block::Paragraph("Today:".to_owned()));
        blocks.push(code(before));
        blocks.push(Block::Paragraph("Afterwards:".to_owned()));
        blocks.push(code(after));
        format!("Plans of `{}` today and afterwards", query.name)
    };
    Block::Details { summary, blocks }
}
