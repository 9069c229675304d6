//! A recommended pool size and its trial, for people and for programs.

use std::time::Duration;

use serde::Serialize;

use super::json::{RunJson, json as run_json};
use super::verdict::finding;
use crate::cli::probe::sizing::{MOST, Promise, Sized, Tried};
use crate::model::finding::{Finding, Severity};
use crate::model::units;
use crate::report::doc::{Block, Document, Table};

/// The trials for people.
pub(in crate::cli::probe) fn document(sized: &Sized) -> Document {
    let label = sized
        .tried
        .first()
        .map_or("", |tried| &tried.report.total.label);
    Document {
        title: format!("Pool size for {label}"),
        blocks: vec![
            Block::Facts(facts(sized)),
            Block::Table(runs(sized)),
            Block::Heading("Verdict".to_owned()),
            Block::Findings(vec![verdict(sized)]),
        ],
    }
}

fn facts(sized: &Sized) -> Vec<(String, String)> {
    let mut facts = vec![(
        "Target".to_owned(),
        format!(
            "95 % of the operations wait for a connection no longer than {}",
            units::duration(sized.target)
        ),
    )];
    let Some(promise) = recommended(sized) else {
        return facts;
    };
    facts.extend(
        [
            ("Recommended", format!("{} connections", promise.size)),
            (
                "Busy on average",
                format!(
                    "{} connections: arrivals per second x mean use time",
                    units::count(promise.offered)
                ),
            ),
            (
                "Erlang's estimate at that size",
                format!(
                    "{} of the operations wait, were use times exponential",
                    units::percent(promise.erlang)
                ),
            ),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    facts
}

/// The promise that the last run was made to check, or the only one.
fn recommended(sized: &Sized) -> Option<Promise> {
    let number = sized.tried.len().saturating_sub(2);
    sized.tried.get(number)?.promise
}

fn runs(sized: &Sized) -> Table {
    let mut table = Table::new(
        "Runs in their order; the model has each run's own arrivals and use times",
        &[
            ">Connections",
            ">Wait p95",
            ">Modelled",
            ">Promised",
            ">Use mean",
            ">Utilization",
            ">Completed/s",
            ">Recommends",
        ],
    );
    let time = |time: Option<Duration>| time.map_or_else(|| "-".to_owned(), units::duration);
    let mut promised = None;
    for tried in &sized.tried {
        table.push([
            tried.size().to_string(),
            time(tried.wait()),
            time(tried.modelled),
            time(promised),
            units::duration(use_mean(tried)),
            units::percent(tried.report.total.pool.utilization),
            units::count(tried.report.throughput()),
            tried.promise.map_or_else(
                || format!("more than {MOST}"),
                |promise| promise.size.to_string(),
            ),
        ]);
        promised = tried.promise.map(|promise| promise.wait);
    }
    table
}

fn use_mean(tried: &Tried) -> Duration {
    let mean = tried.report.total.pool.usage.mean() / 1e9;
    Duration::try_from_secs_f64(mean).unwrap_or_default()
}

fn verdict(sized: &Sized) -> Finding {
    let time = |tried: &Tried| tried.wait().map_or_else(|| "-".to_owned(), units::duration);
    let (Some(first), Some(last)) = (sized.tried.first(), sized.tried.last()) else {
        return finding(
            Severity::Warning,
            "not-run",
            "nothing was run".to_owned(),
            "",
        );
    };
    if last.promise.is_none() {
        return finding(
            Severity::Problem,
            "no-size-is-enough",
            format!(
                "no pool of up to {MOST} connections is enough for this rate and these use times"
            ),
            "the server is the limit: lower the rate, or make the statements faster",
        );
    }
    if sized.tried.len() < 2 {
        return finding(
            Severity::Warning,
            "not-checked",
            "the recommended size was not run".to_owned(),
            "",
        );
    }
    let change = format!(
        "wait p95 {} with {} connections, {} with {}",
        time(first),
        first.size(),
        time(last),
        last.size()
    );
    if sized.is_met() {
        finding(Severity::Ok, "pool-size-met", change, "")
    } else {
        finding(
            Severity::Problem,
            "pool-size-not-met",
            format!(
                "{change}: the target is missed; the mean use time went from {} to {}",
                units::duration(use_mean(first)),
                units::duration(use_mean(last))
            ),
            "where use times grow with the number of connections, the server is the limit",
        )
    }
}

/// The trials for programs; times in seconds.
#[derive(Debug, Serialize)]
pub(in crate::cli::probe) struct SizingJson {
    target_quantile: f64,
    target_wait: f64,
    recommended: Option<u32>,
    is_met: bool,
    is_interrupted: bool,
    runs: Vec<SizedRunJson>,
}

#[derive(Debug, Serialize)]
struct SizedRunJson {
    connections: u32,
    wait_p95: Option<f64>,
    modelled_wait_p95: Option<f64>,
    recommends: Option<PromiseJson>,
    run: RunJson,
}

#[derive(Debug, Serialize)]
struct PromiseJson {
    connections: u32,
    wait_p95: f64,
    busy_mean: f64,
    erlang_wait_probability: f64,
}

/// The trials for programs.
pub(in crate::cli::probe) fn json(sized: &Sized) -> SizingJson {
    SizingJson {
        target_quantile: crate::cli::probe::sizing::SHARE,
        target_wait: sized.target.as_secs_f64(),
        recommended: recommended(sized).map(|promise| promise.size),
        is_met: sized.is_met(),
        is_interrupted: sized.is_interrupted,
        runs: sized
            .tried
            .iter()
            .map(|tried| SizedRunJson {
                connections: tried.size(),
                wait_p95: tried.wait().map(|wait| wait.as_secs_f64()),
                modelled_wait_p95: tried.modelled.map(|wait| wait.as_secs_f64()),
                recommends: tried.promise.map(|promise| PromiseJson {
                    connections: promise.size,
                    wait_p95: promise.wait.as_secs_f64(),
                    busy_mean: promise.offered,
                    erlang_wait_probability: promise.erlang,
                }),
                run: run_json(&tried.report),
            })
            .collect(),
    }
}
