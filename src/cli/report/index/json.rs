//! The index report for programs: field names are stable and carry their units.
//! `docs/schemas/index-report.json` describes it.

mod form;

use form::{
    DefinitionJson, EvidenceJson, IndexReportJson, InventoryJson, MissingJson, RecommendationJson,
    SummaryJson, TableJson,
};

use super::super::shared::{CostJson, FindingJson, action, described};
use crate::model::advice::LockLevel;
use crate::model::inventory::{IndexFacts, TableFacts};
use crate::model::ledger::DefinitionState;
use crate::model::review::{Fate, Required};
use crate::report::index::{Proposal, Subject, attention, summary, worst_first};

/// Raised when a field changes its meaning or goes away; new fields do not raise it.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// The report for programs.
pub(super) fn of(subject: &Subject) -> IndexReportJson {
    let inventory = subject.inventory;
    let sum = summary(inventory);
    IndexReportJson {
        schema_version: SCHEMA_VERSION,
        mydex_version: env!("CARGO_PKG_VERSION"),
        server: inventory.server.clone(),
        server_version: inventory.version.clone(),
        schemas: subject.schemas.to_vec(),
        read_at: inventory.at.to_string(),
        window_seconds: inventory.window.map(|window| window.as_secs_f64()),
        summary: SummaryJson {
            tables: inventory.tables.len(),
            secondary_indexes: sum.secondary,
            data_bytes: sum.data_bytes,
            secondary_bytes: sum.secondary_bytes,
            droppable: sum.droppable(),
            droppable_bytes: sum.droppable_bytes,
            unused: sum.unused,
            duplicate: sum.duplicate,
            redundant: sum.redundant,
            invisible: sum.invisible,
            foreign_keys_without_index: sum.unsupported,
            tables_without_primary_key: sum.without_primary_key,
            pending_definitions: sum.pending,
            open_definitions: sum.open,
        },
        attention: attention(inventory).iter().map(FindingJson::new).collect(),
        indexes: worst_first(inventory, |_| true)
            .into_iter()
            .map(index)
            .collect(),
        tables: inventory.tables.iter().map(table).collect(),
        recommendations: subject.proposals.iter().map(recommendation).collect(),
        definitions: inventory.definitions.iter().map(definition).collect(),
        notes: inventory.notes.clone(),
        cost: CostJson::new(subject.cost),
    }
}

fn index(facts: &IndexFacts) -> InventoryJson {
    let verdict = &facts.verdict;
    let (fate, because) = fate(&verdict.fate);
    InventoryJson {
        schema: verdict.table.schema.clone(),
        table: verdict.table.name.clone(),
        index: described(&verdict.index),
        is_primary: verdict.index.is_primary(),
        distinct: verdict.index.cardinality.last().copied().flatten(),
        bytes: verdict.index.bytes,
        rows_read: facts.usage.map(|counts| counts.reads),
        rows_written: facts.usage.map(|counts| counts.writes),
        window_seconds: facts.window.map(|window| window.as_secs_f64()),
        fate,
        because,
        reason: verdict.reason.clone(),
        ddl: verdict.ddl.clone(),
        undo: verdict.undo.clone(),
        definition: facts.definition,
    }
}

/// The fate in one word, and what decides it: another index, or what needs this one.
fn fate(fate: &Fate) -> (&'static str, Option<String>) {
    match fate {
        Fate::Unused => ("unused", None),
        Fate::Duplicate(other) => ("duplicate", Some(other.clone())),
        Fate::Redundant(other) => ("redundant", Some(other.clone())),
        Fate::Keep => ("keep", None),
        Fate::Required(required) => {
            let what = match required {
                Required::ImplicitPrimaryKey => "implicit_primary_key",
                Required::Unique => "unique",
                Required::ForeignKeyChild => "foreign_key_child",
                Required::ForeignKeyParent => "foreign_key_parent",
                Required::Hint => "hint",
                Required::AutoIncrement => "auto_increment",
            };
            ("required", Some(what.to_owned()))
        }
    }
}

fn table(facts: &TableFacts) -> TableJson {
    TableJson {
        schema: facts.name.schema.clone(),
        name: facts.name.name.clone(),
        engine: facts.engine.clone(),
        rows: facts.rows,
        data_bytes: facts.data_bytes,
        index_bytes: facts.index_bytes,
        foreign_keys_without_index: facts
            .unsupported
            .iter()
            .map(|(key, ddl)| MissingJson {
                constraint: key.name.clone(),
                columns: key.columns.clone(),
                parent_schema: key.parent.schema.clone(),
                parent_table: key.parent.name.clone(),
                parent_columns: key.parent_columns.clone(),
                ddl: ddl.clone(),
            })
            .collect(),
    }
}

fn recommendation(one: &Proposal) -> RecommendationJson {
    RecommendationJson {
        definition: one.definition,
        source: one.source.clone(),
        action: action(one.action),
        schema: one.table.schema.clone(),
        table: one.table.name.clone(),
        index: described(&one.index),
        reason: one.reason.clone(),
        evidence: one
            .evidence
            .iter()
            .map(|(name, value)| EvidenceJson {
                name: name.clone(),
                value: value.clone(),
            })
            .collect(),
        ddl: one.ddl.clone(),
        undo: one.undo.clone(),
        lock: match one.lock {
            LockLevel::None => "none",
            LockLevel::Shared => "shared",
            LockLevel::Exclusive => "exclusive",
        },
        bytes: one.bytes,
        is_proven: one.is_proven,
    }
}

fn definition(one: &DefinitionState) -> DefinitionJson {
    DefinitionJson {
        version: one.version,
        name: one.name.clone(),
        file: one.file.clone(),
        action: action(one.action),
        schema: one.table.schema.clone(),
        table: one.table.name.clone(),
        index: one.index.clone(),
        state: one.state.word(),
        changed_at: one.changed.map(|changed| changed.to_string()),
        problems: one.problems.clone(),
    }
}

#[cfg(test)]
mod tests;
