//! The text of multi-row inserts.

use std::ops::Range;

use crate::probes::generate::World;
use crate::probes::literal;
use crate::server::quote::ident;

/// Tells everybody, the advisor first, that these rows were written by mydex and are no workload.
/// It stands at the start, where a text that the server cut still has it.
const MARK: &str = "/* mydex:load */";

/// A row whose insert alone is larger than the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge {
    /// The row.
    pub row: u64,
    /// Bytes of its insert.
    pub bytes: usize,
}

/// Inserts of these rows, as few as stay within `limit` bytes each.
pub fn statements(
    world: &World,
    database: &str,
    table: usize,
    rows: Range<u64>,
    limit: usize,
) -> Result<Vec<String>, TooLarge> {
    let columns = world.written_columns(table);
    let head = head(world, database, table, &columns);
    let mut statements = Vec::new();
    let mut current = String::new();
    let mut tuple = String::with_capacity(1_024);
    for row in rows.clone() {
        tuple.clear();
        push_row(world, table, row, &columns, &mut tuple);
        let has_room = current.len() + 2 + tuple.len() <= limit;
        if current.is_empty() || !has_room {
            if head.len() + tuple.len() > limit {
                return Err(TooLarge {
                    row,
                    bytes: head.len() + tuple.len(),
                });
            }
            if !current.is_empty() {
                statements.push(std::mem::take(&mut current));
            }
            // Rows of a table are about as long as each other.
            let left = usize::try_from(rows.end - row).unwrap_or(0);
            current.reserve((head.len() + left * (tuple.len() + 64)).min(limit));
            current.push_str(&head);
        } else {
            current.push_str(",\n");
        }
        current.push_str(&tuple);
    }
    if !current.is_empty() {
        statements.push(current);
    }
    Ok(statements)
}

fn head(world: &World, database: &str, table: usize, columns: &[usize]) -> String {
    let definition = &world.pack().tables[table];
    let names: Vec<String> = columns
        .iter()
        .map(|column| ident(&definition.columns[*column].name))
        .collect();
    format!(
        "INSERT {MARK} INTO {}.{} ({}) VALUES\n",
        ident(database),
        ident(&definition.name),
        names.join(", ")
    )
}

fn push_row(world: &World, table: usize, row: u64, columns: &[usize], out: &mut String) {
    out.push('(');
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        literal::push(&world.cell(table, *column, row), out);
    }
    out.push(')');
}

/// The same rows in the text format of `LOAD DATA`, for comparisons.
#[must_use]
pub fn fields(world: &World, table: usize, rows: Range<u64>) -> String {
    let columns = world.written_columns(table);
    let mut out = String::new();
    for row in rows {
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                out.push('\t');
            }
            literal::push_field(&world.cell(table, *column, row), &mut out);
        }
        out.push('\n');
    }
    out
}
