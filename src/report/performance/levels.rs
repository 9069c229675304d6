//! Service levels: what was wanted, what was measured, whether that is enough.

use crate::model::performance::Performance;
use crate::model::probe::Slo;
use crate::model::status::Var;
use crate::model::units;
use crate::report::doc::{Block, Table};

/// What the server is to reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Targets {
    /// Response time of statements.
    pub response: Slo,
    /// Statements a minute to sustain.
    pub events_per_minute: u64,
    /// Share of the buffer pool's reads that need no disk, 0 to 1.
    pub hit_ratio: f64,
    /// Share of the polls that are answered in time, 0 to 1.
    pub availability: f64,
}

/// One service level.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// The setting that has its target, such as `slo.response`.
    pub key: &'static str,
    /// What it is about.
    pub name: &'static str,
    /// What is wanted.
    pub target: String,
    /// What was measured; `None` where that was not possible.
    pub measured: Option<String>,
    /// Whether it is enough; `None` where that can't be said.
    pub is_met: Option<bool>,
}

/// Judges a period.
#[must_use]
pub fn levels(period: &Performance, targets: &Targets) -> Vec<Level> {
    let interval = &period.interval;
    let response = interval
        .latency
        .as_ref()
        .and_then(|latency| latency.quantile(targets.response.quantile));
    let share = |key, name, target: f64, measured: Option<f64>| Level {
        key,
        name,
        target: format!(">= {}", units::percent(target)),
        measured: measured.map(|share| format!("{:.3}%", share * 100.0)),
        is_met: measured.map(|share| share >= target),
    };
    let per_minute = interval.rate(Var::Questions).map(|rate| rate * 60.0);
    let wanted = targets.events_per_minute as f64;
    let (answered, due) = period.polls;
    let mut available = share(
        "slo.availability",
        "availability: polls answered in time",
        targets.availability,
        (due > 0).then(|| answered as f64 / due as f64),
    );
    // One late poll of a minute says nothing of one in a thousand.
    if due.saturating_sub(answered) == 1 {
        available.is_met = available.is_met.filter(|is_met| *is_met);
    }
    vec![
        Level {
            key: "slo.response",
            name: "statement response",
            target: format!(
                "p{} <= {}",
                targets.response.quantile * 100.0,
                units::duration(targets.response.limit)
            ),
            measured: response.map(units::duration),
            is_met: response.map(|response| response <= targets.response.limit),
        },
        Level {
            key: "slo.events_per_minute",
            name: "statements a minute",
            target: format!(">= {}", units::count(wanted)),
            measured: per_minute.map(units::count),
            is_met: per_minute.map(|per_minute| per_minute >= wanted),
        },
        share(
            "slo.hit_ratio",
            "buffer pool hit ratio",
            targets.hit_ratio,
            interval.buffer_pool_hit_ratio(),
        ),
        available,
    ]
}

/// The levels as a table.
pub(super) fn table(levels: &[Level]) -> Block {
    let mut table = Table::new("", &["level", "met", "measured", "target"]);
    for level in levels {
        let met = level
            .is_met
            .map_or("-", |met| if met { "yes" } else { "NO" });
        table.push([
            level.name.to_owned(),
            met.to_owned(),
            level
                .measured
                .clone()
                .unwrap_or_else(|| "not measured".to_owned()),
            level.target.clone(),
        ]);
    }
    Block::Table(table)
}
