//! What is looked at before the first step of a change, and what it says.

use std::time::Duration;

use super::grants::grants;
use crate::model::advice::LockLevel;
use crate::model::finding::{Finding, Severity};
use crate::model::schema::{Table, TableName};
use crate::model::units;

/// Secondary indexes of an InnoDB table at most.
const MAX_INDEXES: usize = 64;

/// Privileges that `ALTER TABLE` needs.
const TABLE_PRIVILEGES: [&str; 3] = ["ALTER", "CREATE", "INSERT"];

/// Privileges that the ledger needs besides.
const LEDGER_PRIVILEGES: [&str; 2] = ["SELECT", "UPDATE"];

/// What was seen of the server and the table. `None` is what could not be seen.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// `read_only`, `super_read_only` or `innodb_read_only` is on, and holds for this account.
    pub is_read_only: bool,
    /// `SHOW GRANTS`, one line each.
    pub grants: Option<Vec<String>>,
    /// It replicates from another server.
    pub is_replica: bool,
    /// How far it is behind that.
    pub lag: Option<Duration>,
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
    /// The strongest lock of its statements.
    pub lock: LockLevel,
    /// What is done by a copy of the table because of what else is there, and what to do instead.
    pub forced_copies: Vec<(String, String)>,
    /// Whether writers wait for a copy, or for a build that could not be done otherwise.
    pub is_avoidable: bool,
    /// Columns that the index needs and the table lacks.
    pub missing_columns: Vec<String>,
}

impl Work {
    /// Whether writers wait.
    fn blocks_writes(&self) -> bool {
        self.lock != LockLevel::None
    }
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

fn about_the_server(found: &mut Vec<Finding>, facts: &Facts, limits: &Limits) {
    if facts.is_read_only {
        say(
            found,
            Severity::Problem,
            "server-read-only",
            "the server is read-only",
            "apply on the server that takes writes",
        );
    }
    if facts.is_replica {
        let (severity, behind) = match facts.lag {
            Some(lag) if lag > limits.max_lag => (
                Severity::Problem,
                format!(", {} behind", units::duration(lag)),
            ),
            Some(lag) => (
                Severity::Warning,
                format!(", {} behind", units::duration(lag)),
            ),
            None => (Severity::Warning, String::new()),
        };
        say(
            found,
            severity,
            "replica",
            format!("the server is a replica{behind}"),
            "apply on its source, from where the change comes here",
        );
    } else if facts.replicas > 0 {
        let who = match facts.replicas {
            1 => "1 replica".to_owned(),
            n => format!("{n} replicas"),
        };
        say(
            found,
            Severity::Note,
            "replica-lag",
            format!(
                "{who} will build the index as well, after the source, and fall behind meanwhile"
            ),
            "their lag can't be seen from here; watch it",
        );
    }
}

fn about_privileges(found: &mut Vec<Finding>, facts: &Facts, table: &TableName) {
    let Some(lines) = &facts.grants else {
        say(
            found,
            Severity::Note,
            "privileges-unseen",
            "the account's privileges can't be seen; a missing one shows with the first statement",
            "",
        );
        return;
    };
    let ledger = TableName::new(table.schema.as_str(), super::ledger::TABLE);
    let on_table = TABLE_PRIVILEGES.iter().map(|name| (*name, table));
    let on_ledger = LEDGER_PRIVILEGES
        .iter()
        .chain(&["CREATE", "INSERT"])
        .map(|name| (*name, &ledger));
    let mut missing: Vec<&str> = on_table
        .chain(on_ledger)
        .filter(|(name, on)| !grants(lines, name, on))
        .map(|(name, _)| name)
        .collect();
    missing.sort_unstable();
    missing.dedup();
    if missing.is_empty() {
        return;
    }
    // A role may give what the account's own grants do not show.
    let has_roles = lines.iter().any(|line| !line.contains(" ON "));
    let severity = if has_roles {
        Severity::Warning
    } else {
        Severity::Problem
    };
    say(
        found,
        severity,
        "privileges",
        format!(
            "the account lacks {} on `{}`",
            missing.join(", "),
            table.schema
        ),
        format!(
            "GRANT {} ON {}.* TO the account",
            missing.join(", "),
            crate::server::quote::ident(&table.schema)
        ),
    );
}

fn about_the_table(found: &mut Vec<Finding>, facts: &Facts, table: &Table, work: &Work) {
    if !table.engine.eq_ignore_ascii_case("InnoDB") {
        say(
            found,
            Severity::Problem,
            "engine",
            format!(
                "`{}` is a table of {}, which builds no index while others write",
                table.name, table.engine
            ),
            "convert it to InnoDB first",
        );
    }
    let secondary = table
        .indexes
        .iter()
        .filter(|index| !index.is_primary())
        .count();
    if work.builds && secondary >= MAX_INDEXES {
        say(
            found,
            Severity::Problem,
            "too-many-indexes",
            format!(
                "`{}` has {secondary} indexes, the most that InnoDB allows",
                table.name
            ),
            "drop one first; `mydex advise` names those that nobody uses",
        );
    }
    if let [first, ..] = work.missing_columns.as_slice() {
        say(
            found,
            Severity::Problem,
            "no-column",
            format!(
                "`{}` has no column `{}`",
                table.name,
                work.missing_columns.join("`, `")
            ),
            format!("correct `columns`, or add `{first}` to the table first"),
        );
    }
    if let Some(needed) = facts.needed.as_ref().filter(|_| work.drops) {
        say(found, Severity::Problem, "needed", needed.as_str(), "");
    }
    if let Some(what) = &facts.not_restorable {
        say(
            found,
            Severity::Problem,
            "not-restorable",
            format!("what is there could not be brought back exactly: {what}"),
            "",
        );
    }
}

/// Who waits for whom while the table is changed.
fn about_copies(found: &mut Vec<Finding>, table: &Table, work: &Work, limits: &Limits) {
    for (why, instead) in &work.forced_copies {
        let copy = "`--allow-copy` copies the table while writes wait";
        let remedy = match instead.as_str() {
            "" => copy.to_owned(),
            instead => format!("{instead}, or {copy}"),
        };
        let severity = if limits.may_copy {
            Severity::Warning
        } else {
            Severity::Problem
        };
        say(found, severity, "needs-copy", why.as_str(), remedy);
    }
    if work.blocks_writes() {
        let remedy = if work.is_avoidable {
            "choose a quiet time, or index a generated column instead"
        } else {
            "choose a quiet time"
        };
        say(
            found,
            Severity::Warning,
            "blocks-writes",
            format!(
                "writes to `{}` wait meanwhile, about {}",
                table.name,
                units::duration(work.time)
            ),
            remedy,
        );
    }
}

fn about_room(found: &mut Vec<Finding>, facts: &Facts, work: &Work) {
    // The index itself, and the runs of the sort beside it.
    let places = [
        ("the data", facts.free_data, work.bytes),
        ("the sort's files", facts.free_sort, work.bytes),
    ];
    for (what, free, needed) in places {
        match free {
            Some(free) if free < needed => say(
                found,
                Severity::Problem,
                "disk",
                format!(
                    "{} are free for {what}, and about {} are needed",
                    units::bytes(free),
                    units::bytes(needed)
                ),
                "make room first",
            ),
            Some(free) if free / 2 < needed => say(
                found,
                Severity::Warning,
                "disk",
                format!(
                    "the index takes about {} of the {} that are free for {what}",
                    units::bytes(needed),
                    units::bytes(free)
                ),
                "",
            ),
            _ => {}
        }
    }
    if facts.free_data.is_none() {
        say(
            found,
            Severity::Note,
            "disk-unseen",
            format!(
                "the server's disk can't be seen from here; about {} are needed for the index, and \
                 as much for the sort",
                units::bytes(work.bytes)
            ),
            "",
        );
    }
}

fn about_writes(found: &mut Vec<Finding>, facts: &Facts, table: &Table, work: &Work) {
    if work.blocks_writes() {
        return;
    }
    let Some(rate) = facts.writes_per_second else {
        return;
    };
    let row = (table.data_bytes as f64 / table.rows.max(1) as f64).clamp(16.0, 16_384.0);
    let logged = rate * row * work.time.as_secs_f64();
    if logged > facts.online_log as f64 / 2.0 && facts.online_log > 0 {
        say(
            found,
            Severity::Warning,
            "online-log",
            format!(
                "about {} rows are written in a second; what is written during the build may not \
                 fit into innodb_online_alter_log_max_size ({}), and the build would end with \
                 error 1799",
                units::count(rate),
                units::bytes(facts.online_log)
            ),
            "choose a quiet time, or raise innodb_online_alter_log_max_size",
        );
    }
}

fn about_locks(found: &mut Vec<Finding>, facts: &Facts, limits: &Limits) {
    if let Some(holders) = facts.holders.as_ref().filter(|holders| !holders.is_empty()) {
        say(
            found,
            Severity::Warning,
            "held",
            format!(
                "the table is held, and the change waits for it: {}",
                holders.join("; ")
            ),
            "it is tried again and again, each time for a second at most",
        );
    }
    if let Some((count, oldest)) = facts.old_transactions.filter(|(count, _)| *count > 0) {
        let who = match count {
            1 => "a transaction is".to_owned(),
            n => format!("{n} transactions are"),
        };
        say(
            found,
            Severity::Note,
            "long-transaction",
            format!(
                "{who} open for more than {}, the oldest for {}",
                units::duration(limits.long_transaction),
                units::duration(oldest)
            ),
            "one that comes to this table holds the change up",
        );
    }
    if facts.holders.is_none() {
        say(
            found,
            Severity::Note,
            "locks-unseen",
            "who holds the table can't be seen",
            "grant SELECT on performance_schema, and PROCESS",
        );
    }
}

#[cfg(test)]
mod tests;
