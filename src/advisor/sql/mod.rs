//! Statement texts to shapes: parsing, names against the catalog, query blocks, conditions.

mod block;
mod conditions;
mod derived;
mod dml;
mod facts;
mod known;
mod output;
mod prepare;
mod query;
mod reader;
mod refs;
mod resolve;
mod sources;
mod tree;
mod typing;
mod walk;

#[cfg(test)]
mod tests;

use super::shape::Shape;
use crate::model::schema::{Catalog, TableName};
use crate::sql::standin::Parametrized;

/// Stack for one statement: chains of operators become trees as deep as they are long. Pages of it
/// are only touched as far as they are needed.
const STACK_BYTES: usize = 512 << 20;

/// Takes a statement apart. `schema` is where unqualified names are; the error is why the text
/// can't be parsed, in one sentence.
pub fn shape(sql: &str, schema: Option<&str>, catalog: &Catalog) -> Result<Shape, String> {
    stacker::grow(STACK_BYTES, || {
        let parsed = prepare::parse(sql)?;
        let mut reader = reader::Reader::new(catalog, schema);
        reader.assigned = parsed.assigned;
        let kind = reader.statement(&parsed.statement)?;
        Ok(reader.finish(kind, &parsed.hints))
    })
}

/// Every table or view that the statement names, each once; those of a text that can't be parsed
/// are found by the words in front of them.
#[must_use]
pub fn tables(sql: &str, schema: Option<&str>) -> Vec<TableName> {
    let catalog = Catalog::default();
    let parsed = stacker::grow(STACK_BYTES, || {
        let parsed = prepare::parse(sql).ok()?;
        let mut reader = reader::Reader::new(&catalog, schema);
        reader.statement(&parsed.statement).ok()?;
        Some(reader.named)
    });
    let named = parsed.unwrap_or_else(|| {
        let found = Parametrized::of(sql).map(|text| text.tables);
        found
            .into_iter()
            .flatten()
            .filter_map(|table| {
                let schema = table.schema.or_else(|| schema.map(str::to_owned))?;
                Some(TableName::new(schema, table.name))
            })
            .collect()
    });
    let mut seen = Vec::new();
    for name in named {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}
