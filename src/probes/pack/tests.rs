use super::read::{Files, read};
use super::shipped;
use super::{Kind, ParamRef};

#[test]
fn shipped_packs_have_no_mistake() {
    for name in shipped::names() {
        let files = shipped::files(name).unwrap();
        let pack = read(&files).unwrap_or_else(|mistakes| panic!("{name}: {mistakes}"));
        assert_eq!(&*pack.name, name);
    }
}

#[test]
fn the_cmdb_pack_is_as_large_as_promised() {
    let pack = read(&shipped::files("cmdb").unwrap()).unwrap();
    assert_eq!(pack.tables.len(), 10);
    let rows: u64 = pack.tables.iter().map(|table| table.rows).sum();
    assert!((95_000..105_000).contains(&rows), "{rows}");
    assert!(pack.probes.len() >= 20);
    assert!(
        pack.probes
            .iter()
            .any(|probe| probe.kind == Kind::Write && probe.transaction)
    );
    for table in &pack.tables {
        let indexes = table.create.matches("KEY").count();
        let keys = table.uniques.len() + table.foreign_keys.len();
        assert_eq!(
            indexes, keys,
            "`{}` has an index that is no key",
            table.name
        );
    }
}

const SCHEMA: &str = "CREATE TABLE p (id CHAR(36) NOT NULL, n INT NOT NULL, PRIMARY KEY (id));
CREATE TABLE c (
  id CHAR(36) NOT NULL PRIMARY KEY, p_id CHAR(36) NULL, at DATETIME(6) NOT NULL,
  CONSTRAINT fk FOREIGN KEY (p_id) REFERENCES p (id) ON DELETE SET NULL
);";

const DATA: &str = r#"now = 2026-01-01T00:00:00Z
[[table]]
name = "p"
rows = 10
[table.columns]
id = { kind = "uuid" }
n = { kind = "uniform", min = 1, max = 9 }
[[table]]
name = "c"
rows = 100
[table.columns]
id = { kind = "uuid" }
p_id = { from = "p.id" }
at = { kind = "time", oldest = "9d" }
"#;

const PROBE: &str = r#"[[probe]]
name = "one"
description = "d"
kind = "read"
rate = 1
sql = "SELECT n FROM p WHERE id = :id"
[probe.params]
id = { from = "p.id", skew = "zipf" }
"#;

fn pack_of(schema: &str, data: &str, probe: &str) -> Files {
    let header = "name = \"small\"\ndescription = \"d\"\nversion = 1\n";
    let files = [
        ("pack.toml", header),
        ("schema.sql", schema),
        ("data.toml", data),
        ("probes/a.toml", probe),
    ];
    Files {
        files: files
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .to_vec(),
    }
}

/// The mistakes that come from replacing one text in a good pack.
#[track_caller]
fn check(what: &str, old: &str, new: &str, expected: &[&str]) {
    let change = |file: &str, text: &str| {
        if file == what {
            assert!(text.contains(old), "{old}");
            text.replace(old, new)
        } else {
            text.to_owned()
        }
    };
    let files = pack_of(
        &change("schema", SCHEMA),
        &change("data", DATA),
        &change("probe", PROBE),
    );
    let found = match read(&files) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes.0.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(found, expected);
}

#[test]
fn a_good_pack_is_read() {
    let pack = read(&pack_of(SCHEMA, DATA, PROBE)).unwrap();
    let statement = &pack.probes[0].statements[0];
    assert_eq!(&*statement.sql, "SELECT n FROM p WHERE id = ?");
    assert_eq!(statement.params, [ParamRef { param: 0, row: 0 }]);
    assert!(statement.returns_rows);
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn mistakes_in_probes() {
    let file = "probes/a.toml";
    for (old, new, expected) in [
        (
            ":id",
            ":idd",
            vec![
                format!("{file}:6:35: probe `one`: `:idd` is no parameter; did you mean `id`?"),
                format!("{file}:8:1: probe `one`: no statement uses the parameter `id`"),
            ],
        ),
        (
            "rate = 1",
            "rate = -1",
            vec![format!(
                "{file}:5:8: probe `one`: `rate` must be a number from 0 to 1000000, not `-1`"
            )],
        ),
        (
            "rate = 1",
            "rate = 1\nslo = { quantile = 95, limit = \"fast\" }\nwieght = 2",
            vec![
                format!(
                    "{file}:6:20: probe `one`, slo: `quantile` must be a number from 0.5 to 1, \
                     not `95`"
                ),
                format!(
                    "{file}:6:32: probe `one`, slo: `limit` must be a duration such as \"250ms\" \
                     or \"7d\", not `\"fast\"`"
                ),
                format!("{file}:7:1: probe `one`: unknown key `wieght`; did you mean `weight`?"),
            ],
        ),
        (
            "SELECT n FROM p WHERE id = :id",
            "SELECT n FORM p WHERE id = :id",
            vec![format!(
                "{file}:6:22: probe `one`: this is not valid SQL: Expected: end of statement, \
                 found: p; when MySQL does take it, add `unchecked = true`"
            )],
        ),
        (
            "p.id",
            "q.id",
            vec![format!(
                "{file}:8:15: probe `one`, parameter `id`: unknown table `q`; did you mean `c`?"
            )],
        ),
        (
            "p.id",
            "p.idx",
            vec![format!(
                "{file}:8:15: probe `one`, parameter `id`: table `p` has no column `idx`; did you \
                 mean `id`?"
            )],
        ),
        (
            "SELECT n FROM p WHERE id = :id",
            "DELETE FROM p WHERE id = :id",
            vec![format!(
                "{file}:6:7: probe `one`: the statement writes, and the probe's kind is `read`"
            )],
        ),
        (
            "id = :id",
            "id = :id AND n = ?",
            vec![format!(
                "{file}:6:47: probe `one`: write a named placeholder instead of `?`"
            )],
        ),
    ] {
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check("probe", old, new, &expected);
    }
}

#[test]
fn mistakes_in_data() {
    for (old, new, expected) in [
        (
            "id = { kind = \"uuid\" }\nn",
            "id = { kind = \"hex\", digits = 8 }\nn",
            "data.toml:2:1: `p` has a unique key over `id`, and nothing makes its values unique; \
             use `uuid`, `sequence`, `hex` of 16 digits, a template with `{#}`, or a `subnetwork` \
             of the parent in the key",
        ),
        (
            "{ from = \"p.id\" }",
            "{ kind = \"uuid\" }",
            "data.toml:8:1: `c.p_id` is a foreign key; it must be drawn with `from` or `child_of` \
             from `p`",
        ),
        (
            "oldest = \"9d\"",
            "after = \"at\"",
            "data.toml:1:1: the value of `c.at` depends on itself",
        ),
        (
            "n = { kind = \"uniform\", min = 1, max = 9 }\n",
            "",
            "data.toml:2:1: `p.n` needs a generator",
        ),
        (
            "kind = \"uniform\"",
            "null = 0.5, kind = \"uniform\"",
            "data.toml:7:1: `p.n` is NOT NULL and can have no `null`",
        ),
        (
            "\"uniform\"",
            "\"unifrom\"",
            "data.toml:7:14: column `p.n`: unknown kind `unifrom`; did you mean `uniform`?",
        ),
    ] {
        let found = read(&pack_of(SCHEMA, &DATA.replace(old, new), PROBE)).unwrap_err();
        assert!(
            found
                .0
                .iter()
                .any(|mistake| mistake.to_string() == expected),
            "expected {expected}\n found {found}"
        );
    }
}

#[test]
fn mistakes_in_the_schema_and_missing_files() {
    check(
        "schema",
        "REFERENCES p",
        "REFERENCES pp",
        &["schema.sql:2:1: table `c`: foreign key to unknown table `pp`; did you mean `p`?"],
    );
    let empty = read(&Files::default()).unwrap_err();
    let found: Vec<String> = empty.0.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "data.toml:1:1: the file is missing",
            "pack.toml:1:1: the file is missing",
            "probes/:1:1: there is no probe file",
            "schema.sql:1:1: the file is missing",
        ]
    );
}

#[test]
fn batches_lists_and_repetitions_refer_to_rows() {
    let probe = r#"[[probe]]
name = "w"
description = "d"
kind = "write"
rate = 1
[[probe.statement]]
sql = "INSERT INTO p (id, n) VALUES (:id, 1)"
batch = 3
[[probe.statement]]
sql = "DELETE FROM p WHERE id IN (:ids)"
[[probe.statement]]
sql = "UPDATE p SET n = 2 WHERE id = :id"
repeat = 2
[probe.params]
id = { kind = "uuid" }
ids = { from = "p.id", list = 2 }
"#;
    let pack = read(&pack_of(SCHEMA, DATA, probe)).unwrap();
    let probe = &pack.probes[0];
    assert_eq!(probe.width, 3);
    assert!(
        probe.transaction,
        "several writing statements are a transaction"
    );
    let shown: Vec<(&str, Vec<(usize, u32)>)> = probe
        .statements
        .iter()
        .map(|s| {
            (
                &*s.sql,
                s.params.iter().map(|at| (at.param, at.row)).collect(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (
                "INSERT INTO p (id, n) VALUES (?, 1), (?, 1), (?, 1)",
                vec![(0, 0), (0, 1), (0, 2)]
            ),
            ("DELETE FROM p WHERE id IN (?, ?)", vec![(1, 0), (1, 1)]),
            ("UPDATE p SET n = 2 WHERE id = ?", vec![(0, 0)]),
            ("UPDATE p SET n = 2 WHERE id = ?", vec![(0, 1)]),
        ]
    );
}
