//! Fields that several reports have.

use serde::Serialize;

use crate::cli::advise::json::{self, IndexJson};
use crate::model::advice::Action;
use crate::model::finding::{Finding, Severity};
use crate::model::schema::Index;
use crate::report::cost::Cost;

/// What a report has cost the server.
#[derive(Debug, Clone, Serialize)]
pub(in crate::cli::report) struct CostJson {
    statements: u64,
    rows: u64,
    server_seconds: f64,
    server_cpu_seconds: Option<f64>,
}

impl CostJson {
    pub(in crate::cli::report) fn new(cost: Cost) -> Self {
        Self {
            statements: cost.statements,
            rows: cost.rows,
            server_seconds: cost.time.as_secs_f64(),
            server_cpu_seconds: cost.cpu.map(|cpu| cpu.as_secs_f64()),
        }
    }
}

/// One thing found.
#[derive(Debug, Clone, Serialize)]
pub(in crate::cli::report) struct FindingJson {
    severity: &'static str,
    code: &'static str,
    message: String,
    remedy: String,
}

impl FindingJson {
    pub(in crate::cli::report) fn new(finding: &Finding) -> Self {
        Self {
            severity: match finding.severity {
                Severity::Ok => "ok",
                Severity::Note => "note",
                Severity::Warning => "warning",
                Severity::Problem => "problem",
            },
            code: finding.code,
            message: finding.message.clone(),
            remedy: finding.remedy.clone(),
        }
    }
}

/// `create` or `drop`.
pub(in crate::cli::report) fn action(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Drop => "drop",
    }
}

/// An index as the advice describes it, so that programs read one form.
pub(in crate::cli::report) fn described(index: &Index) -> IndexJson {
    json::index(index)
}
