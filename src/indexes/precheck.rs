//! What is looked at before the first step of a change, and what it says.

mod of_server;
mod of_table;

use std::time::Duration;

use of_server::{about_locks, about_privileges, about_the_server};
use of_table::{about_copies, about_room, about_the_table, about_writes};

use crate::model::finding::{Finding, Severity};
use crate::model::schema::Table;

/// What was seen of the server and the table. `None` is what could not be seen.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// `read_only`, `super_read_only` or `innodb_read_only` is on, and holds for this account.
    pub is_read_only: bool,
    /// `SHOW GRANTS`, one line each.
    pub grants: Option<Vec<String>>,
    /// Whether it replicates from another server.
    pub replication: Replication,
    /// Replicas that read from it.
    pub replicas: u64,
    /// Sessions that hold locks on the table, in words.
    pub holders: Option<Vec<String>>,
    /// Transactions older than the limit: how many, and the age of the oldest.
    pub old_transactions: Option<(u64, Duration)>,
    /// `innodb_online_alter_log_max_size`, bytes.
    pub online_log: u64,
    /// Rows of the table that are written in a second.
    pub writes_per_second: Option<f64>,
    /// Bytes that are free where the data is, when that is on this machine.
    pub free_data: Option<u64>,
    /// Bytes that are free where sorting happens.
    pub free_sort: Option<u64>,
    /// Both are the same disk.
    pub is_one_disk: bool,
    /// What needs the index that is to go.
    pub needed: Option<String>,
    /// What could not be brought back.
    pub not_restorable: Option<String>,
}

/// The statement that is the longest of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// An index is built.
    pub builds: bool,
    /// A column is added or dropped.
    pub changes_columns: bool,
    /// An index is dropped in the end.
    pub drops: bool,
    /// Bytes of the index.
    pub bytes: u64,
    /// Expected time.
    pub time: Duration,
    /// What writers do meanwhile.
    pub writers: Writers,
    /// What is done by a copy of the table because of what else is there, and what to do instead.
    pub forced_copies: Vec<(String, String)>,
    /// Columns that the index needs and the table lacks.
    pub missing_columns: Vec<String>,
}

impl Work {
    /// Whether writers wait.
    fn blocks_writes(&self) -> bool {
        self.writers != Writers::GoOn
    }
}

/// What writers do while a change is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writers {
    /// They are not held up.
    GoOn,
    /// They wait.
    Wait,
    /// They wait, and would not have to if a generated column were indexed instead.
    WaitNeedlessly,
}

/// Whether a server replicates from another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Replication {
    /// It does not.
    #[default]
    None,
    /// It does, and is so far behind; `None` where that can't be seen.
    Runs(Option<Duration>),
    /// It would, and is stopped, so that it falls behind and nobody sees how far.
    Stopped,
}

/// Limits from the options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A replica that is further behind gets no new work.
    pub max_lag: Duration,
    /// Transactions that are older are told.
    pub long_transaction: Duration,
    /// The table may be copied while writers wait, where nothing else works.
    pub may_copy: bool,
}

/// Everything that is to be said, the worst first.
#[must_use]
pub fn judge(facts: &Facts, table: &Table, work: &Work, limits: &Limits) -> Vec<Finding> {
    let mut found = Vec::new();
    about_the_server(&mut found, facts, limits);
    about_privileges(&mut found, facts, &table.name);
    about_the_table(&mut found, facts, table, work);
    about_copies(&mut found, table, work, limits);
    if work.builds {
        about_room(&mut found, facts, work);
        about_writes(&mut found, facts, table, work);
    }
    about_locks(&mut found, facts, limits);
    found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    found
}

/// Whether a finding stands against the change.
#[must_use]
pub fn is_refused(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.severity == Severity::Problem)
}

/// The problems in one sentence.
#[must_use]
pub(super) fn listed(findings: &[Finding]) -> String {
    let problems = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Problem)
        .map(|finding| match finding.remedy.as_str() {
            "" => finding.message.clone(),
            remedy => format!("{}; {remedy}", finding.message),
        });
    problems.collect::<Vec<_>>().join("; ")
}

fn say(
    found: &mut Vec<Finding>,
    severity: Severity,
    code: &'static str,
    message: impl Into<String>,
    remedy: impl Into<String>,
) {
    found.push(Finding {
        severity,
        code,
        message: message.into(),
        remedy: remedy.into(),
    });
}

#[cfg(test)]
mod tests;
