//! A run of the load engine as a document and as JSON.

mod json;
mod text;

pub(in crate::cli) use json::{RunJson, json};
pub(in crate::cli) use text::document;

use crate::model::probe::{Counts, Latencies, LoadTick, ProbeFigures};
use crate::probes::recorder::{growing, merge};

/// The counts of all probes together.
pub(in crate::cli) fn counts(tick: &LoadTick) -> Counts {
    tick.probes
        .iter()
        .fold(Counts::default(), |sum, probe| sum.plus(probe.counts))
}

/// The response of all probes together.
pub(in crate::cli) fn all_responses(tick: &LoadTick) -> Latencies {
    let mut all = growing();
    for probe in &tick.probes {
        merge(&mut all, &probe.response);
    }
    all
}

fn rows_per_call(probe: &ProbeFigures) -> Option<f64> {
    (probe.counts.completed > 0).then(|| probe.rows as f64 / probe.counts.completed as f64)
}
