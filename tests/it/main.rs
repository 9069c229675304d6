//! The integration tests: one binary, a module per feature.

mod collect;
mod config;
mod config_sources;
mod pack;
mod pty;
mod sandbox;
mod server;
mod server_checks;
mod terminal;
