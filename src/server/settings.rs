//! What the optimizer's answers depend on besides schema and data: variables, cost constants,
//! histograms.

use std::collections::BTreeMap;

use super::cells::Cells as _;
use super::ddl::names_tables;
use super::{Connection, Error};
use crate::model::schema::TableName;

/// Global variables that can be copied to another server.
pub const COPIED: &[&str] = &[
    "sql_mode",
    "optimizer_switch",
    "optimizer_search_depth",
    "optimizer_prune_level",
    "eq_range_index_dive_limit",
    "range_optimizer_max_mem_size",
    "optimizer_max_subgraph_pairs",
    "join_buffer_size",
    "sort_buffer_size",
    "read_rnd_buffer_size",
    "max_length_for_sort_data",
    "max_seeks_for_key",
    "tmp_table_size",
    "max_heap_table_size",
    "internal_tmp_mem_storage_engine",
    "character_set_server",
    "collation_server",
    "default_collation_for_utf8mb4",
    "time_zone",
    "div_precision_increment",
    "group_concat_max_len",
    "explicit_defaults_for_timestamp",
    "big_tables",
];

/// Variables that are fixed when a server starts or its data is made; a difference is told.
pub const FIXED: &[&str] = &["innodb_page_size", "lower_case_table_names"];

/// A cost constant, by its table (`server_cost`, `engine_cost`), engine, device type and name.
#[derive(Debug, Clone, PartialEq)]
pub struct CostConstant {
    /// It is in `mysql.engine_cost` with these; else in `mysql.server_cost`.
    pub engine: Option<(String, u64)>,
    /// Its name.
    pub name: String,
    /// Its value, where it is not the default.
    pub value: Option<f64>,
}

/// A histogram as JSON text.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// On which table.
    pub table: TableName,
    /// On which column.
    pub column: String,
    /// `HISTOGRAM` of `information_schema.COLUMN_STATISTICS`.
    pub json: String,
}

/// The settings of a server.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// `VERSION()`.
    pub version: String,
    /// `@@server_uuid`.
    pub uuid: String,
    /// Global variables of [`COPIED`] and [`FIXED`], as the server prints them.
    pub variables: BTreeMap<String, String>,
    /// Cost constants.
    pub costs: Vec<CostConstant>,
    /// Existing histograms of the tables in question.
    pub histograms: Vec<Histogram>,
    /// What could not be read, each one sentence.
    pub notes: Vec<String>,
}

/// The statements that [`read`] sends, with the rows that each can give at most.
#[must_use]
pub fn statements(tables: &[TableName]) -> Vec<(&'static str, String, u64)> {
    let names: Vec<_> = COPIED
        .iter()
        .chain(FIXED)
        .chain(&["server_uuid"])
        .map(|name| format!("'{name}'"))
        .collect();
    let histograms = names_tables(tables).replace("TABLE_SCHEMA", "SCHEMA_NAME");
    vec![
        (
            "the variables of the optimizer",
            format!(
                "SHOW GLOBAL VARIABLES WHERE Variable_name IN ({})",
                names.join(", ")
            ),
            names.len() as u64,
        ),
        (
            "the cost constants of the server",
            "SELECT cost_name, cost_value FROM mysql.server_cost LIMIT 100".to_owned(),
            100,
        ),
        (
            "the cost constants of the engines",
            "SELECT cost_name, cost_value, engine_name, device_type FROM mysql.engine_cost LIMIT 100"
                .to_owned(),
            100,
        ),
        (
            "the histograms",
            format!(
                "SELECT SCHEMA_NAME, TABLE_NAME, COLUMN_NAME, HISTOGRAM \
                 FROM information_schema.COLUMN_STATISTICS WHERE {histograms} LIMIT 2000"
            ),
            2_000,
        ),
    ]
}

/// Reads them; what the account may not see is told in the notes.
pub async fn read(connection: &mut Connection, tables: &[TableName]) -> Result<Settings, Error> {
    let mut settings = Settings {
        version: connection.version().to_owned(),
        ..Settings::default()
    };
    for (place, (what, sql, _)) in statements(tables).into_iter().enumerate() {
        let rows = match connection.rows(what, &sql).await {
            Ok(rows) => rows,
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) => {
                settings
                    .notes
                    .push(format!("{what} can't be read: {error}"));
                continue;
            }
        };
        for row in &rows {
            let text = |i| row.text(i).unwrap_or_default();
            match place {
                0 if text(0) == "server_uuid" => settings.uuid = text(1),
                0 => {
                    settings.variables.insert(text(0), text(1));
                }
                1 | 2 => settings.costs.push(CostConstant {
                    engine: (place == 2).then(|| (text(2), row.u64(3).unwrap_or(0))),
                    name: text(0),
                    value: row.str(1).and_then(|value| value.parse().ok()),
                }),
                _ => settings.histograms.push(Histogram {
                    table: TableName::new(text(0), text(1)),
                    column: text(2),
                    json: text(3),
                }),
            }
        }
    }
    Ok(settings)
}
