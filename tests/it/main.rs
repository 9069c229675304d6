//! The integration tests: one binary, a module per feature.

mod collect;
mod config;
mod config_docs;
mod config_sources;
mod pty;
mod sandbox;
mod server;
mod server_checks;
mod terminal;
