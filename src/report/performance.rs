//! What a server did over a period, as a document: how well, how much, where the time went, and
//! what changed since an earlier period.

mod changes;
mod connections;
mod levels;
mod shapes;
mod statements;

use super::doc::{Block, Document, Finding, Lines, Series, Severity, Table};
use crate::model::digest::DigestGap;
use crate::model::performance::{Measure, More, Performance, Point, Summary, Unit};
use crate::model::units;

pub use changes::{Move, moves};
pub use connections::{Client, Connections, Level as ConnectionLevel, connections};
pub use levels::{Level, Targets, levels};

/// Kinds of waits that are listed.
const WAITS: usize = 15;

/// How much is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length {
    /// Statements in the tables.
    pub statements: usize,
}

/// The report of a period; with `earlier`, also what changed since.
#[must_use]
pub fn document(
    period: &Performance,
    levels: &[Level],
    earlier: Option<&Summary>,
    length: Length,
) -> Document {
    let now = period.summary(usize::MAX);
    let mut blocks = vec![
        Block::Paragraph(lead(period, &now, levels)),
        Block::Facts(facts(period)),
        Block::Heading("Service levels".to_owned()),
        levels::table(levels),
    ];
    if let Some(earlier) = earlier {
        blocks.push(Block::Heading("What changed".to_owned()));
        blocks.extend(changes::blocks(earlier, &now, length.statements));
    }
    blocks.push(Block::Heading("Load over the period".to_owned()));
    blocks.extend(over_time(period));
    blocks.push(Block::Heading("Latency of all statements".to_owned()));
    blocks.push(match &period.interval.latency {
        Some(latency) if latency.total() > 0 => Block::Histogram(shapes::histogram(
            latency,
            format!(
                "{} statements over {}, by duration; ranges of the server, each named by its upper end",
                units::count(latency.total() as f64),
                units::duration(period.interval.window)
            ),
        )),
        _ => Block::Paragraph("no statement ended, or the server keeps no histogram".to_owned()),
    });
    if earlier.is_none() {
        blocks.push(Block::Heading("Figures".to_owned()));
        blocks.push(figures(&now));
    }
    blocks.push(Block::Heading("Statements".to_owned()));
    blocks.extend(statements::blocks(period, &now, length.statements));
    blocks.push(Block::Heading("Connections".to_owned()));
    blocks.extend(connections::blocks(period));
    blocks.push(Block::Heading("Waits".to_owned()));
    blocks.extend(waits(period));
    blocks.push(Block::Heading("Limits and cost".to_owned()));
    blocks.extend(limits(period));
    Document {
        title: format!("Performance of {}", period.facts.name),
        blocks,
    }
}

fn lead(period: &Performance, now: &Summary, levels: &[Level]) -> String {
    let shown = |measure: Measure| {
        now.figure(measure)
            .map_or_else(|| "unknown".to_owned(), |value| figure(measure, value))
    };
    let judged = levels.iter().filter(|level| level.is_met.is_some()).count();
    let missed = levels
        .iter()
        .filter(|level| level.is_met == Some(false))
        .count();
    let verdict = match (judged, missed) {
        (0, _) => "No service level could be judged.".to_owned(),
        (_, 0) => format!("All {judged} service levels that could be judged were met."),
        (_, 1) => format!("One of {judged} service levels was missed."),
        (_, missed) => format!("{missed} of {judged} service levels were missed."),
    };
    if now.figure(Measure::P50).is_none() {
        return format!(
            "Over {} the server ran {} statements a second; how long they took can't be told. {verdict}",
            units::duration(period.interval.window),
            now.figure(Measure::Queries)
                .map_or_else(|| "an unknown number of".to_owned(), units::count),
        );
    }
    format!(
        "Over {} the server ran {} statements a second, which kept {} sessions busy on average; half \
         of them took at most {}, 95 % at most {}, 99 % at most {}. {verdict}",
        units::duration(period.interval.window),
        now.figure(Measure::Queries)
            .map_or_else(|| "an unknown number of".to_owned(), units::count),
        shown(Measure::Load),
        shown(Measure::P50),
        shown(Measure::P95),
        shown(Measure::P99),
    )
}

fn facts(period: &Performance) -> Vec<(String, String)> {
    let at = |time: jiff::Timestamp| time.strftime("%F %T UTC").to_string();
    let step = period
        .points
        .first()
        .map(|point| units::duration(point.window));
    let facts = [
        ("server", period.facts.name.clone()),
        ("version", format!("MySQL {}", period.facts.version)),
        ("account", period.facts.account.clone()),
        ("from", at(period.from)),
        ("to", at(period.interval.to)),
        (
            "watched",
            format!(
                "{} polls, about {} apart",
                period.polls.0,
                step.unwrap_or_else(|| "-".to_owned())
            ),
        ),
    ];
    facts
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// A measure's value with its unit.
pub(super) fn figure(measure: Measure, value: f64) -> String {
    match measure.unit() {
        Unit::PerSecond => format!("{}/s", units::count(value)),
        Unit::BytesPerSecond => format!("{}/s", bytes(value)),
        Unit::Seconds => units::duration(seconds(value)),
        Unit::Share => format!("{:.3}%", value * 100.0),
        Unit::Sessions => format!("{value:.2}"),
    }
}

fn bytes(value: f64) -> String {
    // Rounded to whole bytes through a duration, whose conversion checks its range.
    let whole = std::time::Duration::try_from_secs_f64(value.max(0.0).round());
    units::bytes(whole.map_or(u64::MAX, |whole| whole.as_secs()))
}

fn seconds(value: f64) -> std::time::Duration {
    std::time::Duration::try_from_secs_f64(value.max(0.0)).unwrap_or_default()
}

fn figures(now: &Summary) -> Block {
    let mut table = Table::new(
        format!("Over {}", units::duration(now.window)),
        &["figure", ">value"],
    );
    for (measure, value) in &now.figures {
        let value = value.map_or_else(|| "-".to_owned(), |value| figure(*measure, value));
        table.push([measure.title().to_owned(), value]);
    }
    Block::Table(table)
}

/// How much more or less, in percent or in points; empty where that says nothing.
pub(super) fn change(measure: Measure, then: f64, now: f64) -> String {
    if measure.unit() == Unit::Share {
        return format!("{:+.3} points", (now - then) * 100.0);
    }
    if then == 0.0 {
        return if now == 0.0 { "=" } else { "from nothing" }.to_owned();
    }
    let factor = now / then;
    if factor >= 10.0 {
        return format!("x {}", units::count(factor));
    }
    format!("{:+.1}%", (factor - 1.0) * 100.0)
}

/// Whether a measure is worse than before by enough to be told: a tenth and more than chance, or half
/// a point.
pub(super) fn is_worse(measure: Measure, then: f64, now: f64) -> bool {
    // A single event more or less within a minute says nothing.
    let least = match measure.unit() {
        Unit::PerSecond => 0.05,
        Unit::Sessions => 0.02,
        Unit::BytesPerSecond | Unit::Seconds | Unit::Share => 0.0,
    };
    let grew = match measure.unit() {
        Unit::Share => (now - then).abs() > 0.005,
        _ => (now - then).abs() > (0.1 * then.abs()).max(least),
    };
    grew && match measure.more_is() {
        More::Better => now < then,
        More::Worse => now > then,
        More::Neutral => false,
    }
}

fn over_time(period: &Performance) -> Vec<Block> {
    let points = &period.points;
    if points.len() < 2 {
        return vec![Block::Paragraph(
            "one poll alone shows no course; watch for longer, or poll more often".to_owned(),
        )];
    }
    let step = units::duration(points[0].window);
    let series =
        |name: &str, value: &dyn Fn(&Point) -> Option<f64>, shown: &dyn Fn(f64) -> String| {
            let values: Vec<Option<f64>> = points.iter().map(value).collect();
            Series {
                name: name.to_owned(),
                shown: course(&values, points, shown),
                values,
            }
        };
    let rate = |value: f64| format!("{}/s", units::count(value));
    let time = |value: f64| units::duration(seconds(value));
    let level = |value: f64| units::count(value);
    let quantile = |of: fn(crate::model::latency::Quantiles) -> std::time::Duration| {
        move |point: &Point| point.latency.map(|latency| of(latency).as_secs_f64())
    };
    vec![
        lines(
            points,
            format!("Statements a second, each value over {step}"),
            &rate,
            vec![series("statements", &|point| point.queries, &rate)],
        ),
        lines(
            points,
            format!("Statement latency, each value over {step}; upper ends of the server's ranges"),
            &time,
            vec![
                series("p99", &quantile(|q| q.p99), &time),
                series("p95", &quantile(|q| q.p95), &time),
                series("p50", &quantile(|q| q.p50), &time),
            ],
        ),
        lines(
            points,
            "Threads that run, at each poll".to_owned(),
            &level,
            vec![series("running", &|p| p.running.map(|n| n as f64), &level)],
        ),
        lines(
            points,
            "Connections, at each poll".to_owned(),
            &level,
            vec![series(
                "connections",
                &|p| p.connected.map(|n| n as f64),
                &level,
            )],
        ),
    ]
}

fn lines(
    points: &[Point],
    caption: String,
    shown: &dyn Fn(f64) -> String,
    series: Vec<Series>,
) -> Block {
    let clock = |point: Option<&Point>| {
        point.map_or_else(String::new, |point| point.at.strftime("%T").to_string())
    };
    let values = series.iter().flat_map(|one| &one.values).filter_map(|v| *v);
    let top = values.filter(|v| v.is_finite()).fold(0.0, f64::max);
    Block::Lines(Lines {
        caption,
        ends: (clock(points.first()), clock(points.last())),
        top: shown(top),
        series,
        ..Lines::default()
    })
}

/// Mean, and the highest value with its time.
fn course(values: &[Option<f64>], points: &[Point], shown: &dyn Fn(f64) -> String) -> String {
    let known: Vec<f64> = values.iter().filter_map(|value| *value).collect();
    if known.is_empty() {
        return "unknown".to_owned();
    }
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    let highest = values
        .iter()
        .zip(points)
        .filter_map(|(value, point)| Some(((*value)?, point.at)))
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    let highest = highest.map_or_else(String::new, |(value, at)| {
        format!(", at most {} at {}", shown(value), at.strftime("%T"))
    });
    format!("{} on average{highest}", shown(mean))
}

fn waits(period: &Performance) -> Vec<Block> {
    let window = period.interval.window;
    let Some(waits) = &period.waits else {
        let text = "The server's waits can't be read.";
        return vec![Block::Paragraph(text.to_owned())];
    };
    let mut table = Table::new(
        format!(
            "Kinds of waits: the {} with the most time of {}, over {}; only instruments that are on are \
             counted, and a wait for a table contains those for its files",
            waits.len().min(WAITS),
            waits.len(),
            units::duration(window)
        ),
        &["wait", ">count", ">time", ">sessions", ">average"],
    );
    for wait in waits.iter().take(WAITS) {
        if wait.time.is_zero() {
            let count = units::count(wait.count as f64);
            let untimed = ["not timed", "-", "-"].map(str::to_owned);
            let [time, sessions, average] = untimed;
            table.push([wait.event.clone(), count, time, sessions, average]);
            continue;
        }
        let each = u32::try_from(wait.count).unwrap_or(u32::MAX).max(1);
        table.push([
            wait.event.clone(),
            units::count(wait.count as f64),
            units::duration(wait.time),
            format!(
                "{:.3}",
                wait.time.as_secs_f64() / window.as_secs_f64().max(f64::EPSILON)
            ),
            units::duration(wait.time / each),
        ]);
    }
    vec![Block::Table(table)]
}

fn limits(period: &Performance) -> Vec<Block> {
    let interval = &period.interval;
    let mut notes: Vec<String> = period.facts.limits.clone();
    notes.extend(interval.missing.iter().cloned());
    notes.extend(period.notes.iter().cloned());
    if let Some(digests) = &period.digests {
        match digests.gap {
            Some(DigestGap::Restarted) => notes.push("the server restarted within the period".to_owned()),
            Some(DigestGap::Truncated) => notes.push(
                "somebody truncated the digest table within the period; statements before that are not in it"
                    .to_owned(),
            ),
            None => {}
        }
        if let Some(lost) = digests.lost {
            let share = lost.time_ps as f64 / digests.total.time_ps.max(1) as f64;
            notes.push(format!(
                "{} of the time is in statements that the full digest table could not tell apart; \
                 raise `performance_schema_digests_size`",
                units::percent(share)
            ));
        }
    }
    let mut blocks = Vec::new();
    if !notes.is_empty() {
        let finding = |message| Finding {
            severity: Severity::Note,
            code: "limit",
            message,
            remedy: String::new(),
        };
        blocks.push(Block::Findings(notes.into_iter().map(finding).collect()));
    }
    let cost = interval.cost;
    let most = if cost.server_cpu.is_some() {
        ""
    } else {
        "at most "
    };
    blocks.push(Block::Paragraph(format!(
        "Watching took {most}{} of one core of the server: {} statements, {} received. They are left \
         out of statements, latencies and the list of statements, and are in rows read, files and \
         waits.",
        units::percent(cost.share(interval.window)),
        units::count(cost.statements as f64),
        units::bytes(cost.bytes),
    )));
    blocks
}

#[cfg(test)]
mod tests;
