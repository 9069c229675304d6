//! # collect
//! Purpose: reads `performance_schema` and `information_schema` into `model` values under an overhead budget.
//! Gives: a bounded feed of intervals, digests and details, and the cost of having read them.
//! Pure files: rows.rs, own.rs, ledger.rs, cadence.rs, facts.rs
//! May import: model, config, sql, server
//! Reading order: rows, own, fast, ledger, digests, guests, cadence, facts, detail, worker, shell, collector, once, observe

pub mod cadence;
pub mod collector;
pub mod detail;
pub mod digests;
pub mod facts;
pub mod fast;
mod guests;
pub mod ledger;
pub mod observe;
pub mod once;
pub mod own;
pub mod rows;
mod shell;
pub mod worker;

pub use collector::spawn;
pub use once::{Once, OnceError, once};
