//! The timed pass: the pack's load from many connections, as its engine drives it.
//!
//! Only reading probes are driven: what writes would leave other data behind, which no later check
//! could be compared with.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::serialization::{Serializer as _, V2DeflateSerializer};
use tokio::sync::mpsc;

use super::recording::Plan;
use crate::baseline::objective::{self, Measured, Objectives};
use crate::baseline::recorded::{Timed, TimedProbe};
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::probe;
use crate::cli::probe::summary::limit;
use crate::model::probe::{Latencies, LoadTick, quantile};
use crate::probes::engine::{EngineConfig, spawn};
use crate::probes::outcome::{self, RunReport};
use crate::probes::pack::Kind;
use crate::probes::workload::{Choice, engine_probes};
use crate::server;

/// Windows that may wait; nobody looks at them here.
const TICKS: usize = 4;

/// Time before the measured one.
const WARMUP: Duration = Duration::from_secs(2);

/// What a timed pass gave.
pub(super) struct Pass {
    /// As it is recorded.
    pub(super) timed: Timed,
    /// Against the objectives of the pack and the configuration.
    pub(super) objectives: Objectives,
    /// What else is worth knowing, each one sentence.
    pub(super) notes: Vec<String>,
}

/// Drives the load for `duration`; keeps its histograms and the pool's figures, and judges them.
pub(super) async fn run(context: &Context, plan: &Plan, duration: Duration) -> Result<Pass, Error> {
    let settings = context.settings();
    let server = context.server()?;
    let place = server::connect::place(server);
    let options = server::connect::options(server);
    let database = plan.database();
    let world = Arc::new(probe::run::world(&options, &database, &plan.pack, &place).await?);
    let reading = plan.pack.probes.iter().filter(|one| one.kind == Kind::Read);
    let is_wanted = |name: &str| plan.probes.is_empty() || plan.probes.iter().any(|n| n == name);
    let choice = Choice {
        names: reading
            .map(|one| one.name.to_string())
            .filter(|name| is_wanted(name))
            .collect(),
        rate: settings.load.rate,
        run: plan.seed,
    };
    if choice.names.is_empty() {
        return Err(
            Error::new("none of the probes reads, so that none can be timed")
                .hint("leave `--timed` or `--slo` out"),
        );
    }
    let probes =
        engine_probes(&world, &choice, &settings.slo).map_err(|error| Error::from_chain(&error))?;
    let config = EngineConfig {
        label: format!("{} on {place}", plan.pack.name).into(),
        seed: plan.seed,
        duration: Some(duration),
        warmup: WARMUP,
        concurrency: settings.load.concurrency,
        operation_timeout: settings.load.operation_timeout,
        connect_timeout: settings.monitor.connect_timeout,
        max_rows: settings.load.max_rows,
        ..EngineConfig::default()
    };
    let (ticks, mut receiver) = mpsc::channel(TICKS);
    let engine = spawn(
        options.database(&database),
        probes,
        config,
        ticks,
        &context.cancel,
    );
    while receiver.recv().await.is_some() {}
    let report = engine.finish().await.map_err(|error| {
        Error::from_chain(&error).hint("`mydex check` says what is missing on the server")
    })?;
    Ok(Pass {
        timed: of_tick(&report.total),
        objectives: objectives(&report.total),
        notes: notes(&report),
    })
}

fn notes(report: &RunReport) -> Vec<String> {
    let mut notes = Vec::new();
    let counts = report.counts();
    if report.is_rate_sustained() == Some(false) {
        notes.push(format!(
            "the rate of the timed pass was not sustained: {} of {} operations were left unsent",
            counts.unsent, counts.scheduled
        ));
    }
    for probe in &report.total.probes {
        if let Some(error) = probe
            .last_error
            .as_deref()
            .filter(|_| probe.counts.failed > 0)
        {
            notes.push(format!(
                "the timed pass had {} failed operations of `{}`, the latest: {error}",
                probe.counts.failed, probe.name
            ));
        }
    }
    notes
}

/// Each probe's times against its objective; probes that no operation was scheduled of have none.
fn objectives(total: &LoadTick) -> Objectives {
    let measured = total.probes.iter().filter_map(|one| {
        let slo = one.slo?;
        let is_met = outcome::is_met(one)?;
        let limit = u64::try_from(slo.limit.as_nanos()).unwrap_or(u64::MAX);
        let in_time = one.response.count_between(0, limit);
        Some(Measured {
            probe: one.name.to_string(),
            quantile: slo.quantile,
            limit: slo.limit,
            response: quantile(&one.response, slo.quantile),
            operations: one.counts.scheduled,
            late: one.counts.scheduled.saturating_sub(in_time),
            is_met,
        })
    });
    let mut measured: Vec<Measured> = measured.collect();
    measured.sort_by(|one, other| one.probe.cmp(&other.probe));
    let limit = outcome::client_limit(total).map(limit);
    objective::judge(measured, rounded(total.window.as_secs_f64()), limit)
}

fn of_tick(total: &LoadTick) -> Timed {
    let probes = total.probes.iter().map(|one| {
        let counts = one.counts;
        let timed = TimedProbe {
            completed: counts.completed,
            others: counts.failed + counts.timed_out + counts.unsent,
            response_us: quantiles(&one.response),
            response: packed(&one.response),
            service: packed(&one.service),
        };
        (one.name.to_string(), timed)
    });
    let pool = &total.pool;
    let mut figures = BTreeMap::from([
        ("max".to_owned(), f64::from(pool.max)),
        ("pending_max".to_owned(), pool.pending_max as f64),
        ("pending_mean".to_owned(), rounded(pool.pending_mean)),
        ("timeouts".to_owned(), pool.timeouts as f64),
        ("utilization".to_owned(), rounded(pool.utilization)),
    ]);
    for (name, histogram) in [
        ("create", &pool.create),
        ("use", &pool.usage),
        ("wait", &pool.wait),
    ] {
        for (quantile, value) in quantiles(histogram) {
            figures.insert(format!("{name}_time_{quantile}_us"), value);
        }
    }
    Timed {
        seconds: rounded(total.window.as_secs_f64()),
        rate: rounded(total.target_rate),
        probes: probes.collect(),
        pool: figures,
    }
}

/// Microseconds by quantile; empty where nothing was measured.
fn quantiles(histogram: &Latencies) -> BTreeMap<String, f64> {
    [("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)]
        .into_iter()
        .filter_map(|(name, q)| {
            let value = quantile(histogram, q)?.as_secs_f64() * 1e6;
            Some((name.to_owned(), rounded(value)))
        })
        .collect()
}

/// Three digits behind the point are more than is known.
fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// A histogram in the form that HdrHistogram's own tools read.
fn packed(histogram: &Latencies) -> String {
    let mut bytes = Vec::new();
    // Writing to memory cannot fail.
    let _ = V2DeflateSerializer::new().serialize(histogram, &mut bytes);
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdrhistogram::serialization::Deserializer;

    #[test]
    fn histograms_come_back() {
        let mut histogram = crate::probes::recorder::growing();
        for nanos in [900, 1_000_000, 25_000_000] {
            histogram.record(nanos).unwrap();
        }
        let bytes = STANDARD.decode(packed(&histogram)).unwrap();
        let back: Latencies = Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .unwrap();
        assert_eq!(back, histogram);
        assert_eq!(quantiles(&histogram).len(), 4);
        assert!(quantiles(&crate::probes::recorder::growing()).is_empty());
    }
}
