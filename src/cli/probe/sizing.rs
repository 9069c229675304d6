//! `mydex probe run --recommend-pool`: how many connections a load needs, tried out.

use std::time::Duration;

use super::drive::Drive;
use super::summary::sizing as summary;
use crate::cli::error::{Error, Outcome};
use crate::cli::message;
use crate::model::probe::quantile;
use crate::model::units;
use crate::probes::engine::{EngineConfig, arrivals};
use crate::probes::operation::EngineProbe;
use crate::probes::outcome::RunReport;
use crate::probes::sizing::{Demand, demands, erlang_c, offered, smallest, waits};

/// Share of the operations that the target holds for.
pub(super) const SHARE: f64 = 0.95;
/// Connections that are recommended at most.
pub(super) const MOST: u32 = 1_000;
/// Sizes that are tried out at most: a larger pool may slow the server, so that what it was
/// computed from no longer holds.
const TRIES: usize = 3;

/// A size and what it promises.
#[derive(Debug, Clone, Copy)]
pub(super) struct Promise {
    /// Connections.
    pub(super) size: u32,
    /// Wait at p95 in the model of this size.
    pub(super) wait: Duration,
    /// Connections busy on average.
    pub(super) offered: f64,
    /// Erlang's probability of waiting at this size.
    pub(super) erlang: f64,
}

/// One run with a pool of some size.
pub(super) struct Tried {
    pub(super) report: RunReport,
    /// Wait at p95 that the model gives for the pool that ran, from its own use times.
    pub(super) modelled: Option<Duration>,
    /// What that run recommends; `None` when no size up to [`MOST`] is enough.
    pub(super) promise: Option<Promise>,
}

impl Tried {
    pub(super) fn size(&self) -> u32 {
        self.report.total.pool.max
    }

    pub(super) fn wait(&self) -> Option<Duration> {
        quantile(&self.report.total.pool.wait, SHARE)
    }
}

/// All runs, the first with the size that was given.
pub(super) struct Sized {
    pub(super) target: Duration,
    pub(super) tried: Vec<Tried>,
    pub(super) is_interrupted: bool,
}

impl Sized {
    /// Whether the last run, which had the recommended size, met the target.
    pub(super) fn is_met(&self) -> bool {
        let last = self.tried.last();
        last.is_some_and(|last| last.wait().is_none_or(|wait| wait <= self.target))
            && self.tried.len() > 1
    }
}

/// Drives, recommends, drives again with that, and prints.
pub(super) async fn run(drive: &Drive<'_>, target: Duration) -> Result<Outcome, Error> {
    let sized = tries(drive, target).await?;
    drive
        .context
        .emit(&summary::document(&sized), &summary::json(&sized))?;
    Ok(if sized.is_interrupted {
        Outcome::Interrupted
    } else if sized.is_met() {
        Outcome::Fine
    } else {
        Outcome::Problem
    })
}

async fn tries(drive: &Drive<'_>, target: Duration) -> Result<Sized, Error> {
    let mut sized = Sized {
        target,
        tried: Vec::new(),
        is_interrupted: false,
    };
    let mut config = drive.config();
    while sized.tried.len() <= TRIES {
        let probes = drive.probes(drive.rate())?;
        let what = format!("{} connections: ", config.concurrency);
        let report = drive
            .run(probes.clone(), config.clone(), &what, None)
            .await?;
        sized.is_interrupted = report.is_interrupted;
        let tried = judge(report, &probes, &config, target)?;
        let wait = tried.wait().map_or_else(|| "-".to_owned(), units::duration);
        message(&format!("{what}wait p95 {wait}"));
        let (promise, size) = (tried.promise, tried.size());
        sized.tried.push(tried);
        match promise {
            Some(promise) if !sized.is_interrupted && !sized.is_met() => {
                // The recommended size is run even where it is the one that was given: what was
                // met once is met twice then.
                let is_repeated = promise.size == size && sized.tried.len() > 1;
                if is_repeated {
                    break;
                }
                config.concurrency = promise.size;
            }
            _ => break,
        }
    }
    Ok(sized)
}

fn judge(
    report: RunReport,
    probes: &[EngineProbe],
    config: &EngineConfig,
    target: Duration,
) -> Result<Tried, Error> {
    let arrivals = arrivals(probes, config).map_err(|error| Error::from_chain(&error))?;
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let from = nanos(config.warmup);
    let span = (from, from.saturating_add(nanos(report.total.window)));
    let use_times: Vec<_> = report
        .total
        .probes
        .iter()
        .map(|probe| &probe.service)
        .collect();
    let demands = demands(arrivals, span, &use_times, config.seed);
    let modelled = quantile(&waits(&demands, config.concurrency), SHARE);
    let promise = smallest(&demands, SHARE, target, MOST)
        .map(|size| promise(size, &demands, report.total.window));
    Ok(Tried {
        report,
        modelled,
        promise,
    })
}

fn promise(size: u32, demands: &[Demand], window: Duration) -> Promise {
    let offered = offered(demands, window);
    Promise {
        size,
        wait: quantile(&waits(demands, size), SHARE).unwrap_or_default(),
        offered,
        erlang: erlang_c(size, offered),
    }
}
