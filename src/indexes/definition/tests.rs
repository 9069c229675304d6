use proptest::prelude::*;

use super::*;
use crate::indexes::evidence::{Load, QueryEvidence, Unit};
use crate::model::advice::Tier;
use crate::model::schema::{IndexKind, KeyPart, Part};

const FULL: &str = r#"
# Comments are for people.
table = "orders"
schema = "shop"
action = "create"
index = "orders_state_made"
columns = ["state", { column = "made", desc = true }, { column = "note", prefix = 20 }, { expression = "lower(`email`)" }]
unique = false
visible = true
comment = "for the \"open\" orders"
reason = "finds open orders"

[evidence]
source = "digests of db1"
window_seconds = 3600
tier = "T1"
is_proven = true
unit = "seconds"
before = 725.0
after = 190.5
marginal = 480
bytes = 100_663_296

[[evidence.queries]]
name = "open orders"
fingerprint = "SELECT ?"
factor = 0.031
rows_read_before = 48001
rows_read_after = 21
"#;

fn full() -> Definition {
    Definition::parse("0001_a.toml", FULL).unwrap()
}

#[test]
fn a_definition_is_read() {
    let read = full();
    let parts = &read.index.parts;
    assert_eq!(parts.len(), 4);
    assert!(parts[1].is_descending);
    assert_eq!(parts[2].prefix, Some(20));
    assert_eq!(parts[3].what, Part::Expression("lower(`email`)".to_owned()));
    let evidence = read.evidence.unwrap();
    assert_eq!(evidence.tier, Some(Tier::Sample));
    assert_eq!(evidence.bytes, Some(96 << 20));
    assert!((evidence.load.unwrap().marginal - 480.0).abs() < 1e-9);
    assert_eq!(evidence.queries[0].rows_read, Some((48_001, 21)));
}

#[test]
fn both_directions_are_derived() {
    let mut definition = full();
    definition.index.parts.truncate(2);
    let up = "ALTER TABLE `shop`.`orders` ADD INDEX `orders_state_made` (`state`, `made` DESC) \
              COMMENT 'for the \"open\" orders', ALGORITHM=INPLACE, LOCK=NONE";
    let down = "ALTER TABLE `shop`.`orders` DROP INDEX `orders_state_made`, ALGORITHM=INPLACE, \
                LOCK=NONE";
    assert_eq!(definition.up("other"), [up]);
    assert_eq!(definition.down("other"), [down]);
    definition.action = Action::Drop;
    assert_eq!(definition.up("other"), [down]);
    assert_eq!(definition.down("other"), [up]);
    definition.schema = None;
    assert!(definition.up("other")[0].contains("`other`.`orders`"));
}

#[test]
fn a_generated_column_comes_first_and_goes_last() {
    let mut definition = full();
    definition.index.parts = vec![KeyPart::column("email_lower")];
    definition.column = Some(GeneratedColumn {
        name: "email_lower".to_owned(),
        full_type: "varchar(64)".to_owned(),
        expression: "lower(`email`)".to_owned(),
    });
    let words = |statements: Vec<String>| -> Vec<String> {
        let word = |sql: &String| sql.split(' ').skip(3).take(2).collect::<Vec<_>>().join(" ");
        statements.iter().map(word).collect()
    };
    assert_eq!(words(definition.up("x")), ["ADD COLUMN", "ADD INDEX"]);
    assert_eq!(words(definition.down("x")), ["DROP INDEX", "DROP COLUMN"]);
    assert_eq!(
        Definition::parse("f", &definition.to_toml()).unwrap(),
        definition
    );
}

#[test]
fn the_checksum_is_of_the_change_alone() {
    let checksum = full().checksum();
    assert_eq!(checksum.len(), 64);
    let other = r#"
reason = "said otherwise"
columns = [
    "state",   # first
    { desc = true, column = "made" },
    { prefix = 20, column = 'note' },
    { expression = "lower(`email`)", desc = false },
]
kind = "btree"
index = "orders_state_made"
comment = 'for the "open" orders'
action = "create"
table = "orders"
schema = "shop"
"#;
    for text in [other.to_owned(), other.replace('\n', "\r\n")] {
        assert_eq!(Definition::parse("f", &text).unwrap().checksum(), checksum);
    }
    for (from, to) in [
        ("prefix = 20", "prefix = 21"),
        ("desc = true", "desc = false"),
        ("action = \"create\"", "action = \"drop\""),
        ("schema = \"shop\"\n", ""),
        ("index = \"orders_state_made\"", "index = \"orders_state\""),
        ("kind = \"btree\"", "visible = false"),
    ] {
        let changed = other.replace(from, to);
        assert_ne!(changed, other, "{from}");
        assert_ne!(
            Definition::parse("f", &changed).unwrap().checksum(),
            checksum,
            "{from}"
        );
    }
}

/// The checksums are in ledgers: a change of the canonical form needs a new first line.
#[test]
fn the_canonical_form_stays_as_it_is() {
    insta::assert_snapshot!(full().canonical(), @r#"
    mydex index definition 1
    schema = "shop"
    table = "orders"
    action = "create"
    index = "orders_state_made"
    columns = ["state", { column = "made", desc = true }, { column = "note", prefix = 20 }, { expression = "lower(`email`)" }]
    kind = "btree"
    unique = false
    visible = true
    comment = "for the \"open\" orders"
    "#);
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = r#"
tabel = "orders"
schema = ""
action = "creat"
index = "PRIMARY"
columns = ["state", { column = "a", expression = "b" }, { expression = "a) , DROP COLUMN (b" }, "state", { column = "c", prefix = 0 }, 7]
kind = "btree "
unique = "yes"
visible 
parser = "ngram"

[generated_column]
name = "x"
type = "int, DROP COLUMN y"
expresion = "y"

[evidence]
before = nan
tier = "T9"
bytes = -1

[[evidence.queries]]
name = "x"
"#;
    let mistakes = Definition::parse("indexes/0001_a.toml", text).unwrap_err();
    let told: Vec<String> = mistakes.all().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn nothing_at_all_names_what_is_needed() {
    let mistakes = Definition::parse("f", "").unwrap_err();
    let keys: Vec<&str> = mistakes.all().iter().map(|one| one.key.as_str()).collect();
    for key in ["table", "action", "index", "columns"] {
        assert!(keys.contains(&key), "{keys:?}");
    }
}

fn name() -> impl Strategy<Value = String> {
    // Everything but NUL, which no identifier has.
    "[^\\x00]{0,11}[^\\x00 ]".prop_filter("not the primary key", |name| {
        !name.eq_ignore_ascii_case("primary")
    })
}

fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(any::<char>(), 0..24).prop_map(|chars| chars.into_iter().collect())
}

fn key_part() -> impl Strategy<Value = KeyPart> {
    let column = (name(), proptest::option::of(1..=3072_u32), any::<bool>());
    let column = column.prop_map(|(name, prefix, is_descending)| KeyPart {
        what: Part::Column(name),
        prefix,
        is_descending,
    });
    let expression = ("[a-z]{1,6}", any::<bool>()).prop_map(|(name, is_descending)| KeyPart {
        what: Part::Expression(format!("lower(`{name}`)")),
        prefix: None,
        is_descending,
    });
    prop_oneof![column, expression]
}

fn number() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("finite", |number| number.is_finite())
}

fn evidence() -> impl Strategy<Value = Evidence> {
    let query = (
        text(),
        text(),
        proptest::option::of(number()),
        any::<(u64, u64)>(),
    );
    let query = query.prop_map(|(name, fingerprint, factor, rows)| QueryEvidence {
        name,
        fingerprint,
        factor,
        rows_read: Some((rows.0 >> 1, rows.1 >> 1)),
        ..QueryEvidence::default()
    });
    let queries = proptest::collection::vec(query, 0..3);
    (text(), number(), number(), queries).prop_map(|(source, before, after, queries)| Evidence {
        source,
        tier: Some(Tier::Replica),
        load: Some(Load {
            unit: Unit::Cost,
            before,
            after,
            marginal: 0.1,
        }),
        window_seconds: Some(before),
        queries,
        ..Evidence::default()
    })
}

fn any_definition() -> impl Strategy<Value = Definition> {
    let parts = proptest::collection::vec(key_part(), 1..6).prop_map(|parts| {
        let mut seen = std::collections::BTreeSet::new();
        let key = |part: &KeyPart| match &part.what {
            Part::Column(name) => name.to_ascii_lowercase(),
            Part::Expression(sql) => format!("({sql})"),
        };
        parts
            .into_iter()
            .filter(|part| seen.insert(key(part)))
            .collect::<Vec<_>>()
    });
    let flags = any::<(bool, bool, bool)>();
    let texts = (name(), name(), proptest::option::of(name()), text(), text());
    (parts, flags, texts, proptest::option::of(evidence())).prop_map(
        |(
            parts,
            (is_drop, is_unique, is_visible),
            (table, index, schema, comment, reason),
            evidence,
        )| {
            Definition {
                schema,
                table,
                action: if is_drop {
                    Action::Drop
                } else {
                    Action::Create
                },
                index: Index {
                    is_unique,
                    is_visible,
                    comment,
                    kind: IndexKind::BTree,
                    ..Index::btree(index, parts)
                },
                column: None,
                reason,
                evidence,
            }
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_reads_back_the_same(definition in any_definition()) {
        let toml = definition.to_toml();
        let read = Definition::parse("f", &toml);
        prop_assert_eq!(read.as_ref(), Ok(&definition), "{}", toml);
        prop_assert_eq!(definition.to_toml(), toml);
    }

    #[test]
    fn neither_line_endings_nor_comments_nor_order_change_the_checksum(definition in any_definition()) {
        let bare = Definition { evidence: None, ..definition.clone() };
        let mut lines: Vec<String> = bare.to_toml().lines().map(str::to_owned).collect();
        // Lists over several lines are kept together.
        if !lines.iter().any(|line| line.ends_with('[')) {
            lines.reverse();
        }
        let text = format!("{}\r\n", lines.join(" # why\r\n\r\n  "));
        let read = Definition::parse("f", &text).unwrap();
        prop_assert_eq!(read.checksum(), definition.checksum());
    }

    #[test]
    fn no_text_makes_the_reader_fail(text in "(?s).{0,200}") {
        let _ = Definition::parse("f", &text);
    }
}
