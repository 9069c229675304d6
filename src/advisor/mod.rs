//! # advisor
//! Purpose: a workload to index recommendations, judged by the real optimizer over a twin and measured there.
//! Gives: `model::advice::Advice`: creations and drops with evidence, the gap to optimality, what could not be seen.
//! Pure files: workload.rs, shape.rs, sql/, candidate.rs, costs.rs, statistics.rs, weights.rs, effects.rs, assemble.rs, select.rs, select/, notes.rs, plan.rs, plan_tree.rs
//! May import: model, config, sql, server
//! Reading order: workload, source, shape, sql, statistics, candidate, costs, weights, planner, effects, assemble, effort, select, notes, plan, plan_tree

pub mod assemble;
pub mod candidate;
pub mod costs;
pub mod effects;
pub mod effort;
pub mod notes;
pub mod plan;
mod plan_tree;
pub mod planner;
pub mod select;
pub mod shape;
pub mod source;
pub mod sql;
pub mod statistics;
pub mod weights;
pub mod workload;
