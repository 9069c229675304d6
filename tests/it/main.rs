//! The integration tests: one binary, a module per feature.

mod sandbox;
mod server;
