//! # cli
//! Purpose: the command line: arguments, one file per command, errors with hints, exit status; it introduces the features to one another.
//! Gives: an exit status; data on stdout, messages on stderr.
//! Pure files: args.rs
//! May import: model, config, server, collect, probes, report, tui, sandbox
//! Reading order: args, error, output, one file per command

pub mod check;
pub mod context;
pub mod error;

use std::process::ExitCode;

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
