use jiff::Timestamp;
use serde_json::Value;

use super::*;
use crate::cli::published::{check, refuses};
use crate::model::schema::{Catalog, Generated, Index, KeyPart, TableName, View};
use crate::report::cost::Cost;

const FILE: &str = "schema-report.json";

fn catalog() -> Catalog {
    let name = TableName::new("shop", "orders");
    let generated = Generated {
        expression: "lower(`a`)".to_owned(),
        is_stored: true,
    };
    let column = Column {
        name: "a".to_owned(),
        data_type: "varchar".to_owned(),
        full_type: "varchar(8)".to_owned(),
        is_nullable: true,
        max_chars: Some(8),
        max_bytes: Some(32),
        collation: Some("utf8mb4_bin".to_owned()),
        is_auto_increment: false,
        generated: Some(generated),
    };
    let table = Table {
        name: name.clone(),
        engine: "InnoDB".to_owned(),
        columns: vec![column],
        indexes: vec![Index::btree("i", vec![KeyPart::column("a")])],
        foreign_keys: vec![ForeignKey {
            name: "fk".to_owned(),
            columns: vec!["a".to_owned()],
            parent: name.clone(),
            parent_columns: vec!["b".to_owned()],
        }],
        rows: 1,
        data_bytes: 2,
        index_bytes: 3,
        partitioning: Some("HASH (`a`)".to_owned()),
        create: String::new(),
    };
    let view = View {
        name: TableName::new("shop", "v"),
        query: "select 1".to_owned(),
    };
    Catalog {
        version: "9.7.4".to_owned(),
        tables: [(name, table)].into(),
        views: [(view.name.clone(), view)].into(),
        ..Catalog::default()
    }
}

fn json() -> Value {
    let subject = Subject {
        server: "db1",
        at: Timestamp::UNIX_EPOCH,
        schemas: &["shop".to_owned()],
        catalog: &catalog(),
        notes: &["n".to_owned()],
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
        ("/tables/0/rows", Value::from(-1)),
        ("/tables/0/indexes/0/kind", Value::from("tree")),
        ("/tables/0/columns/0/is_nullable", Value::Null),
    ] {
        refuses(FILE, &json(), place, wrong);
    }
}
