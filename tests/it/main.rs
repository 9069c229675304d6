//! The integration tests: one binary, a module per feature.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test ends loudly at what it did not expect, in its helpers as well"
)]

mod advise;
mod advise_interrupted;
mod apply;
mod baseline;

mod baseline_compare;
mod baseline_show;
mod candidates;
mod collect;
mod config;
mod config_docs;
mod config_passwords;
mod config_place;
mod config_sources;
mod constants;
mod definitions;
mod documents;
mod engine;
mod engine_rates;
mod existing;
mod fingerprint;
mod index_files;
mod index_verify;
mod indexes_view;
mod keeper;
mod kills;
mod load_view;
mod own;
mod pack;
mod performance;
mod plans;
mod probe_run;
mod prove;
mod pty;
mod report;
mod sandbox;
mod sandbox_cli;
mod server;
mod server_checks;
mod shape;
mod slowlog;
mod terminal;
mod twin;
mod watch;
mod workflow;
mod workload;
