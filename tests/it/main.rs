//! Integration tests: one binary, a module for each feature.

mod config;
mod config_sources;
