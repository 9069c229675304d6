//! What a run of the load engine allows to be concluded.

use std::time::Duration;

use super::counts;
use crate::config::value;
use crate::model::finding::{Finding, Severity};
use crate::model::probe::ProbeFigures;
use crate::model::units;
use crate::probes::outcome::{Bottleneck, ClientLimit, RunReport, StageReport, client_limit};

pub(super) fn finding(
    severity: Severity,
    code: &'static str,
    message: String,
    remedy: &str,
) -> Finding {
    Finding {
        severity,
        code,
        message,
        remedy: remedy.to_owned(),
    }
}

/// What the run allows to be concluded.
pub(super) fn verdicts(report: &RunReport) -> Vec<Finding> {
    let mut found = Vec::new();
    for (number, probe) in report.missed().into_iter().enumerate() {
        let remedy = if number == 0 {
            "see the service latency above: what the server does not explain is waiting"
        } else {
            ""
        };
        found.push(finding(
            Severity::Problem,
            "objective-missed",
            missed(probe),
            remedy,
        ));
    }
    found.extend(report.stages.iter().enumerate().filter_map(stage));
    match report.is_rate_sustained() {
        Some(true) if !report.stages.is_empty() => found.push(finding(
            Severity::Ok,
            "rate-sustained",
            "the rate of every stage was sustained".to_owned(),
            "",
        )),
        Some(true) => found.push(finding(
            Severity::Ok,
            "rate-sustained",
            format!(
                "the rate of {}/s was sustained",
                units::count(report.total.target_rate)
            ),
            "",
        )),
        Some(false) => found.push(finding(
            Severity::Warning,
            "rate-not-sustained",
            format!(
                "rate not sustained: {} of {} operations were left unsent",
                report.counts().unsent,
                report.counts().scheduled
            ),
            "lower the rate, or see below what held it up",
        )),
        None => found.push(finding(
            Severity::Note,
            "closed-loop",
            "a closed loop has no rate to sustain, and its latencies hide stalls".to_owned(),
            "judge latency with `--rate`",
        )),
    }
    if report.connections_refused > 0 {
        found.push(finding(
            Severity::Warning,
            "connections-refused",
            format!(
                "{} attempts to open a connection failed; the latest: {}",
                report.connections_refused,
                report.last_refusal.as_deref().unwrap_or("unknown")
            ),
            "",
        ));
    }
    found.push(bottleneck(report));
    found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    found
}

pub(super) fn missed(probe: &ProbeFigures) -> String {
    let measured = probe.slo_state().map_or(Duration::ZERO, |(value, _)| value);
    let limit = probe.slo.map_or(Duration::ZERO, |slo| slo.limit);
    let share = probe.slo.map_or(0.0, |slo| slo.quantile) * 100.0;
    if measured > limit {
        format!(
            "`{}`: p{share} of the response is {}, above {}",
            probe.name,
            units::duration(measured),
            units::duration(limit)
        )
    } else {
        format!(
            "`{}`: {} of {} operations failed, more than p{share} leaves room for",
            probe.name, probe.counts.failed, probe.counts.scheduled
        )
    }
}

fn bottleneck(report: &RunReport) -> Finding {
    let used = units::percent(report.total.pool.utilization);
    match report.bottleneck() {
        Bottleneck::Client => finding(
            Severity::Warning,
            "client-limited",
            client_limit(&report.total).map_or_else(String::new, limit),
            "run mydex on a quieter machine, or lower the rate; these latencies are partly its own",
        ),
        Bottleneck::Pool => finding(
            Severity::Note,
            "pool-bottleneck",
            format!(
                "operations waited longer for a connection than for the server (pool {used} used)"
            ),
            "raise `--concurrency` if the server has room; if service latency then grows, it has none",
        ),
        Bottleneck::Server => finding(
            Severity::Ok,
            "server-time",
            format!("time went to the server, not to waiting for a connection (pool {used} used)"),
            "",
        ),
    }
}

/// In which way the load generator was the limit, as a sentence.
pub(in crate::cli) fn limit(limit: ClientLimit) -> String {
    match limit {
        ClientLimit::Late(late, response) => format!(
            "client-limited: the generator's own lateness at p99 is {}, more than a tenth of the \
             response's {}",
            units::duration(late),
            units::duration(response)
        ),
        ClientLimit::Processor(share) => format!(
            "client-limited: the generator's busiest thread used {} of a processor",
            units::percent(share)
        ),
    }
}

/// What went wrong in one stage, if anything.
fn stage((number, stage): (usize, &StageReport)) -> Option<Finding> {
    let counts = counts(&stage.total);
    let name = format!("stage {} ({})", number + 1, value::show_stage(stage.stage));
    if !stage.is_rate_sustained() {
        let (before, after) = (stage.waiting_before, stage.waiting_after);
        return Some(finding(
            Severity::Warning,
            "stage-not-sustained",
            format!(
                "{name}: rate not sustained: {} of {} operations were left unsent, and the line \
                 went from {before} to {after}",
                counts.unsent, counts.scheduled
            ),
            "",
        ));
    }
    let missed = stage.missed();
    let first = missed.first()?;
    let others = match missed.len() - 1 {
        0 => String::new(),
        n => format!(", and {n} more objectives missed"),
    };
    Some(finding(
        Severity::Problem,
        "stage-objective-missed",
        format!("{name}: {}{others}", self::missed(first)),
        "",
    ))
}
