//! The forms of logs, and the laws of reading them in parts.

use std::io::Write as _;

use proptest::prelude::*;

use super::entry::{Carried, Entries, Entry, Item};
use super::stamp::{Stamp, stamp};
use super::{Options, Profile, Source, read};

const MYSQL: &str = include_str!("tests/mysql.log");
const EXTRA: &str = include_str!("tests/mysql_extra.log");
const PERCONA: &str = include_str!("tests/percona.log");
const MARIADB: &str = include_str!("tests/mariadb.log");

fn items(log: &[u8]) -> Vec<Item<'_>> {
    // The carried state must outlive the entries.
    static NOTHING: Carried = Carried {
        schema: Vec::new(),
        time: None,
    };
    Entries::new(log, &NOTHING).collect()
}

fn entries(log: &str) -> Vec<Entry<'_>> {
    let entry = |item| match item {
        Item::Entry(entry) => entry,
        Item::Malformed(at, reason) => panic!("{reason}: {}", &log[at..]),
    };
    items(log.as_bytes()).into_iter().map(entry).collect()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// User, host, schema, statement, and time, lock, sent, examined, affected, bytes.
fn shown<'a>(entry: &Entry<'a>) -> ([&'a str; 4], [u64; 6]) {
    (
        [
            text(entry.user),
            text(entry.host),
            text(entry.schema),
            text(entry.statement),
        ],
        [
            entry.query_time,
            entry.lock_time,
            entry.rows_sent,
            entry.rows_examined,
            entry.rows_affected,
            entry.bytes_sent,
        ],
    )
}

#[test]
fn mysql() {
    let found = entries(MYSQL);
    assert_eq!(found.len(), 5);
    assert_eq!(
        shown(&found[0]),
        (
            ["app", "web1", "shop", "SELECT 1"],
            [1_500_000, 20, 1, 2, 0, 0]
        )
    );
    assert_eq!(found[0].at, Some(1_704_164_645_123_456));
    // The schema holds until it changes, and lines that start with # belong to the statement.
    let long = "SELECT a\n# a comment\n# Note: also one\nFROM t\nWHERE b = ';'";
    assert_eq!(
        shown(&found[1]),
        (["app", "10.0.0.2", "shop", long], [12, 0, 3, 400, 0, 0])
    );
    assert!(found[2].is_command);
    assert_eq!(text(found[2].statement), "Quit");
    // A server that starts again knows no schema.
    assert_eq!(text(found[3].schema), "");
    assert_eq!(text(found[3].statement), "SELECT 2");
    assert_eq!(
        shown(&found[4]).0,
        ["root", "localhost", "a`b", "use `a``b`"]
    );
}

#[test]
fn mysql_with_log_slow_extra() {
    let found = entries(EXTRA);
    assert_eq!(found.len(), 2);
    assert_eq!(
        shown(&found[0]),
        (
            ["root", "localhost", "slx", "SELECT COUNT(*) FROM t"],
            [389, 3, 1, 25, 0, 62]
        )
    );
    assert!(!found[0].is_error);
    assert!(found[1].is_error);
}

#[test]
fn percona() {
    let found = entries(PERCONA);
    assert_eq!(found.len(), 2);
    assert_eq!(
        shown(&found[0]),
        (
            ["app", "web1", "shop", "UPDATE t SET a = 1\nWHERE id = 5"],
            [250_000, 100, 0, 1, 1, 52]
        )
    );
    assert_eq!(shown(&found[1]).0, ["app", "web1", "other", "SELECT 5"]);
    assert!(found[1].is_error);
}

#[test]
fn mariadb() {
    let found = entries(MARIADB);
    assert_eq!(found.len(), 3);
    assert_eq!(
        shown(&found[0]),
        (
            ["root", "localhost", "shop", "SELECT * FROM t"],
            [2_000_001, 7, 10, 1_000, 0, 700]
        )
    );
    // The local time is not exact, the timestamp is.
    assert_eq!(found[0].at, Some(1_704_164_645_000_000));
    assert_eq!(shown(&found[1]).0, ["root", "localhost", "", "SELECT 3"]);
    assert_eq!(found[2].at, Some(1_704_164_646_000_000));
}

#[test]
fn times() {
    for (written, micros) in [
        ("1970-01-01T00:00:00.000000Z", Some(Stamp::Exact(0))),
        (
            "2024-02-29T12:00:00.5Z",
            Some(Stamp::Exact(1_709_208_000_500_000)),
        ),
        (
            "2024-01-02T05:04:05+02:00",
            Some(Stamp::Exact(1_704_164_645_000_000)),
        ),
        ("240102  3:04:05", Some(Stamp::Local(1_704_164_645_000_000))),
        ("240102 03:04:05", Some(Stamp::Local(1_704_164_645_000_000))),
        ("2024-13-01T00:00:00Z", None),
        ("noon", None),
        ("", None),
    ] {
        assert_eq!(stamp(written.as_bytes()), micros, "{written}");
    }
}

fn profile(logs: &[&[u8]], options: &Options) -> Profile {
    let folder = tempfile::tempdir().unwrap();
    let mut sources = Vec::new();
    for (i, log) in logs.iter().enumerate() {
        let path = folder.path().join(i.to_string());
        std::fs::write(&path, log).unwrap();
        sources.push(Source::File(path));
    }
    let mut profile = read(&sources, options, &mut |_| true).unwrap();
    // The folder's name differs from one call to the next.
    profile.sources.clear();
    for fault in &mut profile.faults {
        fault.source.clear();
    }
    profile
}

#[test]
fn malformed_entries_are_counted_and_shown_with_their_line() {
    let log = format!(
        "garbage\n{MYSQL}# Time: 2024-01-02T03:05:00Z\n# User@Host: a[a] @ b []\n# Query_time: soon\n\
         SELECT 1;\n# User@Host: a[a] @ b []\n# Query_time: 1 Lock_time: 0\n"
    );
    let found = profile(&[log.as_bytes()], &Options::default());
    assert_eq!((found.entries, found.malformed), (5, 3));
    let lines: Vec<(u64, &str)> = found.faults.iter().map(|f| (f.line, f.reason)).collect();
    let after = 2 + u64::try_from(MYSQL.lines().count()).unwrap();
    assert_eq!(
        lines,
        [
            (1, "no entry starts here"),
            (after, "the entry has no query time"),
            (after + 4, "the entry has no statement"),
        ]
    );
}

#[test]
fn filters_the_cap_and_gzip() {
    let all = profile(&[MYSQL.as_bytes(), PERCONA.as_bytes()], &Options::default());
    assert_eq!((all.entries, all.malformed), (7, 0));
    let only = Options {
        schema: Some("shop".to_owned()),
        user: Some("app".to_owned()),
        ..Options::default()
    };
    let some = profile(&[MYSQL.as_bytes(), PERCONA.as_bytes()], &only);
    assert_eq!(some.entries + some.filtered, 7);
    assert!(some.entries >= 3 && some.filtered >= 2);
    let late = Options {
        since: all.window.map(|(_, last)| last),
        ..Options::default()
    };
    assert!(profile(&[MYSQL.as_bytes(), PERCONA.as_bytes()], &late).entries >= 1);
    let capped = Options {
        max_classes: 2,
        ..Options::default()
    };
    let capped = profile(&[MYSQL.as_bytes(), PERCONA.as_bytes()], &capped);
    assert_eq!(capped.classes.len(), 2);
    assert_eq!(capped.time(), all.time());
    assert_eq!(
        usize::try_from(capped.folded).unwrap() + 2,
        all.classes.len()
    );
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(MYSQL.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let unpacked = profile(&[&packed], &Options::default());
    assert_eq!(unpacked, profile(&[MYSQL.as_bytes()], &Options::default()));
    // Cut in the middle, it is read as far as it goes.
    let cut = profile(&[&packed[..packed.len() / 2]], &Options::default());
    assert!(cut.entries <= 5);
}

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let lines = prop::sample::select(vec![
        "# Time: 2024-01-02T03:04:05.123456Z\n",
        "# Time: 240102  3:04:05\n",
        "# Time: never\n",
        "# User@Host: app[app] @ web1 []  Id: 5\n",
        "# User@Host: root[root] @  [10.0.0.1]\n",
        "# Query_time: 0.5  Lock_time: 0.000001 Rows_sent: 1  Rows_examined: 10\n",
        "# Query_time: x\n",
        "# Thread_id: 5  Schema:  QC_hit: No\n",
        "# Schema: s  Last_errno: 7\n",
        "# administrator command: Quit;\n",
        "#\n",
        "# a comment\n",
        "use one;\n",
        "use `two`;\n",
        "SET timestamp=1700000000;\n",
        "SELECT 1;\n",
        "SELECT a FROM t\nWHERE b IN (1, 2);\n",
        "\n",
        "mysqld, Version: 9. started with:\nTcp port: 1\nTime                 Id Command    Argument\n",
    ]);
    let line = prop_oneof![
        9 => lines.prop_map(|line| line.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..12),
    ];
    prop::collection::vec(line, 0..60).prop_map(|lines| lines.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_bytes_can_be_read(log in prop::collection::vec(any::<u8>(), 0..400)) {
        items(&log);
        let _ = crate::sql::fingerprint::fingerprint(&log);
    }

    #[test]
    fn where_the_log_is_cut_does_not_matter(log in pieces(), block in 1_usize..200) {
        let whole = profile(&[&log], &Options { threads: 1, ..Options::default() });
        let parts = profile(&[&log], &Options { block, threads: 2, ..Options::default() });
        prop_assert_eq!(whole, parts);
    }
}
