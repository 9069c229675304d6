//! The fields of the JSON, as `docs/schemas/index-report.json` describes them.

use serde::Serialize;

use crate::cli::advise::json::IndexJson;
use crate::cli::report::shared::{CostJson, FindingJson};

/// The whole report.
#[derive(Debug, Clone, Serialize)]
pub(in crate::cli::report) struct IndexReportJson {
    pub(super) schema_version: u32,
    pub(super) mydex_version: &'static str,
    pub(super) server: String,
    pub(super) server_version: String,
    pub(super) schemas: Vec<String>,
    pub(super) read_at: String,
    pub(super) window_seconds: Option<f64>,
    pub(super) summary: SummaryJson,
    pub(super) attention: Vec<FindingJson>,
    pub(super) indexes: Vec<InventoryJson>,
    pub(super) tables: Vec<TableJson>,
    pub(super) recommendations: Vec<RecommendationJson>,
    pub(super) definitions: Vec<DefinitionJson>,
    pub(super) notes: Vec<String>,
    pub(super) cost: CostJson,
}

/// The inventory in figures.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SummaryJson {
    pub(super) tables: usize,
    pub(super) secondary_indexes: usize,
    pub(super) data_bytes: u64,
    pub(super) secondary_bytes: u64,
    pub(super) droppable: usize,
    pub(super) droppable_bytes: u64,
    pub(super) unused: usize,
    pub(super) duplicate: usize,
    pub(super) redundant: usize,
    pub(super) invisible: usize,
    pub(super) foreign_keys_without_index: usize,
    pub(super) tables_without_primary_key: usize,
    pub(super) pending_definitions: usize,
    pub(super) open_definitions: usize,
}

/// One index.
#[derive(Debug, Clone, Serialize)]
pub(super) struct InventoryJson {
    pub(super) schema: String,
    pub(super) table: String,
    pub(super) index: IndexJson,
    pub(super) is_primary: bool,
    pub(super) distinct: Option<u64>,
    pub(super) bytes: Option<u64>,
    pub(super) rows_read: Option<u64>,
    pub(super) rows_written: Option<u64>,
    pub(super) window_seconds: Option<f64>,
    pub(super) fate: &'static str,
    pub(super) because: Option<String>,
    pub(super) reason: String,
    pub(super) ddl: Vec<String>,
    pub(super) undo: Vec<String>,
    pub(super) definition: Option<u32>,
}

/// One table.
#[derive(Debug, Clone, Serialize)]
pub(super) struct TableJson {
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) engine: String,
    pub(super) rows: u64,
    pub(super) data_bytes: u64,
    pub(super) index_bytes: u64,
    pub(super) foreign_keys_without_index: Vec<MissingJson>,
}

/// A foreign key without an index.
#[derive(Debug, Clone, Serialize)]
pub(super) struct MissingJson {
    pub(super) constraint: String,
    pub(super) columns: Vec<String>,
    pub(super) parent_schema: String,
    pub(super) parent_table: String,
    pub(super) parent_columns: Vec<String>,
    pub(super) ddl: String,
}

/// One recommendation.
#[derive(Debug, Clone, Serialize)]
pub(super) struct RecommendationJson {
    pub(super) definition: Option<u32>,
    pub(super) source: String,
    pub(super) action: &'static str,
    pub(super) schema: String,
    pub(super) table: String,
    pub(super) index: IndexJson,
    pub(super) reason: String,
    pub(super) evidence: Vec<EvidenceJson>,
    pub(super) ddl: Vec<String>,
    pub(super) undo: Vec<String>,
    pub(super) lock: &'static str,
    pub(super) bytes: Option<u64>,
    pub(super) is_proven: bool,
}

/// One thing that speaks for a recommendation.
#[derive(Debug, Clone, Serialize)]
pub(super) struct EvidenceJson {
    pub(super) name: String,
    pub(super) value: String,
}

/// Where a definition stands.
#[derive(Debug, Clone, Serialize)]
pub(super) struct DefinitionJson {
    pub(super) version: u32,
    pub(super) name: String,
    pub(super) file: Option<String>,
    pub(super) action: &'static str,
    pub(super) schema: String,
    pub(super) table: String,
    pub(super) index: String,
    pub(super) state: &'static str,
    pub(super) changed_at: Option<String>,
    pub(super) problems: Vec<String>,
}
