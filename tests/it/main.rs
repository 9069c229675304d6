//! The integration tests: one binary, a module per feature.

mod collect;
mod config;
mod config_docs;
mod config_sources;
mod engine;
mod keeper;
mod pack;
mod pty;
mod sandbox;
mod sandbox_cli;
mod server;
mod server_checks;
mod terminal;
