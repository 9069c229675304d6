//! The record of every change that mydex makes to a server: JSON lines, appended, never rewritten.

use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use jiff::Timestamp;
use serde::Serialize;
use tokio::io::AsyncWriteExt as _;

/// The audit record can't be written, so that the change is not made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no home folder to put it in.
    #[error("no folder for the audit log: set MYDEX_STATE_DIR or HOME")]
    NoFolder,
    /// The file can't be written.
    #[error("can't write the audit log `{}`: {source}", path.display())]
    Write {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// One line of the audit log.
#[derive(Debug, Clone, Serialize)]
pub struct Record<'a> {
    /// When, by the clock of this machine.
    pub time: Timestamp,
    /// Name of the server in the configuration, and where it is.
    pub server: &'a str,
    /// Account in use.
    pub account: &'a str,
    /// What was done, in kebab-case: `kill-query`, `kill-connection`.
    pub action: &'a str,
    /// The statement sent to the server.
    pub statement: &'a str,
    /// What it was about: the session and its statement.
    pub target: &'a str,
    /// `intended` before the change; `done` or the error after it.
    pub result: &'a str,
}

/// An audit log at its place.
#[derive(Debug, Clone)]
pub struct Audit {
    path: PathBuf,
}

impl Audit {
    /// The log in the user's state folder: `MYDEX_STATE_DIR`, or `mydex` in XDG's state folder.
    pub fn of_user() -> Result<Self, Error> {
        let folder = match std::env::var_os("MYDEX_STATE_DIR").filter(|dir| !dir.is_empty()) {
            Some(folder) => PathBuf::from(folder),
            None => etcetera::choose_base_strategy()
                .ok()
                .and_then(|dirs| Some(dirs.state_dir()?.join("mydex")))
                .ok_or(Error::NoFolder)?,
        };
        Ok(Self::in_folder(&folder))
    }

    /// The log in this folder.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            path: folder.join("audit.jsonl"),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends one record and waits until the disk has it. The file is for its owner's eyes only.
    pub async fn write(&self, record: &Record<'_>) -> Result<(), Error> {
        self.append(record).await.map_err(|source| Error::Write {
            path: self.path.clone(),
            source,
        })
    }

    async fn append(&self, record: &Record<'_>) -> io::Result<()> {
        let mut line = serde_json::to_vec(record).map_err(io::Error::other)?;
        line.push(b'\n');
        if let Some(folder) = self.path.parent() {
            let mut builder = tokio::fs::DirBuilder::new();
            builder.recursive(true).mode(0o700).create(folder).await?;
        }
        let mut file = tokio::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)
            .await?;
        // One write call for the whole line: lines of two processes do not mix.
        file.write_all(&line).await?;
        file.flush().await?;
        file.sync_data().await
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn record(result: &str) -> Record<'_> {
        Record {
            time: Timestamp::UNIX_EPOCH,
            server: "prod",
            account: "mydex@%",
            action: "kill-query",
            statement: "KILL QUERY 7",
            target: "app@web1 \u{1b}[31m",
            result,
        }
    }

    #[tokio::test]
    async fn records_are_appended_to_a_private_file() {
        let folder = tempfile::tempdir().unwrap();
        let audit = Audit::in_folder(&folder.path().join("deep/state"));
        audit.write(&record("intended")).await.unwrap();
        audit.write(&record("done")).await.unwrap();
        let text = std::fs::read_to_string(audit.path()).unwrap();
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["result"], "intended");
        assert_eq!(lines[1]["statement"], "KILL QUERY 7");
        assert!(!text.contains('\u{1b}'));
        let mode = std::fs::metadata(audit.path())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_log_that_cannot_be_written_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = Audit::in_folder(&file).write(&record("intended")).await;
        assert!(matches!(error, Err(Error::Write { .. })));
    }
}
