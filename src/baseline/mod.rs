//! # baseline
//! Purpose: what a workload costs, recorded in a file and compared later: deterministic counters first, latency by pairs.
//! Gives: a diff-stable file; one verdict of pass, inconclusive, regressed or incomparable, with every change behind it.
//! Pure files: recorded.rs, metric.rs, shape.rs, tolerance.rs, file.rs, file/, comparable.rs, objective.rs, verdict.rs, verdict/, history.rs, history/, normal.rs, ranks.rs, holm.rs, paired.rs
//! May import: model, server
//! Reading order: recorded, metric, shape, file, comparable, tolerance, objective, verdict, history, count, facts, record, normal, ranks, holm, paired

pub mod comparable;
mod count;
pub mod facts;
pub mod file;
pub mod history;
pub mod holm;
pub mod metric;
pub mod normal;
pub mod objective;
pub mod paired;
pub mod ranks;
pub mod record;
pub mod recorded;
pub mod shape;
pub mod tolerance;
pub mod verdict;
