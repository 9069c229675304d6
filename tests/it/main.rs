//! The integration tests: one binary, a module per feature.

mod collect;
mod config;
mod engine;
mod sandbox;
mod server;
mod server_checks;
