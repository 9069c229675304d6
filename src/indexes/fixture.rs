//! A small shop, for the tests of what looks at definitions beside a catalog.

use super::definition::Definition;
use super::files::{self, Entry};
use super::ledger::Row;
use super::reconcile::{Direction, Stage};
use crate::model::ledger::State;
use crate::model::schema::{Catalog, Column, ForeignKey, Index, KeyPart, Table, TableName};

pub(super) fn column(name: &str, full_type: &str) -> Column {
    let data_type = full_type.split(['(', ' ']).next().unwrap().to_owned();
    let chars: Option<u64> = full_type
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'))
        .and_then(|(number, _)| number.parse().ok())
        .filter(|_| data_type.contains("char"));
    Column {
        name: name.to_owned(),
        full_type: full_type.to_owned(),
        is_nullable: false,
        max_chars: chars,
        max_bytes: chars.map(|chars| chars * 4),
        collation: (data_type.contains("char") || data_type.contains("text"))
            .then(|| "utf8mb4_0900_ai_ci".to_owned()),
        is_auto_increment: false,
        generated: None,
        data_type,
    }
}

pub(super) fn table(name: &str, columns: &[(&str, &str)], indexes: &[(&str, &[&str])]) -> Table {
    let btree = |(name, parts): &(&str, &[&str])| Index {
        is_unique: *name == "PRIMARY",
        ..Index::btree(
            *name,
            parts.iter().map(|part| KeyPart::column(*part)).collect(),
        )
    };
    Table {
        name: TableName::new("shop", name),
        engine: "InnoDB".to_owned(),
        columns: columns
            .iter()
            .map(|(name, kind)| column(name, kind))
            .collect(),
        indexes: indexes.iter().map(btree).collect(),
        foreign_keys: Vec::new(),
        rows: 100_000,
        data_bytes: 20 << 20,
        index_bytes: 4 << 20,
        partitioning: None,
        create: String::new(),
    }
}

pub(super) fn catalog() -> Catalog {
    let customers = table(
        "customers",
        &[("id", "bigint"), ("email", "varchar(255)")],
        &[("PRIMARY", &["id"]), ("email", &["email"])],
    );
    let mut orders = table(
        "orders",
        &[
            ("id", "bigint"),
            ("customer_id", "bigint"),
            ("state", "varchar(20)"),
            ("made", "datetime"),
            ("note", "text"),
            ("doc", "json"),
            ("long_a", "varchar(500)"),
            ("long_b", "varchar(500)"),
            ("kind", "enum('a','b')"),
        ],
        &[
            ("PRIMARY", &["id"]),
            ("customer", &["customer_id"]),
            ("made_state", &["made", "state"]),
        ],
    );
    orders.foreign_keys = vec![foreign_key("orders_customer", "customer_id", "customers")];
    let mut lines = table(
        "lines",
        &[("id", "bigint"), ("order_id", "bigint"), ("amount", "int")],
        &[("PRIMARY", &["id"]), ("order_id", &["order_id"])],
    );
    lines.foreign_keys = vec![foreign_key("lines_order", "order_id", "orders")];
    let notes = table(
        "notes",
        &[("id", "bigint"), ("text", "text")],
        &[("PRIMARY", &["id"])],
    );
    Catalog {
        version: "9.7.4".to_owned(),
        folds_case: false,
        tables: [customers, orders, lines, notes]
            .into_iter()
            .map(|table| (table.name.clone(), table))
            .collect(),
        ..Catalog::default()
    }
}

fn foreign_key(name: &str, column: &str, parent: &str) -> ForeignKey {
    ForeignKey {
        name: name.to_owned(),
        columns: vec![column.to_owned()],
        parent: TableName::new("shop", parent),
        parent_columns: vec!["id".to_owned()],
    }
}

pub(super) fn toml(action: &str, index: &str, columns: &str) -> String {
    format!(
        "table = \"orders\"\naction = \"{action}\"\nindex = \"{index}\"\ncolumns = {columns}\n\
         reason = \"wanted\"\n"
    )
}

pub(super) fn definition(action: &str, index: &str, columns: &str) -> Definition {
    Definition::parse("f.toml", &toml(action, index, columns)).unwrap()
}

/// Entries of files that hold these texts, numbered from 1.
pub(super) fn entries(texts: &[String]) -> Vec<Entry> {
    let files = texts
        .iter()
        .enumerate()
        .map(|(at, text)| (format!("{:04}_x.toml", at + 1), text.clone()))
        .collect();
    let (entries, mistakes) = files::entries("indexes", files);
    assert_eq!(mistakes, []);
    entries
}

/// The ledger's row of an entry.
pub(super) fn row(entry: &Entry, state: State) -> Row {
    Row {
        version: entry.version,
        name: entry.name.clone(),
        action: entry.definition.action,
        table: entry.definition.table_name("shop"),
        index: entry.definition.index.name.clone(),
        checksum: entry.definition.checksum(),
        definition: entry.definition.to_toml(),
        before: None,
        before_line: None,
        before_column: None,
        state,
        stage: Stage::Done,
        direction: Direction::Up,
        note: None,
        hidden: None,
        started: jiff::Timestamp::UNIX_EPOCH,
        changed: jiff::Timestamp::UNIX_EPOCH,
        account: "root@localhost".to_owned(),
        mydex_version: "0.1.0".to_owned(),
        attempts: 1,
        error: None,
    }
}
