//! The way ahead of a definition and the way back, told from what is known of its table and of its
//! ledger. What is asked on a screen, printed or linted comes from here, like what is sent.

use std::time::Duration;

use super::course::{self, Course, PlannedStep};
use super::definition::Definition;
use super::ledger::{Before, Row};
use super::reconcile::{Direction, Memory, Stage, Storage, Task};
use super::{likeness, line};
use crate::config::mistake::Mistakes;
use crate::model::advice::{Action, LockLevel};
use crate::model::ledger::State;
use crate::model::schema::{Index, Table};

/// Why the ledger's text does not say what was there.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is no definition.
    #[error("{0}")]
    Text(Mistakes),
    /// The index has an option that is not known.
    #[error("{0}")]
    Line(String),
}

impl From<Mistakes> for Unreadable {
    fn from(mistakes: Mistakes) -> Self {
        Self::Text(mistakes)
    }
}

/// The statements that carry a definition out on its table, and those that take it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ways {
    /// What an apply sends, in order; of a definition that is applied, what it sent.
    pub up: Vec<PlannedStep>,
    /// What a rollback sends, in order.
    pub down: Vec<PlannedStep>,
    /// Why an apply does not come to the end of its way.
    pub obstacle: Option<String>,
}

impl Ways {
    /// The strongest lock on the way up.
    #[must_use]
    pub fn lock(&self) -> LockLevel {
        let locks = self.up.iter().map(|step| step.mode.lock);
        locks.max().unwrap_or(LockLevel::None)
    }
}

/// Both ways of a definition on the table that it is about.
///
/// `row` is what the ledger says of it, and `hidden_for` how long its index has been invisible.
/// `soak` is how long an index stays invisible before it is dropped. `table` has to have its
/// columns.
///
/// # Errors
/// When the ledger's text can't be read.
pub fn ways(
    definition: &Definition,
    row: Option<(&Row, Option<Duration>)>,
    table: &Table,
    soak: Duration,
) -> Result<Ways, Unreadable> {
    let (row, hidden_for) = row.map_or((None, None), |(row, time)| (Some(row), time));
    let is_applied = row.is_some_and(|row| row.state == State::Applied);
    let mut there = table.clone();
    if is_applied {
        turn_back(&mut there, definition);
    }
    let up = Look {
        definition,
        direction: Direction::Up,
        row: row.filter(|_| !is_applied),
        hidden_for: hidden_for.filter(|_| !is_applied),
        soak,
    };
    let ahead = ahead(&up, &mut there)?;
    let is_begun = row.filter(|row| is_to_be_taken_back(row));
    let down = match is_begun {
        None => ahead.way_back(soak),
        Some(row) => {
            let begun = Definition::parse("the ledger", &row.definition)?;
            let look = Look {
                definition: &begun,
                direction: Direction::Down,
                row: Some(row),
                hidden_for,
                soak,
            };
            self::ahead(&look, &mut table.clone())?.course
        }
    };
    Ok(Ways {
        up: ahead.course.steps,
        down: down.steps,
        obstacle: ahead.course.conflict,
    })
}

/// Whether there is anything of the version that a rollback takes back.
#[must_use]
pub fn is_to_be_taken_back(row: &Row) -> bool {
    let is_over = matches!(row.state, State::RolledBack | State::Rejected);
    !is_over || row.is_hidden_by_guard()
}

/// The table as it was before the definition was applied.
fn turn_back(table: &mut Table, definition: &Definition) {
    let name = &definition.index.name;
    match definition.action {
        Action::Create => {
            let is_it = |index: &Index| index.name.eq_ignore_ascii_case(name);
            table.indexes.retain(|index| !is_it(index));
            if let Some(column) = &definition.column {
                let is_it = |name: &str| name.eq_ignore_ascii_case(&column.name);
                table.columns.retain(|known| !is_it(&known.name));
            }
        }
        Action::Drop if table.index(name).is_none() => {
            table.indexes.push(definition.index.clone());
            course::add_column(table, definition.column.as_ref());
        }
        Action::Drop => {}
    }
}

/// One version that is looked at.
pub(super) struct Look<'a> {
    pub(super) definition: &'a Definition,
    pub(super) direction: Direction,
    /// What the ledger says of it.
    pub(super) row: Option<&'a Row>,
    /// How long its index has been invisible.
    pub(super) hidden_for: Option<Duration>,
    /// How long an index stays so before it is dropped.
    pub(super) soak: Duration,
}

/// What lies ahead of a version.
pub(super) struct Ahead {
    pub(super) task: Task,
    memory: Memory,
    /// What is kept with the intent, of a version that is not begun.
    pub(super) before: Option<Before>,
    /// The steps.
    pub(super) course: Course,
    /// An expression is taken to be the one that is there.
    pub(super) presumes: bool,
    /// The table before the steps, and after the last one.
    pub(super) from: Table,
    to: Table,
}

/// Follows a version to its end. `table` is left as whoever comes next finds it: as it is at the
/// soak, where there is one.
pub(super) fn ahead(look: &Look<'_>, table: &mut Table) -> Result<Ahead, Unreadable> {
    let mut memory = memory(look.row, look.direction);
    memory.hidden_for = look.hidden_for;
    let what = (look.definition, look.direction);
    let mut task = task(what, look.row, &memory, table, look.soak)?;
    let presumes = presumed_forms(&mut task, table);
    let seen = likeness::see(&task, &memory, table);
    let before = memory
        .is_fresh
        .then(|| capture(&task, table, seen.twin.as_deref()));
    if let Some(before) = &before {
        memory.had_column = before.column.is_some();
    }
    let from = table.clone();
    let (course, at_soak) = course::follow(&task, &memory, table, said_bytes(look.definition));
    let to = table.clone();
    if let Some(at_soak) = at_soak {
        *table = at_soak;
    }
    Ok(Ahead {
        task,
        memory,
        before,
        course,
        presumes,
        from,
        to,
    })
}

/// The size that the evidence tells.
pub(super) fn said_bytes(definition: &Definition) -> Option<u64> {
    let evidence = definition.evidence.as_ref()?;
    evidence
        .bytes
        .filter(|_| definition.action == Action::Create)
}

impl Ahead {
    /// What would take it back again, once it is at its end.
    pub(super) fn way_back(&self, soak: Duration) -> Course {
        let found = self.from.index(&self.task.index.name);
        let task = Task {
            direction: Direction::Down,
            index: found.unwrap_or(&self.task.index).clone(),
            soak,
            is_judged: false,
            ..self.task.clone()
        };
        let memory = Memory {
            is_fresh: false,
            stage: Stage::Begun,
            had_index: found.is_some(),
            hidden_for: None,
            ..self.memory.clone()
        };
        course::course(&task, &memory, &mut self.to.clone(), None)
    }
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
    (definition, direction): (&Definition, Direction),
    row: Option<&Row>,
    memory: &Memory,
    table: &Table,
    soak: Duration,
) -> Result<Task, Unreadable> {
    let mut index = definition.index.clone();
    let mut options = String::new();
    let restores = direction == Direction::Down && memory.stage != Stage::Equal;
    if restores && let Some(before) = row.and_then(|row| row.before.as_deref()) {
        index = Definition::parse("the ledger", before)?.index;
        if let Some(line) = row.and_then(|row| row.before_line.as_deref()) {
            options = line::options(line).map_err(Unreadable::Line)?;
        }
    }
    let is_new = direction == Direction::Up && definition.action == Action::Create;
    Ok(Task {
        action: definition.action,
        direction,
        is_judged: is_new && index.is_visible,
        storage: if !table.engine.eq_ignore_ascii_case("InnoDB") {
            Storage::Other
        } else if table.partitioning.is_some() {
            Storage::Partitioned
        } else {
            Storage::Whole
        },
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

/// Takes expressions over from an index and a column that are there and else the same, where nobody
/// may ask the server for its form: a look ahead changes nothing, not even for itself. `true` where
/// they are not the same as they are written.
pub(super) fn presumed_forms(task: &mut Task, table: &Table) -> bool {
    let mut presumes = false;
    if let Some(found) = table.index(&task.index.name)
        && likeness::is_same_but_expressions(&task.index, found, table)
        && !likeness::is_same_by_text(&task.index, found, table)
    {
        task.index.parts.clone_from(&found.parts);
        presumes = true;
    }
    if let Some(column) = &mut task.column
        && let Some(generated) = likeness::other_expression(column, table)
    {
        column.expression = generated;
        presumes = true;
    }
    presumes
}

#[cfg(test)]
mod tests;
