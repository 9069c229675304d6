//! What is there: the table, the exact form of an index, and what has to be kept of it.

use super::{Error, Job};
use crate::indexes::definition::Definition;
use crate::indexes::ledger::{Before, Row};
use crate::indexes::likeness;
use crate::indexes::line;
use crate::indexes::reconcile::{Direction, Memory, Stage, Task};
use crate::model::advice::Action;
use crate::model::ledger::State;
use crate::model::schema::{Index, Table, TableName};
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

/// What the ledger remembers of a version.
pub(super) fn memory(row: Option<&Row>, direction: Direction) -> Memory {
    let Some(row) = row else {
        return Memory::FRESH;
    };
    // What was taken back, or was rejected, begins anew; but an index that the guard hid is there.
    let is_over = matches!(
        row.state,
        State::RolledBack | State::Rejected | State::Pending
    ) && !row.is_hidden_by_guard();
    if direction == Direction::Up && is_over {
        return Memory::FRESH;
    }
    let turns = row.direction != direction;
    let stage = match row.stage {
        Stage::Equal | Stage::Aside => row.stage,
        stage if !turns => stage,
        _ => Stage::Begun,
    };
    let aside = match row.stage {
        Stage::Aside => row
            .note
            .as_deref()
            .and_then(|note| serde_json::from_str(note).ok()),
        _ => None,
    };
    Memory {
        is_fresh: false,
        stage,
        hidden_for: None,
        had_column: row.before_column.is_some(),
        had_index: row.before.is_some(),
        aside: aside.unwrap_or_default(),
    }
}

/// What is to be reached. An index that was there before is what it was then.
pub(super) fn task(
    job: &Job,
    row: Option<&Row>,
    memory: &Memory,
    table: &Table,
    soak: std::time::Duration,
) -> Result<Task, Error> {
    let definition = &job.definition;
    let mut index = definition.index.clone();
    let mut options = String::new();
    let restores = job.direction == Direction::Down && memory.stage != Stage::Equal;
    if restores && let Some(before) = row.and_then(|row| row.before.as_deref()) {
        index = Definition::parse("the ledger", before)?.index;
        if let Some(line) = row.and_then(|row| row.before_line.as_deref()) {
            options = line::options(line).map_err(Error::Text)?;
        }
    }
    let is_new = job.direction == Direction::Up && definition.action == Action::Create;
    Ok(Task {
        action: definition.action,
        direction: job.direction,
        is_judged: is_new && index.is_visible,
        is_partitioned: table.partitioning.is_some(),
        functional: functional(table, &index.name),
        is_primary_substitute: likeness::is_primary_substitute(&index, table),
        index,
        column: definition.column.clone(),
        options,
        soak,
    })
}

/// The names of other indexes over expressions.
fn functional(table: &Table, own: &str) -> Vec<String> {
    let others = table
        .indexes
        .iter()
        .filter(|other| other.is_functional() && !other.name.eq_ignore_ascii_case(own));
    others.map(|other| other.name.clone()).collect()
}

/// What was there before: kept with the intent, so that it can be brought back exactly. A new index
/// that is there under another name is kept by that one; a drop means its own name and no other.
pub(super) fn capture(task: &Task, table: &Table, twin: Option<&str>) -> Before {
    let column = task
        .column
        .as_ref()
        .and_then(|column| line::of_column(&table.create, &column.name))
        .map(str::to_owned);
    let twin = twin.filter(|_| task.action == Action::Create);
    let own = table.index(&task.index.name);
    let Some(found) = own.or_else(|| table.index(twin?)) else {
        return Before {
            column,
            ..Before::default()
        };
    };
    let definition = Definition {
        schema: None,
        table: table.name.name.clone(),
        action: Action::Drop,
        index: bare(found),
        column: None,
        reason: String::new(),
        evidence: None,
    };
    Before {
        definition: Some(definition.to_toml()),
        line: line::of_index(&table.create, &found.name).map(str::to_owned),
        column,
    }
}

/// An index without figures.
fn bare(index: &Index) -> Index {
    Index {
        cardinality: Vec::new(),
        bytes: None,
        ..index.clone()
    }
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
