//! What is there: the table, and what can be kept of it.

use super::Error;
use crate::indexes::definition::Definition;
use crate::indexes::ledger::Before;
use crate::indexes::line;
use crate::indexes::reconcile::Task;
use crate::model::advice::Action;
use crate::model::schema::{Table, TableName};
use crate::server::Connection;
use crate::server::catalog::{self, Scope};
use crate::server::cells::Cells as _;
use crate::server::ddl;
use crate::server::quote::hex_literal;

/// Foreign keys of other tables that are read at most.
const MAX_CHILDREN: usize = 1_000;

/// Tries to read a table that somebody holds exclusively: a second each.
const TRIES: u32 = 30;

/// The table with its columns, indexes, foreign keys and figures, and its `SHOW CREATE`.
pub(super) async fn table(link: &mut Connection, name: &TableName) -> Result<Table, Error> {
    let mut tries = 0;
    loop {
        tries += 1;
        match read(link, name).await {
            // Somebody changes the table at this moment.
            Err(Error::Server(error)) if error.number() == Some(1205) && tries < TRIES => {}
            other => return other,
        }
    }
}

async fn read(link: &mut Connection, name: &TableName) -> Result<Table, Error> {
    let reading = catalog::outline(link, &Scope::Tables(vec![name.clone()])).await?;
    let found = reading.catalog.table(&name.schema, &name.name);
    let mut table = found.cloned().ok_or_else(|| Error::NoTable(name.clone()))?;
    // The name that the definition has, so that every statement says the same.
    table.name = name.clone();
    table.create = show_create(link, &ddl::table(name)).await?;
    Ok(table)
}

async fn show_create(link: &mut Connection, quoted: &str) -> Result<String, Error> {
    let sql = format!("SHOW CREATE TABLE {quoted}");
    let row = link.first("the definition of a table", &sql).await?;
    Ok(row.and_then(|row| row.text(1)).unwrap_or_default())
}

/// Columns that foreign keys of other tables refer to.
pub(super) async fn children(
    link: &mut Connection,
    name: &TableName,
) -> Result<Vec<Vec<String>>, Error> {
    let sql = format!(
        "SELECT /* mydex:children */ TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, \
         REFERENCED_COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE \
         WHERE REFERENCED_TABLE_SCHEMA = {} AND REFERENCED_TABLE_NAME = {} \
         ORDER BY TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION LIMIT {MAX_CHILDREN}",
        hex_literal(&name.schema),
        hex_literal(&name.name)
    );
    let rows = link.rows("foreign keys that refer to it", &sql).await?;
    let mut found: Vec<(Vec<Option<String>>, Vec<String>)> = Vec::new();
    for row in &rows {
        let key = vec![row.text(0), row.text(1), row.text(2)];
        let column = row.text(3).unwrap_or_default();
        match found.last_mut().filter(|(known, _)| *known == key) {
            Some((_, columns)) => columns.push(column),
            None => found.push((key, vec![column])),
        }
    }
    Ok(found.into_iter().map(|(_, columns)| columns).collect())
}

/// What can't be brought back of what is there, or `None` when all of it can.
pub(super) fn not_restorable(task: &Task, before: &Before) -> Option<String> {
    if task.action == Action::Drop
        && let Some(text) = &before.definition
    {
        let read = match Definition::parse("captured", text) {
            Ok(read) => read,
            Err(mistakes) => return Some(mistakes.to_string()),
        };
        if read.to_toml() != *text {
            return Some("its description is not complete".to_owned());
        }
        if let Some(Err(clause)) = before.line.as_deref().map(line::options) {
            return Some(format!("the clause `{clause}` is not known"));
        }
    }
    let (Some(column), Some(line)) = (&task.column, &before.column) else {
        return None;
    };
    let is_plain = line::column_expression(line).is_some() && line.ends_with("INVISIBLE */");
    (task.action == Action::Drop && !is_plain).then(|| {
        format!(
            "column `{}` is not an invisible, virtual column as mydex makes it; leave \
             `generated_column` out of the definition to keep the column",
            column.name
        )
    })
}
