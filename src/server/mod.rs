//! # server
//! Purpose: one guarded connection to a MySQL server: connect, session limits, capabilities, quoting, kill, audit.
//! Gives: bounded connections, facts about the server, findings with remedies; every change leaves an audit record.
//! Pure files: quote.rs, ddl.rs, recreate.rs, cells.rs, account.rs, findings.rs, instruments.rs, catalog/create.rs, catalog/innodb.rs, catalog/rows.rs
//! May import: model, config, sql
//! Reading order: error, cells, quote, ddl, recreate, connect, meter, guard, crew, capability, catalog, usage, distinct, room, account, instruments, findings, parameters, statements, audit, control, settings

pub mod account;
pub mod audit;
pub mod capability;
pub mod catalog;
pub mod cells;
pub mod connect;
pub mod control;
pub mod crew;
pub mod ddl;
pub mod distinct;
pub mod error;
pub mod findings;
pub mod guard;
mod instruments;
mod meter;
pub mod parameters;
pub mod quote;
pub mod recreate;
pub mod room;
pub mod settings;
pub mod statements;
pub mod usage;

pub use connect::options;
pub use error::Error;
pub use guard::{Connection, open};
