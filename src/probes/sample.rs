//! The data that probes draw from: generated where mydex loaded it, sampled where it did not.

use std::sync::Arc;

use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::{AssertSqlSafe, Row as _};

use super::generate::{Sample, World};
use super::load::{LoadError, ledger};
use super::pack::generator::Path;
use super::pack::{Class, Pack};
use super::value::Value;
use crate::server::quote::ident;

/// Rows read from each table at most.
const MAX_ROWS: u32 = 10_000;

/// The data of `pack` in `database`.
///
/// When the ledger says that a complete load of this version is there, every value is computed
/// and no table is read. Otherwise up to 10,000 rows of each table that probes draw from are read
/// in the order of the primary key, which for random keys is a random sample; `seed` is then that
/// of the parameters.
pub async fn world(
    connection: &mut MySqlConnection,
    database: &str,
    pack: Arc<Pack>,
    seed: u64,
) -> Result<World, LoadError> {
    let live = ledger::read(connection, database, &pack.name).await?;
    if let Some((identity, true)) = &live.entry
        && identity.version == pack.version
    {
        return Ok(World::generated(pack, identity.seed, identity.scale)?);
    }
    let mut samples = vec![Sample::default(); pack.tables.len()];
    for (table, columns) in wanted(&pack) {
        samples[table] = sample(connection, database, &pack, table, &columns).await?;
    }
    Ok(World::sampled(pack, seed, samples))
}

/// Tables and columns that the parameters of the probes read.
fn wanted(pack: &Pack) -> Vec<(usize, Vec<usize>)> {
    let mut columns: Vec<Vec<usize>> = vec![Vec::new(); pack.tables.len()];
    for probe in &pack.probes {
        for param in &probe.params {
            if let Some((table, column)) = param.generator.target() {
                columns[table].push(column);
            }
            let mut paths = Vec::new();
            param.generator.siblings(&mut paths);
            for path in paths {
                if let Path::Through { via, column } = path
                    && let Some((table, _)) = probe.params[via].generator.target()
                {
                    columns[table].push(column);
                }
            }
        }
    }
    columns
        .into_iter()
        .enumerate()
        .filter(|(_, columns)| !columns.is_empty())
        .map(|(table, mut columns)| {
            columns.sort_unstable();
            columns.dedup();
            (table, columns)
        })
        .collect()
}

async fn sample(
    connection: &mut MySqlConnection,
    database: &str,
    pack: &Pack,
    table: usize,
    columns: &[usize],
) -> Result<Sample, LoadError> {
    let definition = &pack.tables[table];
    let fail = |source| LoadError::new(&format!("sample the table `{}`", definition.name), source);
    let list: Vec<String> = columns
        .iter()
        .map(|column| {
            select(
                &definition.columns[*column].name,
                definition.columns[*column].class,
            )
        })
        .collect();
    let order: Vec<String> = definition
        .uniques
        .iter()
        .take(1)
        .flatten()
        .map(|column| ident(&definition.columns[*column].name))
        .collect();
    let order = if order.is_empty() {
        String::new()
    } else {
        format!(" ORDER BY {}", order.join(", "))
    };
    let sql = format!(
        "SELECT {} FROM {}.{}{order} LIMIT {MAX_ROWS}",
        list.join(", "),
        ident(database),
        ident(&definition.name)
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .fetch_all(connection)
        .await
        .map_err(fail)?;
    let mut sample = Sample {
        rows: u64::try_from(rows.len()).unwrap_or(0),
        columns: vec![Vec::new(); definition.columns.len()],
    };
    for row in &rows {
        for (position, column) in columns.iter().enumerate() {
            let class = definition.columns[*column].class;
            sample.columns[*column].push(value(row, position, class).map_err(fail)?);
        }
    }
    Ok(sample)
}

/// An expression whose result decodes the same whatever the width of the column.
fn select(name: &str, class: Class) -> String {
    let name = ident(name);
    match class {
        Class::Signed => format!("CAST({name} AS SIGNED)"),
        Class::Unsigned => format!("CAST({name} AS UNSIGNED)"),
        Class::Float => format!("CAST({name} AS DOUBLE)"),
        Class::Bytes => format!("CAST({name} AS BINARY)"),
        Class::Decimal | Class::Text | Class::Time | Class::Json => {
            format!("CAST({name} AS CHAR CHARACTER SET utf8mb4)")
        }
    }
}

fn value(row: &MySqlRow, position: usize, class: Class) -> Result<Value, sqlx::Error> {
    Ok(match class {
        Class::Signed => row.try_get::<Option<i64>, _>(position)?.map(Value::Int),
        Class::Unsigned => row.try_get::<Option<u64>, _>(position)?.map(Value::UInt),
        Class::Float => row.try_get::<Option<f64>, _>(position)?.map(Value::Float),
        Class::Bytes => row
            .try_get::<Option<Vec<u8>>, _>(position)?
            .map(Value::Bytes),
        Class::Json => row.try_get::<Option<String>, _>(position)?.map(Value::Json),
        Class::Decimal | Class::Text | Class::Time => {
            row.try_get::<Option<String>, _>(position)?.map(Value::Text)
        }
    }
    .unwrap_or_default())
}
