//! Advice from a file that `mydex advise --format json` wrote, as recommendations.

use std::path::Path;

use serde::Deserialize;

use crate::cli::error::Error;
use crate::model::advice::{Action, LockLevel};
use crate::model::schema::{Index, IndexKind, KeyPart, Part, TableName};
use crate::report::index::Proposal;

/// Largest file that is read.
const MAX_BYTES: u64 = 64 << 20;

/// The version of the format that is understood.
const SCHEMA_VERSION: u32 = 1;

#[derive(Debug, Deserialize)]
struct Advice {
    schema_version: u32,
    server: String,
    workload: Workload,
    recommendations: Vec<Recommendation>,
}

#[derive(Debug, Deserialize)]
struct Workload {
    source: String,
    unit: String,
}

#[derive(Debug, Deserialize)]
struct Recommendation {
    action: String,
    schema: String,
    table: String,
    index: Described,
    reason: String,
    ddl: Vec<String>,
    undo: Vec<String>,
    bytes: u64,
    lock: String,
    marginal: Option<f64>,
    is_proven: bool,
}

#[derive(Debug, Deserialize)]
struct Described {
    name: String,
    kind: String,
    is_unique: bool,
    is_visible: bool,
    comment: String,
    parser: Option<String>,
    columns: Vec<DescribedPart>,
}

#[derive(Debug, Deserialize)]
struct DescribedPart {
    column: Option<String>,
    expression: Option<String>,
    prefix: Option<u32>,
    is_descending: bool,
}

/// Reads the recommendations of a file.
pub(super) fn read(path: &Path) -> Result<Vec<Proposal>, Error> {
    let shown = path.display();
    let hint = "`--advice` takes what `mydex advise --format json -o FILE` wrote";
    let failed = |why: String| Error::new(format!("cannot read `{shown}`: {why}")).hint(hint);
    let size = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?;
    if size.len() > MAX_BYTES {
        return Err(failed("it has more than 64 MiB".to_owned()));
    }
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    let advice: Advice =
        serde_json::from_str(&text).map_err(|error| failed(format!("it is no advice: {error}")))?;
    if advice.schema_version != SCHEMA_VERSION {
        return Err(failed(format!(
            "its `schema_version` is {}, and this program reads {SCHEMA_VERSION}",
            advice.schema_version
        )));
    }
    let shared = |one| proposal(&advice.server, &advice.workload, one);
    Ok(advice.recommendations.into_iter().map(shared).collect())
}

fn proposal(server: &str, workload: &Workload, one: Recommendation) -> Proposal {
    let mut evidence = vec![("evidence".to_owned(), workload.source.clone())];
    evidence.extend(one.marginal.map(|value| {
        let value = crate::model::units::count(value);
        let unit = match workload.unit.as_str() {
            "seconds" => "s of the workload's time",
            _ => "of the workload's cost",
        };
        ("lost without it".to_owned(), format!("{value} {unit}"))
    }));
    Proposal {
        definition: None,
        source: format!("advice for {server}"),
        action: match one.action.as_str() {
            "drop" => Action::Drop,
            _ => Action::Create,
        },
        table: TableName::new(one.schema, one.table),
        index: index(one.index),
        reason: one.reason,
        evidence,
        ddl: one.ddl,
        undo: one.undo,
        lock: match one.lock.as_str() {
            "none" => LockLevel::None,
            "shared" => LockLevel::Shared,
            _ => LockLevel::Exclusive,
        },
        bytes: Some(one.bytes),
        is_proven: one.is_proven,
    }
}

fn index(described: Described) -> Index {
    let parts = described.columns.into_iter().map(|column| KeyPart {
        what: match (column.column, column.expression) {
            (Some(name), _) => Part::Column(name),
            (None, expression) => Part::Expression(expression.unwrap_or_default()),
        },
        prefix: column.prefix,
        is_descending: column.is_descending,
    });
    Index {
        kind: match described.kind.as_str() {
            "hash" => IndexKind::Hash,
            "fulltext" => IndexKind::FullText,
            "spatial" => IndexKind::Spatial,
            "multi_valued" => IndexKind::MultiValued,
            _ => IndexKind::BTree,
        },
        is_unique: described.is_unique,
        is_visible: described.is_visible,
        comment: described.comment,
        parser: described.parser,
        ..Index::btree(described.name, parts.collect())
    }
}
