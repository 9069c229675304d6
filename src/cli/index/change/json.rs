//! A run as JSON; field names are stable.

use serde::Serialize;

use crate::cli::index::judging::JsonTrial;
use crate::indexes::apply::{Preview, Settled};
use crate::model::advice::LockLevel;
use crate::model::finding::Severity;
use crate::server::ddl::Algorithm;

/// A run as JSON.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) server: String,
    /// `up` or `down`.
    pub(super) direction: &'static str,
    /// Whether anything could change.
    pub(super) executed: bool,
    /// `complete`, `interrupted` or `failed`; of a dry run `complete` or `refused`.
    pub(super) end: &'static str,
    /// What was worked on, or would be.
    pub(super) versions: Vec<Changed>,
    /// What needed nothing.
    pub(super) skipped: Vec<SkippedVersion>,
    /// What a dry run tried on a private server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trials: Option<Vec<JsonTrial>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Changed {
    pub(super) version: u32,
    pub(super) name: String,
    table: String,
    index: String,
    /// Where it stands; of a dry run where it would lead.
    pub(super) state: &'static str,
    note: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    statements: Vec<Sent>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<FoundOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conflict: Option<String>,
}

#[derive(Debug, Serialize)]
struct Sent {
    step: &'static str,
    statement: String,
    algorithm: &'static str,
    lock: &'static str,
    expected_seconds: f64,
    bytes: Option<u64>,
    after_soak: bool,
}

#[derive(Debug, Serialize)]
struct FoundOut {
    severity: &'static str,
    code: &'static str,
    message: String,
    remedy: String,
}

#[derive(Debug, Serialize)]
pub(super) struct SkippedVersion {
    pub(super) version: u32,
    pub(super) name: String,
    pub(super) state: &'static str,
    pub(super) reason: String,
}

pub(super) fn algorithm(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Instant => "INSTANT",
        Algorithm::InPlace => "INPLACE",
        Algorithm::Copy => "COPY",
    }
}

pub(super) fn lock(level: LockLevel) -> &'static str {
    match level {
        LockLevel::None => "NONE",
        LockLevel::Shared => "SHARED",
        LockLevel::Exclusive => "EXCLUSIVE",
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Ok => "ok",
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Problem => "problem",
    }
}

/// A dry run's version.
pub(super) fn previewed(preview: &Preview) -> Changed {
    let course = preview.course.as_ref();
    Changed {
        version: preview.version,
        name: preview.name.clone(),
        table: preview.table.to_string(),
        index: preview.index.clone(),
        state: course.map_or(preview.state, |course| course.state).word(),
        note: course.and_then(|course| course.note.clone()),
        statements: course
            .iter()
            .flat_map(|course| &course.steps)
            .map(|step| Sent {
                step: step.word,
                statement: step.statement.clone(),
                algorithm: algorithm(step.mode.algorithm),
                lock: lock(step.mode.lock),
                expected_seconds: step.time.as_secs_f64(),
                bytes: step.bytes,
                after_soak: step.is_after_soak,
            })
            .collect(),
        findings: preview
            .findings
            .iter()
            .map(|finding| FoundOut {
                severity: severity(finding.severity),
                code: finding.code,
                message: finding.message.clone(),
                remedy: finding.remedy.clone(),
            })
            .collect(),
        conflict: course.and_then(|course| course.conflict.clone()),
    }
}

/// A version that was worked on.
pub(super) fn settled(settled: &Settled) -> Changed {
    Changed {
        version: settled.version,
        name: settled.name.clone(),
        table: settled.table.to_string(),
        index: settled.index.clone(),
        state: settled.state.word(),
        note: settled.note.clone(),
        statements: Vec::new(),
        findings: Vec::new(),
        conflict: None,
    }
}
