//! # config
//! Purpose: `monitor.toml`, environment and flags made into checked settings, all mistakes reported at once.
//! Gives: `Settings` with the origin of each value; secrets wrapped so that they cannot be printed.
//! Pure files: all but load.rs, secret.rs
//! May import: model
//! Reading order: raw, check, settings, secret, load

pub mod settings;
