//! # server
//! Purpose: one guarded connection to a MySQL server: connect, session limits, capabilities, quoting, kill, audit.
//! Gives: bounded connections, facts about the server, findings with remedies; every change leaves an audit record.
//! Pure files: quote.rs, findings.rs
//! May import: model, config
//! Reading order: error, connect, guard, capability, findings, quote, control, audit

pub mod quote;
