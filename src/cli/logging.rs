//! Where the program's own log goes: standard error, or a file while the dashboard owns the
//! terminal.

use std::path::PathBuf;

use etcetera::BaseStrategy as _;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::filter::LevelFilter;

use super::error::Error;

/// Days of log files that are kept.
const KEPT_FILES: usize = 5;

/// Starts the log. The guard writes out what is left when it is dropped.
pub(super) fn start(verbose: u8, to_file: bool) -> Result<Option<WorkerGuard>, Error> {
    let level = match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let builder = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(verbose > 1);
    if !to_file {
        builder.with_writer(std::io::stderr).without_time().init();
        return Ok(None);
    }
    let directory = state_directory()?;
    let appender = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("mydex")
        .filename_suffix("log")
        .max_log_files(KEPT_FILES)
        .build(&directory)
        .map_err(|error| {
            Error::new(format!(
                "cannot write a log in `{}`: {error}",
                directory.display()
            ))
            .hint("make the folder writable, or name another one in MYDEX_STATE_DIR")
        })?;
    let (writer, guard) = tracing_appender::non_blocking(appender);
    builder.with_ansi(false).with_writer(writer).init();
    Ok(Some(guard))
}

/// Folder for logs, the audit log and what else outlives a run: `MYDEX_STATE_DIR`, or `mydex`
/// under the user's state folder.
pub(super) fn state_directory() -> Result<PathBuf, Error> {
    if let Some(directory) = std::env::var_os("MYDEX_STATE_DIR").filter(|value| !value.is_empty()) {
        return Ok(directory.into());
    }
    let base = etcetera::choose_base_strategy().map_err(|error| {
        Error::new(format!("no home folder: {error}")).hint("set MYDEX_STATE_DIR")
    })?;
    Ok(base
        .state_dir()
        .unwrap_or_else(|| base.data_dir())
        .join("mydex"))
}
