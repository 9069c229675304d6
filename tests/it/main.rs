//! The integration tests: one binary, a module per feature.

mod collect;
mod sandbox;
mod server;
mod server_checks;
