use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::*;
use crate::cli::published::{check, refuses};
use crate::model::advice::{Action, fixture};
use crate::model::inventory::Inventory;
use crate::model::ledger::State;
use crate::model::review::Verdict;
use crate::model::schema::{ForeignKey, Index, KeyPart, TableName};
use crate::model::usage::Counts;
use crate::report::cost::Cost;

const FILE: &str = "index-report.json";

fn facts(fate: Fate) -> IndexFacts {
    IndexFacts {
        verdict: Verdict {
            table: TableName::new("shop", fixture::HOSTILE),
            index: Index {
                cardinality: vec![Some(7)],
                bytes: Some(16_384),
                ..Index::btree(fixture::HOSTILE, vec![KeyPart::column("state")])
            },
            fate,
            reason: "because".to_owned(),
            ddl: vec!["DROP".to_owned()],
            undo: vec!["ADD".to_owned()],
        },
        usage: Some(Counts {
            reads: 3,
            writes: 4,
        }),
        window: Some(std::time::Duration::from_hours(50)),
        definition: Some(7),
    }
}

fn inventory() -> Inventory {
    let table = TableName::new("shop", "orders");
    Inventory {
        server: "db1".to_owned(),
        version: "9.7.4".to_owned(),
        at: Timestamp::UNIX_EPOCH,
        window: Some(Duration::from_mins(2)),
        tables: vec![TableFacts {
            name: table.clone(),
            engine: "InnoDB".to_owned(),
            rows: 1,
            data_bytes: 2,
            index_bytes: 3,
            unsupported: vec![(
                ForeignKey {
                    name: "fk".to_owned(),
                    columns: vec!["a".to_owned()],
                    parent: table.clone(),
                    parent_columns: vec!["id".to_owned()],
                },
                "ALTER".to_owned(),
            )],
        }],
        indexes: vec![
            facts(Fate::Unused),
            facts(Fate::Duplicate("x".to_owned())),
            facts(Fate::Redundant("y".to_owned())),
            facts(Fate::Required(Required::Unique)),
            facts(Fate::Keep),
        ],
        definitions: vec![DefinitionState {
            said: None,
            version: 1,
            name: "one".to_owned(),
            file: None,
            table,
            index: "i".to_owned(),
            action: Action::Create,
            state: State::Soaking,
            changed: Some(Timestamp::UNIX_EPOCH),
            problems: vec!["p".to_owned()],
        }],
        notes: vec!["n".to_owned()],
    }
}

fn json() -> Value {
    let proposal = Proposal {
        definition: None,
        source: "advice for db1".to_owned(),
        action: Action::Drop,
        table: TableName::new("shop", "orders"),
        index: Index::btree("i", vec![KeyPart::column("a")]),
        reason: String::new(),
        evidence: vec![("a".to_owned(), "b".to_owned())],
        ddl: Vec::new(),
        undo: Vec::new(),
        lock: LockLevel::Shared,
        bytes: None,
        is_proven: false,
    };
    let subject = Subject {
        schemas: &["shop".to_owned()],
        inventory: &inventory(),
        proposals: &[proposal],
        cost: Cost::default(),
    };
    serde_json::to_value(of(&subject)).unwrap()
}

#[test]
fn the_output_is_what_the_schema_says() {
    check(FILE, &json());
}

#[test]
fn the_schema_refuses_what_is_not_so() {
    for (place, wrong) in [
        ("/schema_version", Value::from(2)),
        ("/indexes/0/fate", Value::from("bad")),
        ("/indexes/0/bytes", Value::from("16KiB")),
        ("/definitions/0/state", Value::from("done")),
        ("/summary/unused", Value::from(-1)),
    ] {
        refuses(FILE, &json(), place, wrong);
    }
}
