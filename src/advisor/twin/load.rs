//! Makes the target's tables on the twin and fills them.

use std::collections::BTreeSet;

use super::Error;
use super::plan::{Plan, TablePlan};
use super::private::{Private, text};
use super::read::Gathered;
use super::scale::{self, Moves};
use crate::model::schema::{Catalog, Table, TableName};
use crate::server::quote::ident;
use crate::server::{ddl, recreate};

/// Bytes of one INSERT, about.
const STATEMENT_BYTES: usize = 1 << 20;

/// What was made.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// What could not be made or filled, each one sentence.
    pub(super) notes: Vec<String>,
    /// Rows on the twin.
    pub(super) rows: u64,
    /// Tables that are there.
    pub(super) tables: BTreeSet<TableName>,
}

/// Makes schemas, tables and views. A table that can't be made is told and left out; every schema
/// that was made is added to `schemas`, also when this fails.
pub(super) async fn schemas(
    twin: &mut Private,
    catalog: &Catalog,
    schemas: &mut Vec<String>,
) -> Result<Made, Error> {
    let mut made = Made::default();
    let names: BTreeSet<&str> = catalog
        .tables
        .keys()
        .chain(catalog.views.keys())
        .map(|name| name.schema.as_str())
        .collect();
    twin.run(
        "the session",
        "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone = '+00:00', \
         foreign_key_checks = 0, unique_checks = 0, innodb_strict_mode = 0",
    )
    .await?;
    for name in names {
        // A schema that is already there is somebody's: this fails rather than touching it.
        twin.run("a schema", &format!("CREATE DATABASE {}", ident(name)))
            .await?;
        schemas.push(name.to_owned());
    }
    for table in catalog.tables.values() {
        create(twin, table, &mut made).await?;
    }
    views(twin, catalog, &mut made).await?;
    Ok(made)
}

async fn create(twin: &mut Private, table: &Table, made: &mut Made) -> Result<(), Error> {
    let definition = recreate::definition(&table.name, &table.create, |_| false);
    match twin.run("a table", &definition.sql).await {
        Ok(()) => {
            made.tables.insert(table.name.clone());
            for option in definition.lost {
                made.notes.push(format!(
                    "`{}` has {option} on the target and not on the twin",
                    table.name
                ));
            }
            Ok(())
        }
        Err(Error::Twin { reason, .. }) => {
            made.notes.push(format!(
                "`{}` can't be made on the twin, so that statements on it are not judged: {reason}",
                table.name
            ));
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// A view may stand on others: rounds go on as long as one more can be made.
async fn views(twin: &mut Private, catalog: &Catalog, made: &mut Made) -> Result<(), Error> {
    let mut left: Vec<_> = catalog.views.values().collect();
    loop {
        let mut failed = Vec::new();
        let mut reasons = Vec::new();
        let before = left.len();
        for view in left {
            let sql = format!("CREATE VIEW {} AS {}", ddl::table(&view.name), view.query);
            match twin.run("a view", &sql).await {
                Ok(()) => {}
                Err(Error::Twin { reason, .. }) => {
                    reasons.push(format!(
                        "the view `{}` can't be made on the twin: {reason}",
                        view.name
                    ));
                    failed.push(view);
                }
                Err(error) => return Err(error),
            }
        }
        if failed.is_empty() || failed.len() == before {
            made.notes.extend(reasons);
            return Ok(());
        }
        left = failed;
    }
}

/// Inserts the sample.
pub(super) async fn rows(
    twin: &mut Private,
    plan: &Plan,
    gathered: &Gathered,
    moves: &[Vec<Moves>],
    made: &mut Made,
) -> Result<(), Error> {
    for (at, table) in plan.tables.iter().enumerate() {
        if !made.tables.contains(&table.name) || gathered.rows[at].len() == 0 {
            continue;
        }
        let outcome = insert(twin, table, &gathered.rows[at], &moves[at]).await;
        match outcome {
            Ok(rows) => {
                made.rows += rows;
                let lost = (gathered.rows[at].len() as u64).saturating_sub(rows);
                if lost * 20 > rows {
                    made.notes.push(format!(
                        "{lost} of {} sampled rows of `{}` were left out, since a unique key \
                         allows only one of several",
                        gathered.rows[at].len(),
                        table.name
                    ));
                }
            }
            Err(Error::Twin { reason, .. }) => made.notes.push(format!(
                "rows of `{}` could not be inserted on the twin: {reason}",
                table.name
            )),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn insert(
    twin: &mut Private,
    table: &TablePlan,
    rows: &super::rows::Rows,
    moves: &[Moves],
) -> Result<u64, Error> {
    let names: Vec<_> = table.columns.iter().map(|(name, _)| ident(name)).collect();
    let head = format!(
        "INSERT IGNORE INTO {} ({}) VALUES ",
        ddl::table(&table.name),
        names.join(", ")
    );
    let mut inserted = 0;
    let mut sql = head.clone();
    twin.run("a transaction", "START TRANSACTION").await?;
    for row in rows.iter() {
        let replaced = scale::moved(moves, &row);
        sql.push(if sql.len() == head.len() { '(' } else { ',' });
        if !sql.ends_with('(') {
            sql.push('(');
        }
        for (i, (_, kind)) in table.columns.iter().enumerate() {
            if i > 0 {
                sql.push(',');
            }
            let new = replaced.iter().find(|(place, _)| *place == i);
            let value = new.map_or(row[i], |(_, value)| Some(value.as_slice()));
            kind.write(&mut sql, value);
        }
        sql.push(')');
        if sql.len() > STATEMENT_BYTES {
            inserted += twin.count("rows", &sql).await?;
            sql.truncate(head.len());
        }
    }
    if sql.len() > head.len() {
        inserted += twin.count("rows", &sql).await?;
    }
    twin.run("a transaction", "COMMIT").await?;
    Ok(inserted)
}

/// Statistics and histograms of all tables; reading every page for them also brings it to memory.
pub(super) async fn analyze(
    twin: &mut Private,
    catalog: &Catalog,
    columns: &[(TableName, Vec<String>)],
    made: &mut Made,
) -> Result<(), Error> {
    for name in made.tables.clone() {
        let sql = format!("ANALYZE TABLE {}", ddl::table(&name));
        twin.rows("statistics of a table", &sql).await?;
        if catalog
            .tables
            .get(&name)
            .is_some_and(|table| table.rows > 0)
        {
            let sql = format!("SELECT COUNT(*) FROM {}", ddl::table(&name));
            twin.rows("pages of a table", &sql).await?;
        }
    }
    for (name, columns) in columns
        .iter()
        .filter(|(name, _)| made.tables.contains(name))
    {
        let list: Vec<_> = columns.iter().map(|column| ident(column)).collect();
        let sql = format!(
            "ANALYZE TABLE {} UPDATE HISTOGRAM ON {} WITH 100 BUCKETS",
            ddl::table(name),
            list.join(", ")
        );
        for row in twin.rows("histograms of a table", &sql).await? {
            if text(&row, 2).is_some_and(|kind| kind.eq_ignore_ascii_case("error")) {
                let reason = text(&row, 3).unwrap_or_default();
                made.notes
                    .push(format!("no histogram on `{name}`: {reason}"));
            }
        }
    }
    Ok(())
}
