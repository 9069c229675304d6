//! What is there: the table, the exact form of an index, and what has to be kept of it.

use super::{Error, Job};
use crate::indexes::definition::Definition;
use crate::indexes::ledger::{Before, Row};
use crate::indexes::likeness;
use crate::indexes::line;
use crate::indexes::reconcile::{Direction, Memory, Stage, Task};
use crate::model::advice::Action;
use crate::model::ledger::State;
use crate::model::schema::{Index, Part, Table, TableName};
use crate::server::catalog::{self, Scope};
use crate::server::cells::Cells as _;
use crate::server::ddl::{self, Algorithm, Mode};
use crate::server::quote::{hex_literal, ident};
use crate::server::{self, Connection};

/// The temporary table that shows how the server writes an expression; no other session sees it.
const FORM: &str = "mydex_form";

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

/// What was there before: kept with the intent, so that it can be brought back exactly.
pub(super) fn capture(task: &Task, table: &Table, twin: Option<&str>) -> Before {
    let column = task
        .column
        .as_ref()
        .and_then(|column| line::of_column(&table.create, &column.name))
        .map(str::to_owned);
    let name = twin.unwrap_or(&task.index.name);
    let Some(found) = table.index(name) else {
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

/// Puts the expressions of a task into the form in which the server keeps them, by making them on
/// a temporary table that is empty and has the same columns. Where that is not possible they stay
/// as they are, and are compared loosely.
pub(super) async fn server_forms(
    link: &mut Connection,
    task: &mut Task,
    table: &Table,
) -> Result<(), Error> {
    if !task.index.is_functional() && task.column.is_none() {
        return Ok(());
    }
    let form = format!("{}.{}", ident(&table.name.schema), ident(FORM));
    let outcome = forms(link, task, table, &form).await;
    let dropped = link
        .run(
            "the end of a temporary table",
            &format!("DROP TEMPORARY TABLE IF EXISTS {form}"),
        )
        .await;
    match (outcome, dropped) {
        (Err(error), _) | (_, Err(error)) if error.is_fatal() => Err(error.into()),
        _ => Ok(()),
    }
}

async fn forms(
    link: &mut Connection,
    task: &mut Task,
    table: &Table,
    form: &str,
) -> Result<(), server::Error> {
    let columns: Vec<String> = line::columns(&table.create)
        .map(|line| line.replace(" AUTO_INCREMENT", ""))
        .collect();
    let create = format!("CREATE TEMPORARY TABLE {form} ({})", columns.join(", "));
    link.run("a temporary table", &create).await?;
    let on = TableName::new(table.name.schema.as_str(), FORM);
    if let Some(column) = &task.column
        && table.column(&column.name).is_none()
    {
        let mode = Mode {
            algorithm: Algorithm::Copy,
            lock: crate::model::advice::LockLevel::Exclusive,
        };
        let sql = ddl::add_virtual_column(
            &on,
            &column.name,
            &column.full_type,
            &column.expression,
            mode,
        );
        link.run("a column of a temporary table", &sql).await?;
    }
    if task.index.is_functional() {
        let index = Index {
            name: FORM.to_owned(),
            ..task.index.clone()
        };
        let sql = format!("ALTER TABLE {form} ADD {}", ddl::definition(&index));
        link.run("an index of a temporary table", &sql).await?;
    }
    let sql = format!("SHOW CREATE TABLE {form}");
    let row = link.first("a temporary table", &sql).await?;
    let create = row.and_then(|row| row.text(1)).unwrap_or_default();
    take_forms(task, &create);
    Ok(())
}

/// Takes the expressions out of what the server wrote.
fn take_forms(task: &mut Task, create: &str) {
    if let Some(column) = &mut task.column
        && let Some(found) = line::of_column(create, &column.name).and_then(line::column_expression)
    {
        found.clone_into(&mut column.expression);
    }
    let Some((parts, _)) = line::of_index(create, FORM).and_then(line::parts) else {
        return;
    };
    for (own, found) in task.index.parts.iter_mut().zip(parts) {
        if let (Part::Expression(own), Some(found)) = (&mut own.what, line::expression(found)) {
            found.clone_into(own);
        }
    }
}
