//! # advisor
//! Purpose: a workload to index recommendations, judged by the real optimizer over a twin and measured there.
//! Gives: `model::advice::Advice`: creations and drops with evidence, the gap to optimality, what could not be seen.
//! Pure files: workload.rs, shape.rs, candidate.rs, costs.rs, statistics.rs, select.rs, select/
//! May import: model, config, sql, server
//! Reading order: workload, shape, statistics, candidate, costs, select, planner

pub mod candidate;
pub mod costs;
pub mod planner;
pub mod select;
pub mod shape;
pub mod statistics;
pub mod workload;
