//! # model
//! Purpose: the values everything else is about: counters, digests, latencies, sessions, probe figures.
//! Gives: differences and summaries that always carry their window and unit; no value without one.
//! Pure files: all
//! May import: none
//! Reading order: units, text, status, session, latency, digest, sample, interval, schema, usage, review, ledger, inventory, probe, recorded, connections, finding, check, advice, feed, performance

pub mod advice;
pub mod check;
pub mod connections;
pub mod digest;
pub mod feed;
pub mod finding;
pub mod interval;
pub mod inventory;
pub mod latency;
pub mod ledger;
pub mod performance;
pub mod probe;
pub mod recorded;
pub mod review;
pub mod sample;
pub mod schema;
pub mod session;
pub mod status;
pub mod text;
pub mod units;
pub mod usage;
