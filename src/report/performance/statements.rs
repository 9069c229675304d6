//! The statements with the most time: how much, how fast, how wasteful.

use super::shapes;
use crate::model::performance::{Performance, StatementSummary, Summary};
use crate::model::units;
use crate::report::doc::{Amount, BarRow, Bars, Block, Table};

/// Characters of a statement in a table.
const HEAD: usize = 64;

/// Bars at most.
const BARS: usize = 10;

pub(super) fn blocks(period: &Performance, now: &Summary, most: usize) -> Vec<Block> {
    let Some(digests) = &period.digests else {
        let text = "The server keeps no statement digests, or they can't be read.";
        return vec![Block::Paragraph(text.to_owned())];
    };
    let shown = &now.statements[..now.statements.len().min(most)];
    if shown.is_empty() {
        return vec![Block::Paragraph(
            "No statement ended in this period.".to_owned(),
        )];
    }
    let window = digests.window;
    let all = units::from_picoseconds(digests.total.time_ps).as_secs_f64();
    let mut table = Table::new(
        format!(
            "Statements: the {} with the most time of {} that ran, over {}",
            shown.len(),
            now.statement_count,
            units::duration(window)
        ),
        &[
            ">#",
            "statement",
            ">load",
            ">share",
            ">calls/s",
            ">average",
            ">p95",
            ">p99",
            ">examined/row",
            ">no index",
            ">tmp disk",
            ">errors",
            "schema",
        ],
    );
    for (place, one) in shown.iter().enumerate() {
        table.push(row(place + 1, one, window, all));
    }
    let bars = Bars {
        caption: format!(
            "Load: sessions that were busy with a statement on average, over {}",
            units::duration(window)
        ),
        series: Vec::new(),
        rows: shown
            .iter()
            .take(BARS)
            .enumerate()
            .map(|(place, one)| {
                let load = one.load(window);
                BarRow {
                    label: format!("{}. {}", place + 1, head(one, 48)),
                    values: vec![Amount::new(load, format!("{load:.3}"))],
                }
            })
            .collect(),
    };
    let mut blocks = vec![Block::Bars(bars), Block::Table(table)];
    blocks.extend(details(period, shown));
    blocks
}

fn row(
    place: usize,
    one: &StatementSummary,
    window: std::time::Duration,
    all: f64,
) -> [String; 13] {
    let quantile = |of: fn(&crate::model::latency::Quantiles) -> std::time::Duration| {
        one.latency
            .as_ref()
            .map_or_else(|| "-".to_owned(), |latency| units::duration(of(latency)))
    };
    let seconds = window.as_secs_f64().max(f64::EPSILON);
    let calls = one.calls.max(1) as f64;
    [
        place.to_string(),
        head(one, HEAD),
        format!("{:.3}", one.load(window)),
        units::percent(one.time.as_secs_f64() / all.max(f64::EPSILON)),
        units::count(one.calls as f64 / seconds),
        units::duration(one.average()),
        quantile(|q| q.p95),
        quantile(|q| q.p99),
        units::count(one.rows_examined as f64 / one.rows.max(1) as f64),
        units::percent(one.no_index as f64 / calls),
        units::count(one.tmp_disk_tables as f64),
        units::count(one.errors as f64),
        one.key.schema.as_deref().unwrap_or("-").to_owned(),
    ]
}

/// The beginning of a statement's text, without the spaces and quotes that the server puts
/// everywhere.
pub(super) fn head(one: &StatementSummary, most: usize) -> String {
    let Some(text) = &one.text else {
        let digest = one.key.digest.as_deref().unwrap_or_default();
        return format!("(text not read) {}", digest.get(..16).unwrap_or(digest));
    };
    let text = plain(text);
    if text.chars().count() <= most {
        return text;
    }
    let cut: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{cut}…")
}

/// A statement's text without the spaces and quotes that the server puts everywhere, and without the
/// binary protocol's step, which stands before what it runs.
fn plain(text: &str) -> String {
    text.strip_prefix("EXECUTE ")
        .filter(|rest| rest.contains(' '))
        .unwrap_or(text)
        .replace('`', "")
        .replace(" . ", ".")
        .replace(" ,", ",")
        .replace("( ", "(")
        .replace(" )", ")")
}

/// Text and latencies of each statement whose histogram was read.
fn details(period: &Performance, shown: &[StatementSummary]) -> Vec<Block> {
    let mut blocks = Vec::new();
    for (place, one) in shown.iter().enumerate() {
        let histogram = period.histograms.iter().find(|h| h.key == one.key);
        let mut inside = Vec::new();
        if let Some(text) = &one.text {
            inside.push(Block::Code {
                language: "sql",
                text: plain(text),
            });
        }
        if let Some(histogram) = histogram {
            inside.push(Block::Histogram(shapes::histogram(
                &histogram.latency,
                format!(
                    "{} executions in the last {} of the period, by duration",
                    units::count(histogram.latency.total() as f64),
                    units::duration(histogram.window)
                ),
            )));
        }
        if inside.is_empty() {
            continue;
        }
        let mut facts = vec![
            ("executions".to_owned(), units::count(one.calls as f64)),
            ("time".to_owned(), units::duration(one.time)),
            ("average".to_owned(), units::duration(one.average())),
            (
                "rows examined".to_owned(),
                units::count(one.rows_examined as f64),
            ),
            (
                "rows sent or changed".to_owned(),
                units::count(one.rows as f64),
            ),
        ];
        if let Some(digest) = &one.key.digest {
            facts.push(("digest".to_owned(), digest.to_string()));
        }
        inside.insert(0, Block::Facts(facts));
        blocks.push(Block::Details {
            summary: format!("{}. {}", place + 1, head(one, 2 * HEAD)),
            blocks: inside,
        });
    }
    blocks
}
