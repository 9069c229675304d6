//! A history for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::one::micros;
use crate::baseline::history::{CounterCourse, Figure, History};
use crate::baseline::verdict::Change;
use crate::cli::baseline::document::{count, diff};
use crate::model::units;
use crate::report::doc::{Block, Document, Lines, Series, Table};

/// Counters that are told of a probe at one run.
const COUNTERS: usize = 4;

/// Figures without anything found that are drawn.
const CALM: usize = 12;

/// The history as a document.
pub(super) fn of(history: &History, notes: &[String]) -> Document {
    let mut blocks = vec![Block::Paragraph(summary(history))];
    if !history.breaks.is_empty() || !history.loads.is_empty() {
        blocks.push(Block::Heading("New beginnings".to_owned()));
        blocks.push(Block::List(breaks(history)));
    }
    let steps = steps(history);
    if !steps.rows.is_empty() {
        blocks.push(Block::Heading("Counters".to_owned()));
        blocks.push(Block::Table(steps));
        blocks.extend(counter_lines(history));
    }
    if !history.plans.is_empty() {
        blocks.push(Block::Heading("Plans".to_owned()));
        for step in &history.plans {
            blocks.push(Block::Subheading(format!(
                "{}: {}",
                label(history, step.at),
                step.probe
            )));
            blocks.push(Block::Code {
                language: "diff",
                text: diff(&step.plans),
            });
        }
    }
    if !history.figures.is_empty() {
        blocks.extend(times(history));
    }
    if !notes.is_empty() {
        blocks.push(Block::Heading("Notes".to_owned()));
        blocks.push(Block::List(notes.to_vec()));
    }
    Document {
        title: "Baseline history".to_owned(),
        blocks,
    }
}

fn label(history: &History, at: usize) -> &str {
    history.labels.get(at).map_or("?", String::as_str)
}

fn ends(history: &History) -> (String, String) {
    let last = history.labels.len().saturating_sub(1);
    (
        label(history, 0).to_owned(),
        label(history, last).to_owned(),
    )
}

fn summary(history: &History) -> String {
    let of = |change: Change| {
        let steps = history.steps.iter().flat_map(|course| &course.steps);
        steps.filter(|step| step.change == change).count()
    };
    let shifts: usize = history
        .figures
        .iter()
        .map(|figure| figure.course.shifts.len())
        .sum();
    let drifts = history
        .figures
        .iter()
        .filter(|figure| figure.course.drift.is_some())
        .count();
    let (from, to) = ends(history);
    format!(
        "{} runs from `{from}` to `{to}`: {} counters with {} steps for the worse and {} for the \
         better, {} other plans; {} times with {shifts} shifts and {drifts} drifts.",
        history.labels.len(),
        history.counters,
        of(Change::Regressed),
        of(Change::Improved),
        history.plans.len(),
        history.figures.len(),
    )
}

fn breaks(history: &History) -> Vec<String> {
    let whole = history.breaks.iter().map(|one| (one, "`"));
    let times = history.loads.iter().map(|one| (one, "the times of `"));
    whole
        .chain(times)
        .map(|(one, of)| {
            let differences: Vec<String> = one
                .differences
                .iter()
                .map(|it| format!("{} was `{}` and is `{}`", it.what, it.then, it.now))
                .collect();
            format!(
                "{of}{}` can't be compared with the run before: {}",
                label(history, one.at),
                differences.join("; ")
            )
        })
        .collect()
}

/// One row for each run and probe, its counters in one cell: they move together.
fn steps(history: &History) -> Table {
    let mut rows: BTreeMap<(usize, &str, &str), Vec<String>> = BTreeMap::new();
    for course in &history.steps {
        for step in &course.steps {
            let key = (step.at, course.probe.as_str(), step.change.word());
            rows.entry(key).or_default().push(format!(
                "{} {} -> {}",
                course.counter,
                count(step.then),
                count(step.now)
            ));
        }
    }
    let mut table = Table::new(
        "Steps of counters over all operations of a probe",
        &["Run", "Probe", "Change", "Counters"],
    );
    for ((at, probe, change), counters) in rows {
        let more = counters.len().saturating_sub(COUNTERS);
        let mut told = counters[..counters.len() - more].join(", ");
        if more > 0 {
            // Writing to a String cannot fail.
            let _ = write!(told, " and {more} more");
        }
        table.push([label(history, at), probe, change, &told]);
    }
    table
}

/// The counter of each probe that says most: what it reads, or else the first that changed.
fn counter_lines(history: &History) -> Vec<Block> {
    let mut drawn: BTreeMap<&str, &CounterCourse> = BTreeMap::new();
    for course in &history.steps {
        let is_telling = course.counter == "rows_examined";
        if is_telling || !drawn.contains_key(course.probe.as_str()) {
            drawn.insert(&course.probe, course);
        }
    }
    drawn
        .into_values()
        .map(|course| {
            let values: Vec<Option<f64>> = course
                .values
                .iter()
                .map(|value| value.map(|count| count.high as f64))
                .collect();
            let last = course.values.iter().rev().find_map(|value| *value);
            let highest = course.values.iter().flatten().map(|one| one.high).max();
            Block::Lines(Lines {
                caption: format!("`{}` of `{}`", course.counter, course.probe),
                ends: ends(history),
                top: units::count(highest.unwrap_or(0) as f64),
                marks: course
                    .steps
                    .iter()
                    .map(|step| (step.at, mark(history, step.at, step.change.word())))
                    .collect(),
                series: vec![Series {
                    name: course.counter.clone(),
                    values,
                    shown: last.map_or_else(String::new, |last| format!("now {}", count(last))),
                }],
                ..Lines::default()
            })
        })
        .collect()
}

fn mark(history: &History, at: usize, what: &str) -> String {
    format!("{}: {what}", label(history, at))
}

fn times(history: &History) -> Vec<Block> {
    let mut blocks = vec![Block::Heading("Times".to_owned())];
    if history.figures.iter().any(|figure| figure.is_relative) {
        blocks.push(Block::Paragraph(
            "What all probes of a run have in common is judged by itself, and taken out of each \
             probe's times."
                .to_owned(),
        ));
    }
    let found = found(history);
    if !found.rows.is_empty() {
        blocks.push(Block::Table(found));
    }
    let (moved, calm): (Vec<&Figure>, Vec<&Figure>) = history
        .figures
        .iter()
        .partition(|one| !one.course.shifts.is_empty() || one.course.drift.is_some());
    blocks.extend(moved.into_iter().map(|one| figure(history, one)));
    if !calm.is_empty() {
        let hidden = calm.len().saturating_sub(CALM);
        let mut inner: Vec<Block> = calm
            .iter()
            .take(CALM)
            .map(|one| figure(history, one))
            .collect();
        if hidden > 0 {
            inner.push(Block::Paragraph(format!(
                "{hidden} more stayed as they were."
            )));
        }
        blocks.push(Block::Details {
            summary: format!("{} times in which nothing was found", calm.len()),
            blocks: inner,
        });
    }
    if history.too_few > 0 {
        blocks.push(Block::Paragraph(format!(
            "{} times have too few operations or too few runs to be judged.",
            history.too_few
        )));
    }
    blocks
}

fn found(history: &History) -> Table {
    let mut table = Table::new(
        "Shifts and drifts of the response",
        &[
            "Run", "Time", "What", ">Change", ">Before", ">After", ">p", ">Noise",
        ],
    );
    for figure in &history.figures {
        let noise = figure.noise.map_or_else(|| "-".to_owned(), units::percent);
        for shift in &figure.course.shifts {
            let what = if shift.share() > 0.0 {
                "slower"
            } else {
                "faster"
            };
            table.push([
                label(history, shift.at).to_owned(),
                figure.name(),
                what.to_owned(),
                signed(shift.share()),
                value(figure, shift.before),
                value(figure, shift.after),
                probability(shift.p),
                noise.clone(),
            ]);
        }
        if let Some(drift) = &figure.course.drift {
            table.push([
                label(history, drift.from).to_owned(),
                figure.name(),
                format!("drifts over {} runs", drift.runs),
                format!("{} a run", signed(drift.per_run)),
                signed(drift.low),
                signed(drift.high),
                probability(drift.p),
                noise,
            ]);
        }
    }
    table
}

fn figure(history: &History, figure: &Figure) -> Block {
    let known: Vec<f64> = figure.judged.iter().flatten().copied().collect();
    let lowest = known.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = known.iter().copied().fold(0.0, f64::max);
    // A tenth of the height would hide a change of ten percent.
    let bottom = (lowest - (highest - lowest) / 4.0).max(0.0);
    let noise = figure.noise.map_or_else(String::new, |noise| {
        format!("noise {}", units::percent(noise))
    });
    let mut marks: Vec<(usize, String)> = figure
        .course
        .shifts
        .iter()
        .map(|shift| (shift.at, mark(history, shift.at, &signed(shift.share()))))
        .collect();
    marks.extend(figure.course.drift.iter().map(|drift| {
        let what = format!("drifts by {} a run from here", signed(drift.per_run));
        (drift.from, mark(history, drift.from, &what))
    }));
    Block::Lines(Lines {
        caption: if figure.is_relative {
            format!("{}, without what all probes have in common", figure.name())
        } else {
            figure.name()
        },
        ends: ends(history),
        top: format!(
            "{}, bottom {}",
            value(figure, highest),
            value(figure, bottom)
        ),
        bottom,
        marks,
        series: vec![Series {
            name: figure.quantile.to_owned(),
            values: figure.judged.clone(),
            shown: noise,
        }],
    })
}

/// A time, or for all probes together times the usual.
fn value(figure: &Figure, value: f64) -> String {
    if figure.probe.is_some() {
        micros(value)
    } else {
        format!("x{value:.3}")
    }
}

fn signed(share: f64) -> String {
    format!("{:+.1} %", share * 100.0)
}

fn probability(p: f64) -> String {
    if p < 0.000_1 {
        "< 0.0001".to_owned()
    } else {
        format!("{p:.4}")
    }
}
