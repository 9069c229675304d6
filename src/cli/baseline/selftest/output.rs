//! What a self-test found, for people and for programs.

use serde::Serialize;

use super::{CONFIDENCE, Found, Rate, SLOWDOWN};
use crate::cli::baseline::compare::share;
use crate::model::units;
use crate::report::doc::{Block, Document, Table};

/// For people.
pub(super) fn document(found: &Found) -> Document {
    let ended = if found.is_interrupted {
        "Interrupted, so that this is what there was: "
    } else {
        ""
    };
    let promise = percent(found.limits.alpha);
    let first = if found.real.low > found.limits.alpha {
        format!(
            "{ended}False alarms are more frequent here than the promised {promise}: something \
             makes the two sides of a comparison different."
        )
    } else {
        format!(
            "{ended}{} comparisons of `{}` with itself raised {} false alarms, where {promise} is \
             promised.",
            found.real.of, found.workload, found.real.hits
        )
    };
    Document {
        title: "Baseline self-test".to_owned(),
        blocks: vec![
            Block::Paragraph(first),
            Block::Facts(facts(found)),
            Block::Table(noise(found)),
        ],
    }
}

fn facts(found: &Found) -> Vec<(String, String)> {
    let mut facts = vec![
        (
            "False alarms, run".to_owned(),
            format!(
                "{}; each at most {}, with connections of its own",
                rate(&found.real),
                units::duration(found.each)
            ),
        ),
        (
            "Not decided".to_owned(),
            format!("{} of {}", found.undecided, found.real.of),
        ),
    ];
    if found.resampled.of > 0 {
        facts.push((
            "False alarms, resampled".to_owned(),
            format!(
                "{}; comparisons of {:.0} s of recorded pairs, their sides drawn anew",
                rate(&found.resampled),
                found.resampled_seconds
            ),
        ));
        facts.push((
            "Slowdowns found, resampled".to_owned(),
            format!(
                "{}, with {} put into the recorded times of one probe",
                rate(&found.detected),
                share(SLOWDOWN)
            ),
        ));
    }
    facts
}

fn noise(found: &Found) -> Table {
    let mut table = Table::new(
        format!(
            "Noise of each probe, and the smallest growth that a comparison of {} would see",
            units::duration(found.max_time)
        ),
        &["Probe", ">Pairs", ">Half differ by", ">Would be seen"],
    );
    for one in &found.noise {
        let shown = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), share);
        table.push([
            one.name.clone(),
            one.pairs.to_string(),
            shown(one.typical),
            shown(one.foreseen),
        ]);
    }
    table
}

fn rate(rate: &Rate) -> String {
    format!(
        "{} of {}; the rate is at most {} with a confidence of {}, and at least {} with the same",
        rate.hits,
        rate.of,
        percent(rate.high),
        percent(CONFIDENCE),
        percent(rate.low)
    )
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// For programs; `docs/schemas/baseline-selftest.json` describes it.
#[derive(Debug, Serialize)]
pub(super) struct Json<'a> {
    schema_version: u32,
    workload: &'a str,
    confidence: f64,
    alpha: f64,
    min_effect: f64,
    slowdown: f64,
    each_seconds: f64,
    measured_seconds: f64,
    max_seconds: f64,
    is_interrupted: bool,
    run: JsonRate,
    run_undecided: u64,
    resampled_seconds: f64,
    resampled: JsonRate,
    resampled_slowdowns_found: JsonRate,
    probes: Vec<JsonProbe<'a>>,
}

#[derive(Debug, Serialize)]
struct JsonRate {
    hits: u64,
    of: u64,
    low: f64,
    high: f64,
}

#[derive(Debug, Serialize)]
struct JsonProbe<'a> {
    name: &'a str,
    pairs: usize,
    median_difference: Option<f64>,
    detectable: Option<f64>,
}

/// For programs.
pub(super) fn json(found: &Found) -> Json<'_> {
    let rate = |rate: &Rate| JsonRate {
        hits: rate.hits,
        of: rate.of,
        low: rate.low,
        high: rate.high,
    };
    Json {
        schema_version: 1,
        workload: &found.workload,
        confidence: CONFIDENCE,
        alpha: found.limits.alpha,
        min_effect: found.limits.least,
        slowdown: SLOWDOWN,
        each_seconds: found.each.as_secs_f64(),
        measured_seconds: found.seconds,
        max_seconds: found.max_time.as_secs_f64(),
        is_interrupted: found.is_interrupted,
        run: rate(&found.real),
        run_undecided: found.undecided,
        resampled_seconds: found.resampled_seconds,
        resampled: rate(&found.resampled),
        resampled_slowdowns_found: rate(&found.detected),
        probes: found
            .noise
            .iter()
            .map(|one| JsonProbe {
                name: &one.name,
                pairs: one.pairs,
                median_difference: one.typical,
                detectable: one.foreseen,
            })
            .collect(),
    }
}
