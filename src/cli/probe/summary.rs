//! Runs of the load engine as documents and as JSON.

pub(super) mod capacity;
mod json;
mod pool;
pub(super) mod sizing;
mod stages;
mod text;
mod verdict;

pub(in crate::cli) use json::{RunJson, json};
pub(in crate::cli) use text::document;
pub(in crate::cli) use verdict::limit;

use crate::model::probe::{Counts, Latencies, LoadTick, ProbeFigures, quantile};
use crate::model::units;
use crate::probes::recorder::{growing, merge};

/// The counts of all probes together.
pub(in crate::cli) fn counts(tick: &LoadTick) -> Counts {
    crate::probes::outcome::counts(tick)
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

/// A quantile for a table.
fn cell(histogram: &Latencies, q: f64) -> String {
    quantile(histogram, q).map_or_else(|| "-".to_owned(), units::duration)
}
