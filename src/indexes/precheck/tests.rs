//! What each fact leads to.

use super::*;
use crate::model::schema::{Index, TableName};

fn table() -> Table {
    Table {
        name: TableName::new("shop", "orders"),
        engine: "InnoDB".to_owned(),
        columns: Vec::new(),
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        rows: 1_000_000,
        data_bytes: 200_000_000,
        index_bytes: 0,
        partitioning: None,
        create: String::new(),
    }
}

fn work() -> Work {
    Work {
        builds: true,
        changes_columns: false,
        drops: false,
        bytes: 50_000_000,
        time: Duration::from_secs(10),
        writers: Writers::GoOn,
        forced_copies: Vec::new(),
        missing_columns: Vec::new(),
    }
}

fn facts() -> Facts {
    Facts {
        grants: Some(vec!["GRANT ALL PRIVILEGES ON *.* TO `root`@`%`".to_owned()]),
        holders: Some(Vec::new()),
        online_log: 128 << 20,
        free_data: Some(1 << 40),
        free_sort: Some(1 << 40),
        ..Facts::default()
    }
}

const LIMITS: Limits = Limits {
    max_lag: Duration::from_secs(30),
    long_transaction: Duration::from_secs(5),
    may_copy: false,
};

fn codes(facts: &Facts, table: &Table, work: &Work) -> Vec<(Severity, &'static str)> {
    let found = judge(facts, table, work, &LIMITS);
    found.iter().map(|one| (one.severity, one.code)).collect()
}

#[test]
fn nothing_is_said_where_all_is_well() {
    assert_eq!(codes(&facts(), &table(), &work()), []);
}

type Change = fn(&mut Facts, &mut Table, &mut Work);

/// What makes each finding about the server and the account.
fn of_the_server() -> Vec<(Change, Severity, &'static str)> {
    use Severity::{Note, Problem, Warning};
    vec![
        (
            |facts, _, _| facts.is_read_only = true,
            Problem,
            "server-read-only",
        ),
        (
            |facts, _, _| facts.replication = Replication::Runs(None),
            Warning,
            "replica",
        ),
        (
            |facts, _, _| {
                facts.replication = Replication::Runs(Some(Duration::from_secs(31)));
            },
            Problem,
            "replica",
        ),
        (
            |facts, _, _| {
                facts.replication = Replication::Stopped;
            },
            Problem,
            "replica",
        ),
        (|facts, _, _| facts.replicas = 2, Note, "replica-lag"),
        (|facts, _, _| facts.grants = None, Note, "privileges-unseen"),
        (
            |facts, _, _| facts.grants = Some(vec!["GRANT SELECT ON *.* TO `m`@`%`".to_owned()]),
            Problem,
            "privileges",
        ),
        (
            |facts, _, _| {
                facts.grants = Some(vec![
                    "GRANT USAGE ON *.* TO `m`@`%`".to_owned(),
                    "GRANT `dba`@`%` TO `m`@`%`".to_owned(),
                ]);
            },
            Warning,
            "privileges",
        ),
    ]
}

/// What makes each finding about the table and the work on it.
fn of_the_table() -> Vec<(Change, Severity, &'static str)> {
    use Severity::{Problem, Warning};
    vec![
        (
            |_, table, _| table.engine = "MyISAM".to_owned(),
            Problem,
            "engine",
        ),
        (
            |_, table, _| {
                table.indexes = (0..64)
                    .map(|n| Index::btree(format!("i{n}"), Vec::new()))
                    .collect();
            },
            Problem,
            "too-many-indexes",
        ),
        (
            |_, _, work| work.writers = Writers::Wait,
            Warning,
            "blocks-writes",
        ),
    ]
}

/// What makes each finding about the room, the writes and whoever is in the way.
fn of_the_work() -> Vec<(Change, Severity, &'static str)> {
    use Severity::{Note, Problem, Warning};
    vec![
        (
            |facts, _, _| facts.free_data = Some(40_000_000),
            Problem,
            "disk",
        ),
        (
            |facts, _, _| facts.free_sort = Some(80_000_000),
            Warning,
            "disk",
        ),
        // Enough for each alone, and not for both.
        (
            |facts, _, _| {
                facts.free_data = Some(90_000_000);
                facts.free_sort = Some(90_000_000);
                facts.is_one_disk = true;
            },
            Problem,
            "disk",
        ),
        (|facts, _, _| facts.free_data = None, Note, "disk-unseen"),
        (
            |facts, _, _| facts.writes_per_second = Some(50_000.0),
            Warning,
            "online-log",
        ),
        (
            |facts, _, _| facts.holders = Some(vec!["connection 7".to_owned()]),
            Warning,
            "held",
        ),
        (|facts, _, _| facts.holders = None, Note, "locks-unseen"),
        (
            |facts, _, _| facts.old_transactions = Some((1, Duration::from_mins(1))),
            Note,
            "long-transaction",
        ),
        (
            |_, _, work| work.missing_columns = vec!["nobody".to_owned()],
            Problem,
            "no-column",
        ),
        (
            |_, _, work| work.forced_copies = vec![("why".to_owned(), "rename it".to_owned())],
            Problem,
            "needs-copy",
        ),
        (
            |facts, _, _| facts.not_restorable = Some("x".to_owned()),
            Problem,
            "not-restorable",
        ),
        (
            |facts, _, work| {
                facts.needed = Some("foreign key".to_owned());
                *work = Work {
                    builds: false,
                    drops: true,
                    ..work.clone()
                };
            },
            Problem,
            "needed",
        ),
    ]
}

#[test]
fn each_fact_is_told_with_its_weight() {
    use Severity::Problem;
    let cases = of_the_server()
        .into_iter()
        .chain(of_the_table())
        .chain(of_the_work());
    for (change, severity, code) in cases {
        let (mut facts, mut table, mut work) = (facts(), table(), work());
        change(&mut facts, &mut table, &mut work);
        let found = judge(&facts, &table, &work, &LIMITS);
        assert_eq!(codes(&facts, &table, &work), [(severity, code)]);
        assert_eq!(is_refused(&found), severity == Problem, "{code}");
        assert_eq!(listed(&found).is_empty(), severity != Problem, "{code}");
    }
}

#[test]
fn a_copy_has_to_be_allowed_and_is_told_all_the_same() {
    let work = Work {
        forced_copies: vec![("why".to_owned(), String::new())],
        writers: Writers::Wait,
        ..work()
    };
    let allowed = Limits {
        may_copy: true,
        ..LIMITS
    };
    let found = judge(&facts(), &table(), &work, &allowed);
    let told: Vec<_> = found.iter().map(|one| (one.severity, one.code)).collect();
    let expected = [
        (Severity::Warning, "needs-copy"),
        (Severity::Warning, "blocks-writes"),
    ];
    assert_eq!(told, expected);
    assert!(!is_refused(&found));
    assert!(found[0].remedy.contains("--allow-copy"));
}
