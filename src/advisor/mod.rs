//! # advisor
//! Purpose: a workload to index recommendations, judged by the real optimizer over a twin and measured there.
//! Gives: `model::advice::Advice`: creations and drops with evidence, the gap to optimality, what could not be seen.
//! Pure files: workload.rs, shape.rs, candidate.rs, costs.rs, statistics.rs, weights.rs, effects.rs, beside.rs, assemble.rs, advice.rs, problem.rs, select.rs, select/, notes.rs, plan.rs, graph.rs, verdict.rs, calibration.rs, together.rs, candidates/, existing.rs, existing/, pricing.rs, plan/, tree.rs, twin/plan.rs, twin/links.rs, twin/template.rs, twin/positions.rs, twin/literal.rs, twin/rows.rs, twin/remap.rs, twin/scale.rs, twin/ranges.rs, twin/ranges/, twin/methods.rs, twin/lookups.rs, twin/estimate.rs, sql/, twin/domain.rs, constant.rs, constant/, sequence.rs, assemble/
//! May import: model, config, sql, server
//! Reading order: workload, source, shape, constant, sql, statistics, candidate, candidates, existing, costs, weights, select, effects, beside, planner, plan, tree, notes, wire, pricing, session, graph, together, whatif, recost, verdict, calibration, trials, learn, fallback, proof, prove, twin, effort, material, problem, ground, bench, sequence, assemble, advice, advise

mod advice;
pub mod advise;
pub mod assemble;
mod bench;
pub mod beside;
pub mod calibration;
pub mod candidate;
pub mod candidates;
mod constant;
pub mod costs;
pub mod effects;
pub mod effort;
pub mod existing;
mod fallback;
pub mod graph;
mod ground;
mod learn;
pub mod material;
pub mod notes;
pub mod plan;
pub mod planner;
mod pricing;
pub mod problem;
mod proof;
pub mod prove;
mod recost;
pub mod select;
pub mod sequence;
pub mod session;
pub mod shape;
pub mod source;
pub mod sql;
pub mod statistics;
mod together;
mod tree;
mod trials;
pub mod twin;
pub mod verdict;
pub mod weights;
pub mod whatif;
mod wire;
pub mod workload;
