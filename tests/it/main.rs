//! The integration tests: one binary, a module per feature.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test ends loudly at what it did not expect, in its helpers as well"
)]

mod advise;
mod advise_interrupted;
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
mod existing;
mod fingerprint;
mod keeper;
mod kills;
mod pack;
mod plans;
mod prove;
mod pty;
mod sandbox;
mod sandbox_cli;
mod server;
mod server_checks;
mod shape;
mod slowlog;
mod terminal;
mod twin;
mod watch;
mod workload;
