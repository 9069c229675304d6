//! Where the time of a driven load goes.

use std::time::Duration;

use crate::model::probe::{Latencies, LoadTick, ProbeFigures, quantile};
use crate::model::units;

/// Waits below this are nobody's bottleneck.
const NOTICEABLE: Duration = Duration::from_millis(10);

/// Where the time goes, as one word and one sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bottleneck {
    None,
    Pool,
    Database,
    Generator,
}

/// What to look at first, with the figures that say so.
pub(super) fn bottleneck(load: &LoadTick) -> (Bottleneck, String) {
    let p95 = |histogram: &Latencies| quantile(histogram, 0.95).unwrap_or_default();
    let text = units::duration;
    let pool = &load.pool;
    let wait = p95(&pool.wait);
    let late = p95(&load.lateness);
    let service = load
        .probes
        .iter()
        .map(|probe| p95(&probe.service))
        .max()
        .unwrap_or_default();
    if late > NOTICEABLE && late > wait && late > service {
        let why = format!(
            "the load generator: {} late at p95, this machine is the limit",
            text(late)
        );
        return (Bottleneck::Generator, why);
    }
    if pool.pending_mean >= 1.0 && wait > NOTICEABLE {
        let why = format!(
            "the pool: {} of {} lent, {} wait for one, p95 {}; the server needs up to {}",
            pool.used,
            pool.max,
            units::count(pool.pending_mean.round()),
            text(wait),
            text(service)
        );
        return (Bottleneck::Pool, why);
    }
    let missed: Vec<(&ProbeFigures, Duration)> = load
        .probes
        .iter()
        .filter_map(|probe| match probe.slo_state() {
            Some((measured, false)) => Some((probe, measured)),
            _ => None,
        })
        .collect();
    if let Some((probe, measured)) = missed.iter().max_by_key(|(_, measured)| *measured) {
        let more = match missed.len() {
            1 => String::new(),
            n => format!("; {} more missed", n - 1),
        };
        let why = format!(
            "the database: {} {}, on the server {}, pool wait {}{more}",
            probe.name,
            text(*measured),
            text(p95(&probe.service)),
            text(wait)
        );
        return (Bottleneck::Database, why);
    }
    let why = format!(
        "none: pool wait p95 {}, server p95 up to {}, {} of the pool in use",
        text(wait),
        text(service),
        units::percent(pool.utilization)
    );
    (Bottleneck::None, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::tests::fixture;

    #[test]
    fn the_bottleneck_is_named() {
        let mut load = fixture::load(0);
        load.probes
            .retain(|probe| probe.slo_state().is_some_and(|(_, is_met)| is_met));
        assert_eq!(bottleneck(&load).0, Bottleneck::None);
        load.pool.pending_mean = 12.0;
        for _ in 0..100 {
            load.pool.wait.saturating_record(2_000_000_000);
        }
        let (what, why) = bottleneck(&load);
        assert_eq!(what, Bottleneck::Pool, "{why}");
        let mut load = fixture::load(0);
        for _ in 0..1_000 {
            load.probes[0].response.saturating_record(3_000_000_000);
            load.probes[0].service.saturating_record(3_000_000_000);
        }
        assert_eq!(bottleneck(&load).0, Bottleneck::Database);
    }
}
