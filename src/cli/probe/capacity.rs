//! `mydex probe run --find-capacity`: the highest rate at which every objective is met.

use std::time::Duration;

use super::drive::Drive;
use super::summary::{all_responses, capacity as summary};
use crate::cli::error::{Error, Outcome};
use crate::cli::message;
use crate::model::probe::quantile;
use crate::model::units;
use crate::probes::capacity::{Answer, Bounds, Search, Step, Verdict, judge};
use crate::probes::engine::EngineConfig;
use crate::probes::outcome::{Bottleneck, RunReport};

/// Measured time of a step where nothing else is asked for.
const STEP: Duration = Duration::from_secs(10);
/// The search ends when what met and what broke differ by this share.
const RESOLUTION: f64 = 0.05;
/// Steps at most.
const STEPS: usize = 40;

/// One step that was run, in figures; its histograms are not kept.
pub(super) struct Tried {
    pub(super) step: Step,
    pub(super) verdict: Verdict,
    pub(super) throughput: f64,
    pub(super) p50: Option<Duration>,
    pub(super) p95: Option<Duration>,
    pub(super) p99: Option<Duration>,
    pub(super) unsent: u64,
    pub(super) lateness_p99: Option<Duration>,
    pub(super) client_cpu: f64,
    pub(super) bottleneck: Bottleneck,
}

/// What a search gave.
pub(super) struct Found {
    pub(super) label: String,
    pub(super) connections: u32,
    pub(super) settle: Duration,
    pub(super) measure: Duration,
    pub(super) answer: Answer,
    pub(super) tried: Vec<Tried>,
    pub(super) is_interrupted: bool,
}

/// Searches and prints.
pub(super) async fn run(drive: &Drive<'_>) -> Result<Outcome, Error> {
    let found = search(drive).await?;
    drive
        .context
        .emit(&summary::document(&found), &summary::json(&found))?;
    Ok(if found.is_interrupted {
        Outcome::Interrupted
    } else if found.answer.highest.is_some() {
        Outcome::Fine
    } else {
        Outcome::Problem
    })
}

async fn search(drive: &Drive<'_>) -> Result<Found, Error> {
    let max = drive.args.max_rate;
    if !(max > 0.0 && max <= 1e6) {
        return Err(Error::new(format!(
            "`--max-rate {max}` is not a number of operations per second above 0 and up to 1000000"
        )));
    }
    let config = EngineConfig {
        duration: Some(drive.args.duration.unwrap_or(STEP)),
        ..drive.config()
    };
    let mut found = Found {
        label: config.label.to_string(),
        connections: config.concurrency,
        settle: config.warmup,
        measure: config.duration.unwrap_or(STEP),
        answer: Search::new(bounds(drive, max)?).answer(),
        tried: Vec::new(),
        is_interrupted: false,
    };
    let mut search = Search::new(bounds(drive, max)?);
    while let Some(step) = search.next() {
        let probes = drive.probes(Some(step.rate))?;
        let what = format!(
            "step {}, {}/s: ",
            found.tried.len() + 1,
            units::count(step.rate)
        );
        let report = drive.run(probes, config.clone(), &what, None).await?;
        if report.is_interrupted {
            found.is_interrupted = true;
            break;
        }
        let tried = tried(step, &report);
        message(&format!("{what}{}", summary::words(&tried.verdict)));
        search.record(step, &tried.verdict);
        found.tried.push(tried);
    }
    found.answer = search.answer();
    Ok(found)
}

fn bounds(drive: &Drive<'_>, max: f64) -> Result<Bounds, Error> {
    let start = match drive.rate() {
        Some(rate) => rate,
        None => drive.probes(None)?.iter().map(|probe| probe.rate).sum(),
    };
    Ok(Bounds {
        start: if start > 0.0 { start } else { 1.0 },
        max,
        resolution: RESOLUTION,
        steps: STEPS,
    })
}

fn tried(step: Step, report: &RunReport) -> Tried {
    let responses = all_responses(&report.total);
    let at = |q| quantile(&responses, q);
    Tried {
        step,
        verdict: judge(report),
        throughput: report.throughput(),
        p50: at(0.50),
        p95: at(0.95),
        p99: at(0.99),
        unsent: report.counts().unsent,
        lateness_p99: quantile(&report.total.lateness, 0.99),
        client_cpu: report.total.client_cpu,
        bottleneck: report.bottleneck(),
    }
}
