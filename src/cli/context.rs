//! What every command is given.

use std::path::PathBuf;

use crate::config::settings::Settings;

/// Output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Format {
    Text,
    Json,
    Md,
}

/// What every command is given.
#[derive(Debug)]
pub struct Context {
    /// Effective settings.
    pub settings: Settings,
    /// Name from `--server`, or of the server given by `--url`.
    pub server: Option<String>,
    /// `--format`.
    pub format: Format,
    /// `-o FILE`; standard output without it.
    pub output: Option<PathBuf>,
}
