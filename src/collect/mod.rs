//! # collect
//! Purpose: reads performance_schema and information_schema into `model` values under an overhead budget.
//! Gives: a bounded feed of samples, intervals and details, and the cost of having read them.
//! Pure files: rows.rs, cadence.rs
//! May import: model, config, server
//! Reading order: rows, fast, digests, cadence, detail, collector
