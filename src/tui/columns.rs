//! The columns of the tables: heading, width, what they mean, which go first on a narrow screen.

/// How a column is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spec {
    /// Its name in `:sort` and in the column chooser.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) shape: Shape,
    pub(super) help: &'static str,
}

/// The room of a column and how its values stand in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) width: u16,
    pub(super) is_right: bool,
    /// Columns with a higher number go first when there is no room; 0 stays.
    pub(super) drop: u8,
    /// Takes the room that is left.
    pub(super) is_flexible: bool,
}

/// Values that stand at the right.
const fn number(width: u16) -> Shape {
    Shape {
        width,
        is_right: true,
        drop: 0,
        is_flexible: false,
    }
}

/// Values that stand at the left.
const fn words(width: u16) -> Shape {
    Shape {
        is_right: false,
        ..number(width)
    }
}

/// Words that take the room that is left.
const fn rest(width: u16) -> Shape {
    Shape {
        is_flexible: true,
        ..words(width)
    }
}

impl Shape {
    const fn drops(self, drop: u8) -> Self {
        Self { drop, ..self }
    }
}

/// One line for each column: its name here, in `:sort`, its title, its shape, its meaning.
macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident { $($col:ident, $name:literal, $title:literal, $shape:expr, $help:literal;)* })*) => {
        /// A column of one of the tables.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(super) enum Col { $($($col),*),* }

        $($(#[$doc])* pub(super) const $table: &[Col] = &[$(Col::$col),*];)*

        impl Col {
            pub(super) const fn spec(self) -> Spec {
                match self {
                    $($(Col::$col => Spec { name: $name, title: $title, shape: $shape, help: $help }),*),*
                }
            }
        }
    };
}

tables! {
    /// The columns of the statements.
    QUERIES {
        Load, "load", "load", number(5), "average active sessions: time / window";
        Share, "share", "share", number(5).drops(6), "part of all statement time";
        Calls, "calls", "calls/s", number(7), "executions per second";
        Avg, "avg", "avg", number(6), "average time per execution";
        PerRow, "per-row", "exam/row", number(8).drops(1), "rows examined per row sent or changed";
        Sent, "rows", "rows/s", number(6).drops(7), "rows sent or changed per second";
        NoIndex, "no-index", "noidx", number(5).drops(2), "part of the executions without an index";
        Tmp, "tmp", "tmp/s", number(5).drops(5), "temporary tables per second; d: some on disk";
        Errors, "errors", "err/s", number(5).drops(4), "executions per second that failed";
        Lock, "lock", "lock", number(5).drops(8), "part of the time spent waiting for table locks";
        Trend, "trend", "avg trend", words(10).drops(3), "average time in the latest windows";
        Schema, "schema", "schema", words(10).drops(9), "default schema";
        Statement, "statement", "statement", rest(34), "normalized text";
    }
    /// The columns of the sessions.
    SESSIONS {
        Id, "id", "id", number(6), "connection id, what KILL takes";
        User, "user", "user", words(9), "account";
        Host, "host", "host", words(12).drops(6), "client host";
        Database, "db", "db", words(8).drops(5), "default schema";
        Command, "command", "cmd", words(7).drops(3), "command of the protocol";
        Time, "time", "time", number(6), "time in the present command";
        TrxAge, "trx", "trx age", number(7), "how long the transaction is open";
        LockWait, "wait", "lock wait", number(9).drops(1), "how long it waits for a row lock";
        RowLocks, "locks", "locked", number(6).drops(4), "row locks held (estimate of the server)";
        RowsChanged, "changed", "undo", number(6).drops(7), "rows that a rollback has to undo";
        State, "state", "state", words(14).drops(8), "what the thread does";
        SessionStatement, "statement", "statement", rest(26), "running statement";
    }
    /// The columns of the probes.
    PROBES {
        Probe, "probe", "probe", rest(16), "name in the pack; w: writes";
        Rate, "rate", "ops/s", number(6), "completed operations per second";
        Asked, "asked", "asked", number(6).drops(4), "operations per second that are meant to start; a mark where they began with another rate";
        Failed, "failed", "fail", number(5).drops(1), "failed, timed out and unsent operations";
        P50, "p50", "resp p50", number(8).drops(4), "response: from the intended start to the last row";
        P95, "p95", "resp p95", number(8), "response: from the intended start to the last row";
        P99, "p99", "resp p99", number(8).drops(2), "response: from the intended start to the last row";
        ServiceP50, "service-p50", "srv p50", number(7).drops(6), "service: from sending to the last row";
        ServiceP95, "service-p95", "srv p95", number(7).drops(1), "service: from sending to the last row";
        ServiceP99, "service-p99", "srv p99", number(7).drops(5), "service: from sending to the last row";
        RowsPerCall, "rows", "rows/op", number(7).drops(7), "rows per completed operation";
        Objective, "slo", "objective", words(13).drops(3), "service level and whether it is met";
    }
    /// The columns that stand beside the probes' with a recorded baseline, for the manual.
    #[cfg(test)]
    RECORDED {
        WasP50, "was-p50", "was p50", number(7).drops(8), "service in the recorded baseline";
        TimesP50, "x-p50", "x p50", number(5).drops(8), "service now divided by the recorded one";
        WasP95, "was-p95", "was p95", number(7), "service in the recorded baseline";
        TimesP95, "x-p95", "x p95", number(5), "service now divided by the recorded one";
        WasP99, "was-p99", "was p99", number(7).drops(5), "service in the recorded baseline";
        TimesP99, "x-p99", "x p99", number(5).drops(5), "service now divided by the recorded one";
        Examined, "examined", "exam/op", number(7).drops(2), "rows examined per operation, by the latest digests of its statements";
        WasExamined, "was-examined", "was", number(7).drops(1), "rows examined per operation in the recorded baseline";
    }
    /// The columns of the advisor's recommendations.
    ADVICE {
        Action, "action", "action", words(6), "create or drop the index";
        Gain, "gain", "gain", number(5), "part of the workload's time lost if this one is left out";
        OnTable, "table", "table", words(16), "the table of the index";
        Parts, "parts", "index", rest(20), "columns or expressions of the index";
        Size, "size", "size", number(7).drops(1), "estimated size: taken, or freed by a drop";
        Helps, "helps", "helps", number(5).drops(3), "queries that it makes faster";
        Hurts, "hurts", "hurts", number(5).drops(2), "queries that it makes slower";
        Proof, "proof", "proof", words(5).drops(4), "run: measured on the twin; cost: the optimizer's estimate";
        DdlLock, "lock", "lock", words(6).drops(5), "strongest lock of the change: none, shared, exclusive";
        WriteCost, "write-cost", "us/row", number(6).drops(6), "estimated time added to each row that is written";
        Build, "build", "build", number(6).drops(7), "estimated time to build it";
        File, "file", "file", words(7).drops(8), "state of the definition's file";
    }
    /// The columns of the indexes.
    INDEXES {
        IndexTable, "table", "table", words(12).drops(3), "the table of the index";
        IndexName, "index", "index", rest(22), "its name";
        IndexParts, "columns", "columns", words(24).drops(7), "columns or expressions of the index";
        IndexSize, "size", "size", number(7).drops(4), "bytes on disk, by the server's statistics";
        IndexReads, "reads", "reads", number(5), "rows read through it since the server counts";
        IndexWrites, "writes", "writes", number(6).drops(5), "rows written and counted on it since the server counts";
        IndexFlags, "flags", "flags", words(13).drops(1), "hidden, unused, dup, redund, unique, fk: why it is there, or may go";
        IndexFile, "file", "file", words(5).drops(6), "number of its definition";
        IndexState, "state", "state", words(12), "where its definition stands; a mark where something is out of order";
    }
}

/// The probes beside a recorded baseline.
pub(super) const BESIDE: &[Col] = &[
    Col::Probe,
    Col::Rate,
    Col::Asked,
    Col::ServiceP50,
    Col::WasP50,
    Col::TimesP50,
    Col::ServiceP95,
    Col::WasP95,
    Col::TimesP95,
    Col::ServiceP99,
    Col::WasP99,
    Col::TimesP99,
    Col::Examined,
    Col::WasExamined,
];

impl Col {
    /// Whether a table sorted by this column starts with the greatest value.
    pub(super) fn starts_descending(self) -> bool {
        self.spec().shape.is_right && self != Col::Id
    }
}

/// The columns that fit into `width`, in order; those with the highest `drop` go first.
pub(super) fn fitting(columns: &[Col], width: u16) -> Vec<Col> {
    let mut kept: Vec<Col> = columns.to_vec();
    while needed(&kept) > width {
        let Some(victim) = kept
            .iter()
            .enumerate()
            .filter(|(_, col)| col.spec().shape.drop > 0)
            .max_by_key(|(_, col)| col.spec().shape.drop)
            .map(|(position, _)| position)
        else {
            break;
        };
        kept.remove(victim);
    }
    kept
}

fn needed(columns: &[Col]) -> u16 {
    columns.iter().map(|col| col.spec().shape.width + 1).sum()
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
    fn each_table_keeps_a_column_and_gives_the_rest_to_one() {
        for table in [QUERIES, SESSIONS, PROBES, BESIDE, ADVICE, INDEXES] {
            let shapes: Vec<_> = table.iter().map(|col| col.spec().shape).collect();
            assert_eq!(shapes.iter().filter(|shape| shape.is_flexible).count(), 1);
            assert!(shapes.iter().any(|shape| shape.drop == 0));
            assert!(shapes.iter().all(|shape| shape.width >= 5));
        }
    }

    #[test]
    fn titles_fit_their_columns_and_are_explained() {
        let all = [QUERIES, SESSIONS, PROBES, RECORDED, ADVICE, INDEXES];
        for col in all.into_iter().flatten() {
            let spec = col.spec();
            assert!(spec.title.len() <= usize::from(spec.shape.width), "{col:?}");
            assert!(!spec.help.is_empty(), "{col:?}");
        }
    }

    #[test]
    fn names_are_unique_in_each_table() {
        for table in [QUERIES, SESSIONS, PROBES, BESIDE, ADVICE, INDEXES] {
            let mut names: Vec<_> = table.iter().map(|col| col.spec().name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), table.len());
        }
    }
}
