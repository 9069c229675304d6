//! A search for the capacity, for people and for programs.

use std::time::Duration;

use serde::Serialize;

use super::verdict::{finding, limit};
use crate::cli::probe::capacity::{Found, Tried};
use crate::model::finding::{Finding, Severity};
use crate::model::units;
use crate::probes::capacity::{Break, Limit, Phase, Verdict};
use crate::probes::outcome::Bottleneck;
use crate::report::doc::{Block, Document, Table};

/// The search for people.
pub(in crate::cli::probe) fn document(found: &Found) -> Document {
    Document {
        title: format!("Capacity of {}", found.label),
        blocks: vec![
            Block::Facts(facts(found)),
            Block::Table(steps(found)),
            Block::Heading("Verdict".to_owned()),
            Block::Findings(verdicts(found)),
        ],
    }
}

fn facts(found: &Found) -> Vec<(String, String)> {
    let answer = &found.answer;
    let highest = match (answer.highest, answer.is_confirmed) {
        (None, _) => "none".to_owned(),
        (Some(rate), true) => format!("{}/s, met in two runs", units::count(rate)),
        (Some(rate), false) => format!("{}/s, met in one run", units::count(rate)),
    };
    let failed = answer.first_failed.map_or("none".to_owned(), |rate| {
        let what = broke(found).map_or_else(String::new, words);
        format!("{}/s: {what}", units::count(rate))
    });
    [
        ("Highest rate that met every objective", highest),
        ("Lowest rate above that did not", failed),
        (
            "Each step",
            format!(
                "open loop, {} to settle, {} measured, {} connections",
                units::duration(found.settle),
                units::duration(found.measure),
                found.connections
            ),
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// What the lowest failed rate gave when it failed.
fn broke(found: &Found) -> Option<&Verdict> {
    failed(found).map(|tried| &tried.verdict)
}

fn failed(found: &Found) -> Option<&Tried> {
    let rate = found.answer.first_failed?;
    found
        .tried
        .iter()
        .rfind(|tried| tried.step.rate.to_bits() == rate.to_bits() && tried.verdict != Verdict::Met)
}

fn steps(found: &Found) -> Table {
    let mut table = Table::new(
        "Steps in their order; response of all probes together, from the intended start",
        &[
            ">Rate/s",
            "Phase",
            ">Done/s",
            ">p50",
            ">p95",
            ">p99",
            ">Unsent",
            ">Late p99",
            ">Client",
            "Result",
        ],
    );
    let time = |time: Option<Duration>| time.map_or_else(|| "-".to_owned(), units::duration);
    for tried in &found.tried {
        table.push([
            units::count(tried.step.rate),
            phase(tried.step.phase).to_owned(),
            units::count(tried.throughput),
            time(tried.p50),
            time(tried.p95),
            time(tried.p99),
            tried.unsent.to_string(),
            time(tried.lateness_p99),
            units::percent(tried.client_cpu),
            words(&tried.verdict),
        ]);
    }
    table
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Climb => "climb",
        Phase::Narrow => "narrow",
        Phase::Confirm => "confirm",
        Phase::Repeat => "repeat",
    }
}

/// A step's verdict in a few words.
pub(in crate::cli::probe) fn words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Met => "met".to_owned(),
        Verdict::Broken(broken) => listed(broken),
        Verdict::ClientLimited(by, broken) => format!("{}; {}", limit(*by), listed(broken)),
    }
}

fn listed(broken: &[Break]) -> String {
    let first = broken.first().map_or_else(String::new, broke_words);
    match broken.len() {
        0 | 1 => first,
        n => format!("{first}, and {} more", n - 1),
    }
}

fn broke_words(broken: &Break) -> String {
    match broken {
        Break::Objective {
            probe,
            quantile,
            limit,
            measured,
        } => format!(
            "`{probe}`: p{} {} above {}",
            quantile * 100.0,
            units::duration(*measured),
            units::duration(*limit)
        ),
        Break::Failures {
            probe,
            failed,
            scheduled,
        } => format!("`{probe}`: {failed} of {scheduled} failed"),
        Break::NotSustained { unsent, scheduled } => {
            format!("rate not sustained: {unsent} of {scheduled} unsent")
        }
    }
}

fn verdicts(found: &Found) -> Vec<Finding> {
    let answer = &found.answer;
    let Some(highest) = answer.highest else {
        return vec![finding(
            Severity::Problem,
            "no-rate-met",
            "no rate met every objective".to_owned(),
            "see which objective broke at the lowest rate; a smaller `--rate` starts lower",
        )];
    };
    let rate = units::count(highest);
    let failed = failed(found);
    vec![match answer.limit {
        Limit::Objective if failed.is_some_and(|t| t.bottleneck == Bottleneck::Pool) => finding(
            Severity::Note,
            "capacity-of-pool",
            format!(
                "{rate}/s with {} connections; the pool was full above it",
                found.connections
            ),
            "search again with more `--concurrency` to see whether the server has more",
        ),
        Limit::Objective => finding(
            Severity::Ok,
            "capacity",
            format!("the highest sustained rate that meets every objective is {rate}/s"),
            "",
        ),
        Limit::Client => finding(
            Severity::Warning,
            "client-limited",
            format!(
                "client-limited: the server takes at least {rate}/s; what it takes above that \
                 this machine can't tell"
            ),
            "run mydex on a quieter machine, or one of its own",
        ),
        Limit::Bound => finding(
            Severity::Note,
            "highest-tried",
            format!("every objective was met up to {rate}/s, the highest rate that was tried"),
            "raise `--max-rate`",
        ),
        Limit::Steps => finding(
            Severity::Warning,
            "not-narrowed",
            format!(
                "every objective was met at {rate}/s; the search ended before its limit was found"
            ),
            "",
        ),
    }]
}

/// The search for programs; rates in operations per second, times in seconds.
#[derive(Debug, Serialize)]
pub(in crate::cli::probe) struct CapacityJson {
    label: String,
    connections: u32,
    settle_seconds: f64,
    measured_seconds: f64,
    highest_rate: Option<f64>,
    is_confirmed: bool,
    first_failed_rate: Option<f64>,
    broke: Vec<BreakJson>,
    /// `objective`, `client`, `bound` or `steps`.
    limit: &'static str,
    is_interrupted: bool,
    steps: Vec<StepJson>,
}

#[derive(Debug, Serialize)]
struct StepJson {
    rate: f64,
    phase: &'static str,
    is_met: bool,
    is_client_limited: bool,
    broke: Vec<BreakJson>,
    throughput: f64,
    p50: Option<f64>,
    p95: Option<f64>,
    p99: Option<f64>,
    unsent: u64,
    lateness_p99: Option<f64>,
    client_cpu: f64,
}

#[derive(Debug, Serialize)]
struct BreakJson {
    /// `objective`, `failures` or `not-sustained`.
    kind: &'static str,
    probe: Option<String>,
    quantile: Option<f64>,
    limit: Option<f64>,
    measured: Option<f64>,
    /// Operations that failed or were never sent, and of how many.
    lost: Option<u64>,
    scheduled: Option<u64>,
}

/// The search for programs.
pub(in crate::cli::probe) fn json(found: &Found) -> CapacityJson {
    CapacityJson {
        label: found.label.clone(),
        connections: found.connections,
        settle_seconds: found.settle.as_secs_f64(),
        measured_seconds: found.measure.as_secs_f64(),
        highest_rate: found.answer.highest,
        is_confirmed: found.answer.is_confirmed,
        first_failed_rate: found.answer.first_failed,
        broke: broke(found).map_or_else(Vec::new, breaks),
        limit: match found.answer.limit {
            Limit::Objective => "objective",
            Limit::Client => "client",
            Limit::Bound => "bound",
            Limit::Steps => "steps",
        },
        is_interrupted: found.is_interrupted,
        steps: found.tried.iter().map(step_json).collect(),
    }
}

fn step_json(tried: &Tried) -> StepJson {
    let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
    StepJson {
        rate: tried.step.rate,
        phase: phase(tried.step.phase),
        is_met: tried.verdict == Verdict::Met,
        is_client_limited: matches!(tried.verdict, Verdict::ClientLimited(..)),
        broke: breaks(&tried.verdict),
        throughput: tried.throughput,
        p50: seconds(tried.p50),
        p95: seconds(tried.p95),
        p99: seconds(tried.p99),
        unsent: tried.unsent,
        lateness_p99: seconds(tried.lateness_p99),
        client_cpu: tried.client_cpu,
    }
}

fn breaks(verdict: &Verdict) -> Vec<BreakJson> {
    match verdict {
        Verdict::Met => Vec::new(),
        Verdict::Broken(broken) | Verdict::ClientLimited(_, broken) => {
            broken.iter().map(break_json).collect()
        }
    }
}

fn break_json(broken: &Break) -> BreakJson {
    let empty = BreakJson {
        kind: "objective",
        probe: None,
        quantile: None,
        limit: None,
        measured: None,
        lost: None,
        scheduled: None,
    };
    match broken {
        Break::Objective {
            probe,
            quantile,
            limit,
            measured,
        } => BreakJson {
            probe: Some(probe.to_string()),
            quantile: Some(*quantile),
            limit: Some(limit.as_secs_f64()),
            measured: Some(measured.as_secs_f64()),
            ..empty
        },
        Break::Failures {
            probe,
            failed,
            scheduled,
        } => BreakJson {
            kind: "failures",
            probe: Some(probe.to_string()),
            lost: Some(*failed),
            scheduled: Some(*scheduled),
            ..empty
        },
        Break::NotSustained { unsent, scheduled } => BreakJson {
            kind: "not-sustained",
            lost: Some(*unsent),
            scheduled: Some(*scheduled),
            ..empty
        },
    }
}
