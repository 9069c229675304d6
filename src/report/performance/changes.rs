//! A period beside an earlier one: which figures moved, and which statements moved them.

use std::time::Duration;

use super::{change, figure, is_worse, statements};
use crate::model::performance::{StatementSummary, Summary};
use crate::model::units;
use crate::report::doc::{Amount, BarRow, Bars, Block, Table};

/// Bars at most.
const BARS: usize = 10;

/// An average that grew by more than this is a slower statement.
const SLOWER: f64 = 1.2;

/// One statement in both periods.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Move<'a> {
    /// In the earlier period, where it is listed.
    pub then: Option<&'a StatementSummary>,
    /// In the later one, where it is listed.
    pub now: Option<&'a StatementSummary>,
    /// Sessions that were busy with it on average, then and now.
    pub load: (f64, f64),
    /// What became of it, in a few words.
    pub what: &'static str,
}

impl Move<'_> {
    fn growth(&self) -> f64 {
        self.load.1 - self.load.0
    }
}

pub(super) fn blocks(earlier: &Summary, now: &Summary, most: usize) -> Vec<Block> {
    let mut lead = format!(
        "Against {} to {} ({}).",
        earlier.from.strftime("%F %T UTC"),
        earlier.to.strftime("%F %T UTC"),
        units::duration(earlier.window)
    );
    if earlier.server != now.server {
        lead.push_str(" That was another server: ");
        lead.push_str(&earlier.server);
        lead.push('.');
    }
    if earlier.version != now.version {
        lead.push_str(" It ran MySQL ");
        lead.push_str(&earlier.version);
        lead.push_str(", whose digests can't be told to be the same.");
    }
    lead.push_str(&verdict(earlier, now));
    let mut blocks = vec![Block::Paragraph(lead), figures(earlier, now)];
    blocks.extend(movers(earlier, now, most));
    blocks
}

/// How many figures became worse, and which.
fn verdict(earlier: &Summary, now: &Summary) -> String {
    let both = || {
        now.figures
            .iter()
            .filter_map(|(measure, value)| Some((*measure, earlier.figure(*measure)?, (*value)?)))
    };
    let worse: Vec<String> = both()
        .filter(|(measure, then, now)| is_worse(*measure, *then, *now))
        .map(|(measure, then, now)| {
            let change = change(measure, then, now);
            format!("{} ({change})", measure.title())
        })
        .collect();
    if worse.is_empty() {
        format!(" None of {} figures is worse.", both().count())
    } else {
        let number = worse.len();
        let verb = if number == 1 { "is" } else { "are" };
        let all = both().count();
        format!(
            " {number} of {all} figures {verb} worse: {}.",
            worse.join(", ")
        )
    }
}

fn figures(earlier: &Summary, now: &Summary) -> Block {
    let mut table = Table::new(
        "Figures then and now; what is worse by a tenth or more is marked",
        &["figure", ">then", ">now", ">change", "note"],
    );
    for (measure, value) in &now.figures {
        let (Some(then), Some(now)) = (earlier.figure(*measure), value) else {
            continue;
        };
        table.push([
            measure.title().to_owned(),
            figure(*measure, then),
            figure(*measure, *now),
            change(*measure, then, *now),
            if is_worse(*measure, then, *now) {
                "worse".to_owned()
            } else {
                String::new()
            },
        ]);
    }
    Block::Table(table)
}

/// Statements by how much their load changed, whichever way, the most first.
#[must_use]
pub fn moves<'a>(earlier: &'a Summary, now: &'a Summary) -> Vec<Move<'a>> {
    let load =
        |one: Option<&StatementSummary>, window: Duration| one.map_or(0.0, |s| s.load(window));
    let mut moves: Vec<Move<'a>> = now
        .statements
        .iter()
        .map(|one| {
            let then = earlier.statement(&one.key);
            Move {
                then,
                now: Some(one),
                load: (load(then, earlier.window), load(Some(one), now.window)),
                what: what((then, earlier), (Some(one), now)),
            }
        })
        .collect();
    let gone = earlier
        .statements
        .iter()
        .filter(|one| now.statement(&one.key).is_none());
    moves.extend(gone.map(|one| Move {
        then: Some(one),
        now: None,
        load: (load(Some(one), earlier.window), 0.0),
        what: what((Some(one), earlier), (None, now)),
    }));
    moves.sort_by(|a, b| b.growth().abs().total_cmp(&a.growth().abs()));
    moves
}

fn movers(earlier: &Summary, now: &Summary, most: usize) -> Vec<Block> {
    let moves = moves(earlier, now);
    if moves.is_empty() {
        return vec![Block::Paragraph(
            "No statement is known of either period.".to_owned(),
        )];
    }
    let shown = &moves[..moves.len().min(most)];
    let mut table = Table::new(
        format!(
            "Statements: the {} whose load changed most, of {} in either period",
            shown.len(),
            moves.len()
        ),
        &[
            "statement",
            "what",
            ">load then",
            ">load now",
            ">change",
            ">calls/s then",
            ">calls/s now",
            ">average then",
            ">average now",
        ],
    );
    for one in shown {
        table.push(row(one, earlier, now));
    }
    let bars = Bars {
        caption: "Load then and now: sessions that were busy with a statement on average"
            .to_owned(),
        series: vec!["then".to_owned(), "now".to_owned()],
        rows: shown
            .iter()
            .take(BARS)
            .map(|one| BarRow {
                label: one
                    .now
                    .or(one.then)
                    .map_or_else(String::new, |known| statements::head(known, 48)),
                values: vec![
                    Amount::new(one.load.0, format!("{:.3}", one.load.0)),
                    Amount::new(one.load.1, format!("{:.3}", one.load.1)),
                ],
            })
            .collect(),
    };
    vec![Block::Bars(bars), Block::Table(table)]
}

fn row(one: &Move<'_>, earlier: &Summary, now: &Summary) -> [String; 9] {
    let per_second = |side: Option<&StatementSummary>, window: Duration| {
        side.map_or_else(|| "-".to_owned(), |s| units::count(s.rate(window)))
    };
    let average = |side: Option<&StatementSummary>| {
        side.map_or_else(|| "-".to_owned(), |s| units::duration(s.average()))
    };
    [
        one.now
            .or(one.then)
            .map_or_else(String::new, |known| statements::head(known, 64)),
        one.what.to_owned(),
        format!("{:.3}", one.load.0),
        format!("{:.3}", one.load.1),
        format!("{:+.3}", one.growth()),
        per_second(one.then, earlier.window),
        per_second(one.now, now.window),
        average(one.then),
        average(one.now),
    ]
}

/// A statement in one period, where it is listed there.
type Side<'a> = (Option<&'a StatementSummary>, &'a Summary);

/// What became of a statement, in a few words.
fn what(then: Side<'_>, now: Side<'_>) -> &'static str {
    match (then.0, now.0) {
        (None, _) if then.1.is_complete() => "new",
        (None, _) => "not listed then",
        (Some(_), None) if now.1.is_complete() => "gone",
        (Some(_), None) => "not listed now",
        (Some(before), Some(after)) => {
            let factor = |now: f64, then: f64| now / then.max(f64::MIN_POSITIVE);
            let time = factor(
                after.average().as_secs_f64(),
                before.average().as_secs_f64(),
            );
            let calls = factor(after.rate(now.1.window), before.rate(then.1.window));
            match (time, calls) {
                (time, calls) if time > SLOWER && calls > SLOWER => "slower, more often",
                (time, _) if time > SLOWER => "slower",
                (time, _) if time < 1.0 / SLOWER => "faster",
                (_, calls) if calls > SLOWER => "more often",
                (_, calls) if calls < 1.0 / SLOWER => "less often",
                _ => "much the same",
            }
        }
    }
}
