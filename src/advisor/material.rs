//! What is read of the target before anything is judged: its catalog, the shapes of the
//! statements, and how its indexes were used.

use std::collections::{BTreeMap, BTreeSet};

use super::existing::{self, Fate, Required, Verdict};
use super::shape::Shape;
use super::sql;
use super::workload::Workload;
use crate::model::advice::Skipped;
use crate::model::schema::{Catalog, TableName};
use crate::model::usage::IndexUsage;
use crate::server::catalog::{self, Scope};
use crate::server::usage;
use crate::server::{Connection, Error};
use crate::sql::pieces::{Token, tokens};

/// What is known of the target.
#[derive(Debug)]
pub struct Material {
    /// Statements that can be judged.
    pub workload: Workload,
    /// The tables that they name, with what hangs on them.
    pub catalog: Catalog,
    /// Shapes, with the query they are of; a query that can't be parsed has none.
    pub shapes: Vec<(usize, Shape)>,
    /// The base tables of each query.
    pub tables: Vec<BTreeSet<TableName>>,
    /// Verdicts about the existing indexes of those tables.
    pub verdicts: BTreeMap<(TableName, String), Verdict>,
    /// What could not be understood, one sentence each.
    pub gaps: Vec<String>,
    /// Names in statements that could not be taken apart, in lower case.
    pub named: BTreeSet<String>,
}

/// Reads everything about the tables of the workload.
pub async fn read(target: &mut Connection, mut workload: Workload) -> Result<Material, Error> {
    let named = named_tables(&workload);
    let reading = catalog::read_noted(target, &Scope::Tables(named)).await?;
    let catalog = reading.catalog;
    keep_known(&mut workload, &catalog);
    let usage = usage::read(target, &catalog).await?;
    let mut material = understand(workload, catalog, &usage);
    material.gaps.extend(reading.notes);
    material.gaps.extend(usage.notes);
    Ok(material)
}

fn named_tables(workload: &Workload) -> Vec<TableName> {
    let mut named = BTreeSet::new();
    for query in &workload.queries {
        for sample in query.samples.iter().take(1) {
            named.extend(sql::tables(&sample.sql, query.schema.as_deref()));
        }
    }
    named.into_iter().collect()
}

/// Statements on tables that are gone, or that the account may not see, can't be judged.
fn keep_known(workload: &mut Workload, catalog: &Catalog) {
    let queries = std::mem::take(&mut workload.queries);
    for query in queries {
        let tables = sql::tables(&query.samples[0].sql, query.schema.as_deref());
        let missing: Vec<String> = tables
            .iter()
            .filter(|name| {
                catalog.table(&name.schema, &name.name).is_none()
                    && catalog.view(&name.schema, &name.name).is_none()
            })
            .map(|name| format!("`{name}`"))
            .collect();
        let reason = if tables.is_empty() {
            "it reads no table".to_owned()
        } else if missing.is_empty() {
            workload.queries.push(query);
            continue;
        } else {
            format!(
                "the account sees no table {}; it may be gone, or SELECT on it is not granted",
                missing.join(", ")
            )
        };
        workload.skipped.push(Skipped {
            text: query.fingerprint,
            time: query.time,
            reason,
        });
    }
}

fn understand(workload: Workload, catalog: Catalog, usage: &IndexUsage) -> Material {
    let mut shapes = Vec::new();
    let mut gaps = Vec::new();
    let mut tables = Vec::new();
    for (place, query) in workload.queries.iter().enumerate() {
        let mut used = BTreeSet::new();
        for (number, sample) in query.samples.iter().enumerate() {
            match sql::shape(&sample.sql, query.schema.as_deref(), &catalog) {
                Ok(shape) => {
                    if number == 0 {
                        gaps.extend(shape.gaps.iter().map(|gap| format!("`{}`: {gap}", query.name)));
                    }
                    for block in &shape.blocks {
                        used.extend(block.tables.iter().map(|table| table.table.clone()));
                    }
                    used.extend(shape.writes.iter().map(|write| write.table.clone()));
                    shapes.push((place, shape));
                }
                Err(reason) if number == 0 => gaps.push(format!(
                    "`{}` can't be taken apart ({reason}); it is judged with the indexes that other statements ask for",
                    query.name
                )),
                Err(_) => {}
            }
        }
        if used.is_empty() {
            used.extend(
                sql::tables(&query.samples[0].sql, query.schema.as_deref())
                    .into_iter()
                    .filter_map(|name| catalog.table(&name.schema, &name.name))
                    .map(|table| table.name.clone()),
            );
        }
        tables.push(used);
    }
    let mut verdicts = existing::review(&catalog, usage, &shapes);
    let named = unread_names(&workload, &shapes);
    for verdict in verdicts.iter_mut().filter(|one| one.fate.is_drop()) {
        if named.contains(&verdict.index.name.to_lowercase()) {
            verdict.fate = Fate::Required(Required::Hint);
            "a statement that could not be taken apart has its name"
                .clone_into(&mut verdict.reason);
        }
    }
    gaps.extend(unread_so_far(&verdicts, usage));
    let verdicts = verdicts
        .into_iter()
        .map(|verdict| ((verdict.table.clone(), verdict.index.name.clone()), verdict))
        .collect();
    Material {
        workload,
        catalog,
        shapes,
        tables,
        verdicts,
        gaps,
        named,
    }
}

/// Every name in statements that have no shape, in lower case: one may be of an index, in a hint.
fn unread_names(workload: &Workload, shapes: &[(usize, Shape)]) -> BTreeSet<String> {
    let has_shape: BTreeSet<usize> = shapes.iter().map(|(query, _)| *query).collect();
    let unparsed = workload
        .queries
        .iter()
        .enumerate()
        .filter(|(place, _)| !has_shape.contains(place))
        .flat_map(|(_, query)| query.samples.iter().map(|sample| sample.sql.as_str()));
    let skipped = workload.skipped.iter().map(|one| one.text.as_str());
    unparsed
        .chain(skipped)
        .flat_map(|text| tokens(text).into_iter().filter_map(Token::name))
        .map(|name| name.to_lowercase())
        .collect()
}

/// Indexes that nobody read, and that were not counted for long enough to say that they are of no
/// use: they are told of, and not proposed to be dropped.
fn unread_so_far(verdicts: &[Verdict], usage: &IndexUsage) -> Option<String> {
    let spared: Vec<String> = verdicts
        .iter()
        .filter(|verdict| existing::is_unread_so_far(usage, verdict))
        .map(|verdict| format!("`{}.{}`", verdict.table, verdict.index.name))
        .collect();
    (!spared.is_empty()).then(|| {
        format!(
            "nothing was read through {} since the server started or the table was altered, less than \
             {} ago; that is too short to propose dropping {}",
            spared.join(", "),
            crate::model::units::duration(IndexUsage::SHORTEST),
            if spared.len() == 1 { "it" } else { "them" },
        )
    })
}
