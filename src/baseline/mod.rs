//! # baseline
//! Purpose: what a workload costs, recorded in a file and compared later: deterministic counters first, latency by pairs.
//! Gives: a diff-stable file; one verdict of pass, inconclusive, regressed or incomparable, with every change behind it.
//! Pure files: recorded.rs, metric.rs, shape.rs, tolerance.rs, file.rs, file/, comparable.rs, objective.rs, verdict.rs, verdict/, history.rs, history/, normal.rs, ranks.rs, holm.rs, paired.rs, pairs.rs, court.rs, compared.rs, exact.rs, resample.rs
//! May import: model, server
//! Reading order: recorded, metric, shape, file, comparable, tolerance, objective, verdict, history, count, facts, record, normal, ranks, holm, paired, pairs, court, turns, compared, exact, resample

pub mod comparable;
pub mod compared;
mod count;
pub mod court;
pub mod exact;
pub mod facts;
pub mod file;
pub mod history;
pub mod holm;
pub mod metric;
pub mod normal;
pub mod objective;
pub mod paired;
pub mod pairs;
pub mod ranks;
pub mod record;
pub mod recorded;
pub mod resample;
pub mod shape;
pub mod tolerance;
pub mod turns;
pub mod verdict;
