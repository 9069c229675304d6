//! The report of an inventory made by hand, in all forms.

use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::model::finding::Severity;
use crate::model::inventory::TableFacts;
use crate::model::ledger::{DefinitionState, State};
use crate::model::review::{Fate, Required, Verdict};
use crate::model::schema::{ForeignKey, KeyPart};
use crate::model::usage::Counts;
use crate::report::diagram::tests::HOSTILE;
use crate::report::{html, markdown, text};

fn index(table: &str, name: &str, bytes: u64, fate: Fate) -> IndexFacts {
    let index = Index {
        bytes: Some(bytes),
        cardinality: vec![Some(1_234)],
        is_unique: name == "PRIMARY",
        ..Index::btree(name, vec![KeyPart::column("state")])
    };
    let is_drop = fate.is_drop();
    IndexFacts {
        verdict: Verdict {
            table: TableName::new("shop", table),
            index,
            fate,
            reason: "because".to_owned(),
            ddl: if is_drop {
                vec![format!("HIDE {name}"), format!("DROP {name}")]
            } else {
                Vec::new()
            },
            undo: if is_drop {
                vec![format!("SHOW {name}"), format!("ADD {name}")]
            } else {
                Vec::new()
            },
        },
        usage: Some(Counts {
            reads: 0,
            writes: 12_000,
        }),
        window: Some(Duration::from_hours(26)),
        definition: None,
    }
}

fn table(name: &str) -> TableFacts {
    TableFacts {
        name: TableName::new("shop", name),
        engine: "InnoDB".to_owned(),
        rows: 5_000,
        data_bytes: 10 << 20,
        index_bytes: 6 << 20,
        unsupported: Vec::new(),
    }
}

fn inventory() -> Inventory {
    let mut hidden = index("orders", "hidden", 1 << 10, Fate::Keep);
    hidden.verdict.index.is_visible = false;
    let mut lines = table("lines");
    lines.unsupported.push((
        ForeignKey {
            name: "fk_order".to_owned(),
            columns: vec!["order_id".to_owned()],
            parent: TableName::new("shop", "orders"),
            parent_columns: vec!["id".to_owned()],
        },
        "ALTER TABLE lines ADD INDEX".to_owned(),
    ));
    Inventory {
        server: "db1".to_owned(),
        version: "9.7.4".to_owned(),
        at: Timestamp::UNIX_EPOCH,
        window: Some(Duration::from_hours(50)),
        tables: vec![lines, table("orders")],
        indexes: vec![
            index("orders", "PRIMARY", 10 << 20, Fate::Keep),
            index(
                "orders",
                "needed",
                9 << 20,
                Fate::Required(Required::Unique),
            ),
            hidden,
            index("orders", "small", 1 << 20, Fate::Unused),
            index(
                "orders",
                "large",
                3 << 20,
                Fate::Redundant("needed".to_owned()),
            ),
            index(
                "orders",
                "twin",
                2 << 20,
                Fate::Duplicate("needed".to_owned()),
            ),
        ],
        definitions: vec![DefinitionState {
            said: None,
            version: 3,
            name: "orders_state".to_owned(),
            file: Some("0003_orders_state.toml".to_owned()),
            table: TableName::new("shop", "orders"),
            index: "orders_state".to_owned(),
            action: Action::Create,
            state: State::Unfinished,
            changed: Some(Timestamp::UNIX_EPOCH),
            problems: vec!["the file was edited".to_owned()],
        }],
        notes: vec!["sizes are not known; grant SELECT".to_owned()],
    }
}

fn proposal() -> Proposal {
    Proposal {
        definition: Some(4),
        source: "0004_x.toml".to_owned(),
        action: Action::Create,
        table: TableName::new("shop", "orders"),
        index: Index::btree("orders_made", vec![KeyPart::column("made")]),
        reason: "finds new orders".to_owned(),
        evidence: vec![("lost without it".to_owned(), "12s".to_owned())],
        ddl: vec!["ALTER 1".to_owned()],
        undo: vec!["ALTER 2".to_owned()],
        lock: LockLevel::None,
        bytes: Some(4 << 20),
        is_proven: true,
    }
}

fn shown(inventory: &Inventory, proposals: &[Proposal]) -> Document {
    document(&Subject {
        schemas: &["shop".to_owned()],
        inventory,
        proposals,
        cost: Cost::default(),
    })
}

#[test]
fn the_summary_counts_what_can_go() {
    let summary = summary(&inventory());
    assert_eq!(summary.droppable(), 3);
    assert_eq!(summary.droppable_bytes, 6 << 20);
    assert_eq!(
        (summary.unused, summary.duplicate, summary.redundant),
        (1, 1, 1)
    );
    assert_eq!((summary.secondary, summary.invisible), (5, 1));
    assert_eq!(
        (summary.unsupported, summary.open, summary.pending),
        (1, 1, 0)
    );
    let without: Vec<String> = tables_without_primary_key(&inventory())
        .into_iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(without, ["shop.lines"]);
}

#[test]
fn the_worst_comes_first() {
    let inventory = inventory();
    let names: Vec<&str> = worst_first(&inventory, |_| true)
        .into_iter()
        .map(|facts| facts.verdict.index.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["large", "twin", "small", "hidden", "PRIMARY", "needed"]
    );
    let codes: Vec<(Severity, &str)> = attention(&inventory)
        .iter()
        .map(|finding| (finding.severity, finding.code))
        .collect();
    assert_eq!(
        codes,
        [
            (Severity::Problem, "definition-unfinished"),
            (Severity::Problem, "definition-problem"),
            (Severity::Problem, "foreign-key-without-index"),
            (Severity::Warning, "no-primary-key"),
            (Severity::Warning, "duplicate-indexes"),
            (Severity::Warning, "redundant-indexes"),
            (Severity::Warning, "unused-indexes"),
            (Severity::Note, "invisible-indexes"),
            (Severity::Note, "not-seen"),
        ]
    );
}

#[test]
fn the_text_says_what_to_do() {
    let text = text::render(&shown(&inventory(), &[proposal()]), None);
    for line in [
        "5 secondary indexes on 2 tables take 12.0MiB beside 20.0MiB of data. 3 of them can go and \
         would free 6.00MiB (50.0%).",
        "PROBLEM 1 foreign key has no index: each change of a parent reads the whole child table \
         [foreign-key-without-index]",
        "warning 1 index is read by nothing in 1d02h or more and takes 1.00MiB: `orders.small` \
         [unused-indexes]",
        "    HIDE large;\n      HIDE twin;\n      HIDE small;",
        "    DROP large;\n      DROP twin;\n      DROP small;",
        "    ADD large;\n      ADD twin;\n      ADD small;",
        "# 1. create orders_made on shop.orders",
        "lost without it  12s",
        "     3  orders_state  create  shop.orders  orders_state  unfinished",
    ] {
        assert!(text.contains(line), "no `{line}` in\n{text}");
    }
}

#[test]
fn what_is_not_counted_is_not_shown() {
    let mut inventory = inventory();
    inventory.window = None;
    inventory.definitions.clear();
    let text = text::render(&shown(&inventory, &[]), None);
    assert!(text.contains("reads and writes are not counted by this server"));
    assert!(!text.contains("  reads  writes"));
    assert!(!text.lines().any(|line| line.ends_with("definition")));
}

#[test]
fn a_clean_inventory_says_so() {
    let mut inventory = inventory();
    inventory.indexes.truncate(1);
    inventory.tables.remove(0);
    inventory.definitions.clear();
    inventory.notes.clear();
    let text = text::render(&shown(&inventory, &[]), None);
    assert!(text.contains("None of them can go."));
    assert!(text.contains("[nothing-to-do]"));
    let nothing = Inventory {
        indexes: Vec::new(),
        tables: Vec::new(),
        ..inventory
    };
    let text = text::render(&shown(&nothing, &[]), None);
    assert!(text.contains("There are no indexes here that this account may see."));
}

#[test]
fn statements_of_thousands_are_cut_and_counted() {
    let mut inventory = inventory();
    inventory.indexes = (0..600)
        .map(|place| index("orders", &format!("i{place}"), 1, Fate::Unused))
        .collect();
    let text = text::render(&shown(&inventory, &[]), None);
    assert_eq!(text.matches("DROP i").count(), MAX_STATEMENTS);
    assert!(text.contains("for the first 500 of 600; `--format json` has all"));
}

#[test]
fn hostile_names_stay_text_in_every_form() {
    let mut inventory = inventory();
    HOSTILE.clone_into(&mut inventory.server);
    for facts in &mut inventory.indexes {
        HOSTILE.clone_into(&mut facts.verdict.table.name);
        HOSTILE.clone_into(&mut facts.verdict.index.name);
        facts.verdict.index.parts = vec![KeyPart::column(HOSTILE)];
        facts.verdict.fate = Fate::Duplicate(HOSTILE.to_owned());
        facts.verdict.ddl = vec![HOSTILE.to_owned(), HOSTILE.to_owned()];
    }
    for one in &mut inventory.definitions {
        HOSTILE.clone_into(&mut one.name);
        one.problems = vec![HOSTILE.to_owned()];
    }
    inventory.notes = vec![HOSTILE.to_owned()];
    let mut proposal = proposal();
    HOSTILE.clone_into(&mut proposal.reason);
    HOSTILE.clone_into(&mut proposal.source);
    proposal.evidence = vec![(HOSTILE.to_owned(), HOSTILE.to_owned())];
    let document = shown(&inventory, &[proposal]);
    let page = html::render(&document);
    assert!(!page.contains("<script") && !page.contains("</text></svg>"));
    for rendered in [
        &page,
        &text::render(&document, Some(80)),
        &markdown::render(&document),
    ] {
        assert!(!rendered.contains(['\x1b', '\u{202e}']));
    }
}
