//! # advisor
//! Purpose: a workload to index recommendations, judged by the real optimizer over a twin and measured there.
//! Gives: `model::advice::Advice`: creations and drops with evidence, the gap to optimality, what could not be seen.
//! Pure files: workload.rs, shape.rs, candidate.rs, costs.rs, graph.rs, harmless.rs, notes.rs, plan.rs, plan_tree.rs, pricing.rs, statistics.rs, verdict.rs, weights.rs, effects.rs
//! May import: model, config, sql, server
//! Reading order: workload, source, shape, statistics, candidate, costs, weights, planner, harmless, notes, pricing, plan, plan_tree, wire, session, graph, recost, whatif, verdict, trials, prove, effects, effort

pub mod candidate;
pub mod costs;
pub mod effects;
pub mod effort;
pub mod graph;
pub mod harmless;
pub mod notes;
pub mod plan;
mod plan_tree;
pub mod planner;
mod pricing;
pub mod prove;
mod recost;
pub mod session;
pub mod shape;
pub mod source;
pub mod statistics;
mod trials;
pub mod verdict;
pub mod weights;
pub mod whatif;
mod wire;
pub mod workload;
