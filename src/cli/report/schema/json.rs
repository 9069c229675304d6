//! The schema document for programs: field names are stable and carry their units.
//! `docs/schemas/schema-report.json` describes it.

use serde::Serialize;

use crate::cli::advise::json::IndexJson;
use crate::cli::report::shared::{CostJson, described};
use crate::model::schema::{Column, ForeignKey, Table};
use crate::report::schema::Subject;

/// Raised when a field changes its meaning or goes away; new fields do not raise it.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// The whole document.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SchemaReportJson {
    schema_version: u32,
    mydex_version: &'static str,
    server: String,
    server_version: String,
    schemas: Vec<String>,
    read_at: String,
    tables: Vec<TableJson>,
    views: Vec<ViewJson>,
    notes: Vec<String>,
    cost: CostJson,
}

/// One table.
#[derive(Debug, Clone, Serialize)]
struct TableJson {
    schema: String,
    name: String,
    engine: String,
    rows: u64,
    data_bytes: u64,
    index_bytes: u64,
    partitioning: Option<String>,
    columns: Vec<ColumnJson>,
    indexes: Vec<SizedJson>,
    foreign_keys: Vec<KeyJson>,
}

/// One column.
#[derive(Debug, Clone, Serialize)]
struct ColumnJson {
    name: String,
    full_type: String,
    is_nullable: bool,
    collation: Option<String>,
    is_auto_increment: bool,
    generated: Option<String>,
    is_stored: bool,
}

/// One index with its figures.
#[derive(Debug, Clone, Serialize)]
struct SizedJson {
    #[serde(flatten)]
    index: IndexJson,
    distinct: Option<u64>,
    bytes: Option<u64>,
}

/// One foreign key.
#[derive(Debug, Clone, Serialize)]
struct KeyJson {
    constraint: String,
    columns: Vec<String>,
    parent_schema: String,
    parent_table: String,
    parent_columns: Vec<String>,
}

/// One view.
#[derive(Debug, Clone, Serialize)]
struct ViewJson {
    schema: String,
    name: String,
    query: String,
}

/// The document for programs.
pub(super) fn of(subject: &Subject) -> SchemaReportJson {
    SchemaReportJson {
        schema_version: SCHEMA_VERSION,
        mydex_version: env!("CARGO_PKG_VERSION"),
        server: subject.server.to_owned(),
        server_version: subject.catalog.version.clone(),
        schemas: subject.schemas.to_vec(),
        read_at: subject.at.to_string(),
        tables: subject.catalog.tables.values().map(table).collect(),
        views: subject
            .catalog
            .views
            .values()
            .map(|view| ViewJson {
                schema: view.name.schema.clone(),
                name: view.name.name.clone(),
                query: view.query.clone(),
            })
            .collect(),
        notes: subject.notes.to_vec(),
        cost: CostJson::new(subject.cost),
    }
}

fn table(table: &Table) -> TableJson {
    TableJson {
        schema: table.name.schema.clone(),
        name: table.name.name.clone(),
        engine: table.engine.clone(),
        rows: table.rows,
        data_bytes: table.data_bytes,
        index_bytes: table.index_bytes,
        partitioning: table.partitioning.clone(),
        columns: table.columns.iter().map(column).collect(),
        indexes: table
            .indexes
            .iter()
            .map(|index| SizedJson {
                index: described(index),
                distinct: index.cardinality.last().copied().flatten(),
                bytes: index.bytes,
            })
            .collect(),
        foreign_keys: table.foreign_keys.iter().map(key).collect(),
    }
}

fn column(column: &Column) -> ColumnJson {
    let generated = column.generated.as_ref();
    ColumnJson {
        name: column.name.clone(),
        full_type: column.full_type.clone(),
        is_nullable: column.is_nullable,
        collation: column.collation.clone(),
        is_auto_increment: column.is_auto_increment,
        generated: generated.map(|one| one.expression.clone()),
        is_stored: generated.is_some_and(|one| one.is_stored),
    }
}

fn key(key: &ForeignKey) -> KeyJson {
    KeyJson {
        constraint: key.name.clone(),
        columns: key.columns.clone(),
        parent_schema: key.parent.schema.clone(),
        parent_table: key.parent.name.clone(),
        parent_columns: key.parent_columns.clone(),
    }
}

#[cfg(test)]
mod tests;
