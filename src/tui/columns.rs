//! The columns of the tables: heading, width, what they mean, which go first on a narrow screen.

/// A column of one of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Col {
    Load,
    Share,
    Calls,
    Avg,
    PerRow,
    Sent,
    NoIndex,
    Tmp,
    Errors,
    Lock,
    Trend,
    Schema,
    Statement,
    Id,
    User,
    Host,
    Database,
    Command,
    Time,
    TrxAge,
    LockWait,
    RowLocks,
    RowsChanged,
    State,
    SessionStatement,
    Probe,
    Rate,
    Failed,
    P50,
    P95,
    P99,
    ServiceP50,
    ServiceP95,
    ServiceP99,
    RowsPerCall,
    Objective,
    Action,
    Gain,
    OnTable,
    Parts,
    Size,
    Hurts,
    Helps,
    Proof,
    DdlLock,
    WriteCost,
    Build,
    File,
}

/// How a column is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spec {
    /// Its name in `:sort` and in the column chooser.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) width: u16,
    pub(super) is_right: bool,
    /// Columns with a higher number go first when there is no room; 0 stays.
    pub(super) drop: u8,
    /// Takes the room that is left.
    pub(super) is_flexible: bool,
    pub(super) help: &'static str,
}

const fn number(
    name: &'static str,
    title: &'static str,
    width: u16,
    drop: u8,
    help: &'static str,
) -> Spec {
    Spec {
        name,
        title,
        width,
        is_right: true,
        drop,
        is_flexible: false,
        help,
    }
}

const fn words(
    name: &'static str,
    title: &'static str,
    width: u16,
    drop: u8,
    help: &'static str,
) -> Spec {
    Spec {
        name,
        title,
        width,
        is_right: false,
        drop,
        is_flexible: false,
        help,
    }
}

const fn rest(name: &'static str, title: &'static str, width: u16, help: &'static str) -> Spec {
    Spec {
        name,
        title,
        width,
        is_right: false,
        drop: 0,
        is_flexible: true,
        help,
    }
}

pub(super) const QUERIES: &[Col] = &[
    Col::Load,
    Col::Share,
    Col::Calls,
    Col::Avg,
    Col::PerRow,
    Col::Sent,
    Col::NoIndex,
    Col::Tmp,
    Col::Errors,
    Col::Lock,
    Col::Trend,
    Col::Schema,
    Col::Statement,
];

pub(super) const SESSIONS: &[Col] = &[
    Col::Id,
    Col::User,
    Col::Host,
    Col::Database,
    Col::Command,
    Col::Time,
    Col::TrxAge,
    Col::LockWait,
    Col::RowLocks,
    Col::RowsChanged,
    Col::State,
    Col::SessionStatement,
];

pub(super) const PROBES: &[Col] = &[
    Col::Probe,
    Col::Rate,
    Col::Failed,
    Col::P50,
    Col::P95,
    Col::P99,
    Col::ServiceP50,
    Col::ServiceP95,
    Col::ServiceP99,
    Col::RowsPerCall,
    Col::Objective,
];

pub(super) const ADVICE: &[Col] = &[
    Col::Action,
    Col::Gain,
    Col::OnTable,
    Col::Parts,
    Col::Size,
    Col::Helps,
    Col::Hurts,
    Col::Proof,
    Col::DdlLock,
    Col::WriteCost,
    Col::Build,
    Col::File,
];

/// All columns, in the order of [`Col`].
const SPECS: &[(Col, Spec)] = &[
    (
        Col::Load,
        number(
            "load",
            "load",
            5,
            0,
            "average active sessions: time / window",
        ),
    ),
    (
        Col::Share,
        number("share", "share", 5, 6, "part of all statement time"),
    ),
    (
        Col::Calls,
        number("calls", "calls/s", 7, 0, "executions per second"),
    ),
    (
        Col::Avg,
        number("avg", "avg", 6, 0, "average time per execution"),
    ),
    (
        Col::PerRow,
        number(
            "per-row",
            "exam/row",
            8,
            1,
            "rows examined per row sent or changed",
        ),
    ),
    (
        Col::Sent,
        number("rows", "rows/s", 6, 7, "rows sent or changed per second"),
    ),
    (
        Col::NoIndex,
        number(
            "no-index",
            "noidx",
            5,
            2,
            "part of the executions without an index",
        ),
    ),
    (
        Col::Tmp,
        number(
            "tmp",
            "tmp/s",
            5,
            5,
            "temporary tables per second; d: some on disk",
        ),
    ),
    (
        Col::Errors,
        number("errors", "err/s", 5, 4, "executions per second that failed"),
    ),
    (
        Col::Lock,
        number(
            "lock",
            "lock",
            5,
            8,
            "part of the time spent waiting for table locks",
        ),
    ),
    (
        Col::Trend,
        words(
            "trend",
            "avg trend",
            10,
            3,
            "average time in the latest windows",
        ),
    ),
    (
        Col::Schema,
        words("schema", "schema", 10, 9, "default schema"),
    ),
    (
        Col::Statement,
        rest("statement", "statement", 34, "normalized text"),
    ),
    (
        Col::Id,
        number("id", "id", 6, 0, "connection id, what KILL takes"),
    ),
    (Col::User, words("user", "user", 9, 0, "account")),
    (Col::Host, words("host", "host", 12, 6, "client host")),
    (Col::Database, words("db", "db", 8, 5, "default schema")),
    (
        Col::Command,
        words("command", "cmd", 7, 3, "command of the protocol"),
    ),
    (
        Col::Time,
        number("time", "time", 6, 0, "time in the present command"),
    ),
    (
        Col::TrxAge,
        number("trx", "trx age", 7, 0, "how long the transaction is open"),
    ),
    (
        Col::LockWait,
        number(
            "wait",
            "lock wait",
            9,
            1,
            "how long it waits for a row lock",
        ),
    ),
    (
        Col::RowLocks,
        number(
            "locks",
            "locked",
            6,
            4,
            "row locks held (estimate of the server)",
        ),
    ),
    (
        Col::RowsChanged,
        number("changed", "undo", 6, 7, "rows that a rollback has to undo"),
    ),
    (
        Col::State,
        words("state", "state", 14, 8, "what the thread does"),
    ),
    (
        Col::SessionStatement,
        rest("statement", "statement", 26, "running statement"),
    ),
    (
        Col::Probe,
        rest("probe", "probe", 16, "name in the pack; w: writes"),
    ),
    (
        Col::Rate,
        number("rate", "ops/s", 6, 0, "completed operations per second"),
    ),
    (
        Col::Failed,
        number(
            "failed",
            "fail",
            5,
            1,
            "failed, timed out and unsent operations",
        ),
    ),
    (
        Col::P50,
        number(
            "p50",
            "resp p50",
            8,
            4,
            "response: from the intended start to the last row",
        ),
    ),
    (
        Col::P95,
        number(
            "p95",
            "resp p95",
            8,
            0,
            "response: from the intended start to the last row",
        ),
    ),
    (
        Col::P99,
        number(
            "p99",
            "resp p99",
            8,
            2,
            "response: from the intended start to the last row",
        ),
    ),
    (
        Col::ServiceP50,
        number(
            "service-p50",
            "srv p50",
            7,
            6,
            "service: from sending to the last row",
        ),
    ),
    (
        Col::ServiceP95,
        number(
            "service-p95",
            "srv p95",
            7,
            1,
            "service: from sending to the last row",
        ),
    ),
    (
        Col::ServiceP99,
        number(
            "service-p99",
            "srv p99",
            7,
            5,
            "service: from sending to the last row",
        ),
    ),
    (
        Col::RowsPerCall,
        number("rows", "rows/op", 7, 7, "rows per completed operation"),
    ),
    (
        Col::Objective,
        words(
            "slo",
            "objective",
            17,
            3,
            "service level and whether it is met",
        ),
    ),
    (
        Col::Action,
        words("action", "action", 6, 0, "create or drop the index"),
    ),
    (
        Col::Gain,
        number(
            "gain",
            "gain",
            5,
            0,
            "part of the workload's time lost if this one alone is left out",
        ),
    ),
    (
        Col::OnTable,
        words("table", "table", 16, 0, "the table of the index"),
    ),
    (
        Col::Parts,
        rest("parts", "index", 20, "columns or expressions of the index"),
    ),
    (
        Col::Size,
        number(
            "size",
            "size",
            7,
            1,
            "estimated size: taken, or freed by a drop",
        ),
    ),
    (
        Col::Hurts,
        number("hurts", "hurts", 5, 2, "queries that it makes slower"),
    ),
    (
        Col::Helps,
        number("helps", "helps", 5, 3, "queries that it makes faster"),
    ),
    (
        Col::Proof,
        words(
            "proof",
            "proof",
            5,
            4,
            "run: measured on the twin; cost: the optimizer's estimate",
        ),
    ),
    (
        Col::DdlLock,
        words(
            "lock",
            "lock",
            6,
            5,
            "strongest lock of the change: none, shared, exclusive",
        ),
    ),
    (
        Col::WriteCost,
        number(
            "write-cost",
            "us/row",
            6,
            6,
            "estimated time added to each row that is written",
        ),
    ),
    (
        Col::Build,
        number("build", "build", 6, 7, "estimated time to build it"),
    ),
    (
        Col::File,
        words("file", "file", 7, 8, "state of the definition's file"),
    ),
];

impl Col {
    pub(super) fn spec(self) -> Spec {
        SPECS[self as usize].1
    }

    /// Whether a table sorted by this column starts with the greatest value.
    pub(super) fn starts_descending(self) -> bool {
        self.spec().is_right && self != Col::Id
    }
}

/// The columns that fit into `width`, in order; those with the highest `drop` go first.
pub(super) fn fitting(columns: &[Col], width: u16) -> Vec<Col> {
    let mut kept: Vec<Col> = columns.to_vec();
    while needed(&kept) > width {
        let Some(victim) = kept
            .iter()
            .enumerate()
            .filter(|(_, col)| col.spec().drop > 0)
            .max_by_key(|(_, col)| col.spec().drop)
            .map(|(position, _)| position)
        else {
            break;
        };
        kept.remove(victim);
    }
    kept
}

fn needed(columns: &[Col]) -> u16 {
    columns.iter().map(|col| col.spec().width + 1).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_needed_columns_go_first() {
        assert_eq!(fitting(QUERIES, 300).len(), QUERIES.len());
        let narrow = fitting(QUERIES, 40);
        assert_eq!(narrow, [Col::Load, Col::Calls, Col::Avg, Col::Statement]);
        assert!(fitting(QUERIES, 78).contains(&Col::NoIndex));
        assert!(fitting(SESSIONS, 78).contains(&Col::LockWait));
    }

    #[test]
    fn the_specifications_are_in_the_order_of_the_columns() {
        for (position, (col, _)) in SPECS.iter().enumerate() {
            assert_eq!(*col as usize, position);
        }
        for col in QUERIES.iter().chain(SESSIONS).chain(PROBES).chain(ADVICE) {
            assert!((*col as usize) < SPECS.len());
        }
    }

    #[test]
    fn names_are_unique_in_each_table() {
        for table in [QUERIES, SESSIONS, PROBES, ADVICE] {
            let mut names: Vec<_> = table.iter().map(|col| col.spec().name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), table.len());
        }
    }
}
