//! Finds constants for a statement with parameters: one row's values of the columns in question.

use std::collections::BTreeMap;

use super::cells::Cells as _;
use super::guard::Values;
use super::quote;
use super::{Connection, Error};
use crate::sql::standin::{Parametrized, Slot, Table};

/// What stands in for a parameter that no column gives a value for: valid as a number, as a text,
/// as JSON.
const OTHER: &str = "'1'";

/// The same for what is compared with dates, which refuse anything else (error 1525).
const DATE: &str = "'2000-01-01'";

/// Rows among which a value is looked for, where a column has none in the row that was read.
const FEW: u32 = 1000;

/// Rows of a page, for `LIMIT ?`.
const COUNT: &str = "10";

/// A column by the schema, table and name that the server knows it by.
type Place = (String, String, String);

/// Where the constants come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// The row of each table that stands behind so many others in the server's own order; the
    /// first one where there are fewer.
    Behind(u32),
    /// No row is read: constants that are valid for the column's type stand in.
    Unread,
}

impl Rows {
    /// Three rows of each table, not next to one another.
    pub const SPREAD: [Self; 3] = [Self::Behind(0), Self::Behind(97), Self::Behind(997)];
}

/// `sql` with constants in place of its parameters, once for each of `rows`; nothing when it can't be
/// taken apart.
///
/// One row of each table is read each time, in the schema `schema` where a table names none. A table
/// that may not be read gives no values.
///
/// # Errors
/// When the columns of the tables can't be read, or the connection fails.
pub async fn fill(
    connection: &mut Connection,
    schema: Option<&str>,
    sql: &str,
    rows: &[Rows],
) -> Result<Vec<String>, Error> {
    let Some(statement) = Parametrized::of(sql) else {
        return Ok(Vec::new());
    };
    let kinds = columns(connection, schema, &statement.tables).await?;
    let places: Vec<Option<Place>> = statement
        .slots
        .iter()
        .map(|slot| place(slot, schema, &statement.tables, &kinds))
        .collect();
    let mut all = Vec::with_capacity(rows.len());
    for rows in rows {
        let values = match rows {
            Rows::Unread => BTreeMap::new(),
            Rows::Behind(offset) => values(connection, &places, &kinds, *offset).await?,
        };
        let literal = |(slot, place): (&Slot, &Option<Place>)| match (slot, place) {
            (Slot::Count, _) => COUNT.to_owned(),
            (_, Some(place)) => values
                .get(place)
                .cloned()
                .unwrap_or_else(|| any(kinds.get(place)).to_owned()),
            _ => OTHER.to_owned(),
        };
        let literals = statement.slots.iter().zip(&places).map(literal);
        all.push(statement.filled(&literals.collect::<Vec<_>>()));
    }
    Ok(all)
}

/// A constant that can be compared with a column of this type.
fn any(kind: Option<&String>) -> &'static str {
    match kind.map(String::as_str) {
        Some("date" | "datetime" | "timestamp") => DATE,
        _ => OTHER,
    }
}

/// The columns of the tables that the statement names, with their types.
async fn columns(
    connection: &mut Connection,
    schema: Option<&str>,
    tables: &[Table],
) -> Result<BTreeMap<Place, String>, Error> {
    let conditions: Vec<String> = tables
        .iter()
        .filter_map(|table| {
            let schema = table.schema.as_deref().or(schema)?;
            Some(format!(
                "(TABLE_SCHEMA = {} AND TABLE_NAME = {})",
                quote::hex_literal(schema),
                quote::hex_literal(&table.name)
            ))
        })
        .collect();
    if conditions.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS \
         WHERE {} LIMIT 5000",
        conditions.join(" OR ")
    );
    let rows = connection.rows("the columns of a statement", &sql).await?;
    Ok(rows
        .iter()
        .filter_map(|row| {
            let place = (row.text(0)?, row.text(1)?, row.text(2)?.to_lowercase());
            Some((place, row.text(3)?.to_lowercase()))
        })
        .collect())
}

/// Which column a slot means: that of its qualifier's table, else of the first table that has it.
fn place(
    slot: &Slot,
    schema: Option<&str>,
    tables: &[Table],
    kinds: &BTreeMap<Place, String>,
) -> Option<Place> {
    let Slot::Column { qualifier, name } = slot else {
        return None;
    };
    tables
        .iter()
        .filter(|table| {
            qualifier
                .as_ref()
                .is_none_or(|q| q.eq_ignore_ascii_case(&table.alias))
        })
        .filter_map(|table| {
            let schema = table.schema.as_deref().or(schema)?;
            Some((schema.to_owned(), table.name.clone(), name.to_lowercase()))
        })
        .find(|place| kinds.contains_key(place))
}

/// One row's values of the columns, as literals.
async fn values(
    connection: &mut Connection,
    places: &[Option<Place>],
    kinds: &BTreeMap<Place, String>,
    offset: u32,
) -> Result<BTreeMap<Place, String>, Error> {
    let mut by_table: BTreeMap<(&str, &str), Vec<&Place>> = BTreeMap::new();
    for place in places.iter().flatten() {
        let columns = by_table.entry((&place.0, &place.1)).or_default();
        if !columns.contains(&place) {
            columns.push(place);
        }
    }
    let mut values = BTreeMap::new();
    for ((schema, table), columns) in by_table {
        let list: Vec<String> = columns.iter().map(|place| quote::ident(&place.2)).collect();
        let head = format!(
            "SELECT /* mydex:parameters */ {} FROM {}.{} LIMIT 1",
            list.join(", "),
            quote::ident(schema),
            quote::ident(table)
        );
        let mut row = None;
        for offset in [offset, 0] {
            let sql = format!("{head} OFFSET {offset}");
            row = match connection.first("a row of a table", &sql).await {
                Ok(row) => row,
                Err(error) if error.is_fatal() => return Err(error),
                Err(_) => None,
            };
            if row.is_some() || offset == 0 {
                break;
            }
        }
        let Some(row) = row else { continue };
        for (i, place) in columns.into_iter().enumerate() {
            let other = match row.cell(i) {
                Some(_) => None,
                None => not_null(connection, place).await?,
            };
            let cell = row.cell(i).or_else(|| other.as_ref()?.cell(0));
            let kind = kinds.get(place).map_or("", String::as_str);
            if let Some(literal) = cell.and_then(|cell| literal(cell, kind)) {
                values.insert(place.clone(), literal);
            }
        }
    }
    Ok(values)
}

/// A row in which the column is not NULL, among the first few of its table.
async fn not_null(connection: &mut Connection, place: &Place) -> Result<Option<Values>, Error> {
    let column = quote::ident(&place.2);
    let sql = format!(
        "SELECT /* mydex:parameters */ {column} FROM (SELECT {column} FROM {}.{} LIMIT {FEW}) AS few \
         WHERE {column} IS NOT NULL LIMIT 1",
        quote::ident(&place.0),
        quote::ident(&place.1)
    );
    match connection.first("a value of a column", &sql).await {
        Err(error) if !error.is_fatal() => Ok(None),
        found => found,
    }
}

/// A value as a literal that no text in it can break out of.
fn literal(cell: &[u8], kind: &str) -> Option<String> {
    // Longer values are read from the table's first row, never typed by anyone.
    const LONGEST: usize = 256;
    if cell.len() > LONGEST {
        return None;
    }
    let is_binary = kind.ends_with("binary") || kind.ends_with("blob") || kind == "bit";
    if is_binary {
        let digits: Vec<String> = cell.iter().map(|byte| format!("{byte:02x}")).collect();
        return Some(format!("X'{}'", digits.concat()));
    }
    Some(quote::hex_literal(std::str::from_utf8(cell).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_harmless_literals() {
        assert_eq!(
            literal(b"a'b", "varchar").as_deref(),
            Some("_utf8mb4 X'612762'")
        );
        assert_eq!(literal(&[0xff, 0], "varbinary").as_deref(), Some("X'ff00'"));
        assert_eq!(literal(&[0xff], "varchar"), None);
        assert_eq!(literal(&[b'x'; 300], "text"), None);
    }
}
