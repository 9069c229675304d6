//! The way from what is there to the end, followed step by step without sending anything.

use std::time::Duration;

use super::reconcile::{Memory, Next, Stage, Step, Task, next};
use super::steps::{MAX_STEPS, forced_copy, mode, remember, statement};
use super::{estimate, likeness};
use crate::model::ledger::State;
use crate::model::schema::{Column, Generated, GeneratedColumn, Index, Table};
use crate::server::ddl::{self, Algorithm, Mode};

/// A statement that would be sent, and what it is expected to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedStep {
    /// What it does, in one word.
    pub word: &'static str,
    /// The statement.
    pub statement: String,
    /// How it is carried out.
    pub mode: Mode,
    /// Expected time; what only changes the server's dictionary takes next to none.
    pub time: Duration,
    /// Bytes that the table grows by, or that it gives back.
    pub bytes: Option<u64>,
    /// It waits for the end of the soak.
    pub is_after_soak: bool,
    /// Why it copies the table because of what else is there, and what to do instead.
    pub forced_copy: Option<(String, String)>,
}

/// What would be done for one definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course {
    /// The statements in order.
    pub steps: Vec<PlannedStep>,
    /// Where they lead.
    pub state: State,
    /// What there is to say about that.
    pub note: Option<String>,
    /// Why nothing more can be done; the steps before it would still be taken.
    pub conflict: Option<String>,
    /// Whether a new index would be judged before it becomes visible.
    pub is_judged: bool,
}

/// Follows the steps from what is there to the end, and changes `table` as they would.
#[must_use]
pub fn course(task: &Task, memory: &Memory, table: &mut Table, said: Option<u64>) -> Course {
    follow(task, memory, table, said).0
}

/// Follows the steps as [`course`], and tells besides what the table is like where they stop for a
/// soak: so others find it until that is over.
pub(super) fn follow(
    task: &Task,
    memory: &Memory,
    table: &mut Table,
    said: Option<u64>,
) -> (Course, Option<Table>) {
    let mut at_soak = None;
    let course = to_the_end(task, memory, (table, &mut at_soak), said);
    (course, at_soak)
}

fn to_the_end(
    task: &Task,
    memory: &Memory,
    (table, at_soak): (&mut Table, &mut Option<Table>),
    said: Option<u64>,
) -> Course {
    let mut memory = memory.clone();
    let mut course = Course {
        steps: Vec::new(),
        state: State::Unfinished,
        note: None,
        conflict: None,
        is_judged: false,
    };
    let mut is_after_soak = false;
    for _ in 0..MAX_STEPS {
        match next(task, &memory, &likeness::see(task, &memory, table)) {
            Next::Do(step) => {
                course
                    .steps
                    .push(planned(task, table, &step, said, is_after_soak));
                remember(&mut memory, &step);
                change(task, &step, table);
            }
            Next::Judge => {
                course.is_judged = true;
                memory.stage = Stage::Accepted;
            }
            Next::Settle { state, .. } if state == State::Soaking && !is_after_soak => {
                is_after_soak = true;
                *at_soak = Some(table.clone());
                course.state = State::Soaking;
                memory.is_fresh = false;
                memory.hidden_for = Some(Duration::MAX);
            }
            Next::Settle { state, note, .. } => {
                if !is_after_soak {
                    course.state = state;
                }
                course.note = note;
                return course;
            }
            Next::Conflict(what) => {
                course.conflict = Some(what);
                return course;
            }
        }
    }
    course.conflict = Some("its steps have no end; this is a mistake in mydex".to_owned());
    course
}

fn planned(
    task: &Task,
    table: &Table,
    step: &Step,
    said: Option<u64>,
    is_after_soak: bool,
) -> PlannedStep {
    let copies = mode(task, step).algorithm == Algorithm::Copy;
    let bytes = match step {
        Step::AddColumn | Step::DropColumn if copies => Some(0),
        Step::Build { .. } => Some(estimate::bytes(table, &task.index, said)),
        Step::DropIndex => table
            .index(&task.index.name)
            .map(|index| estimate::bytes(table, index, None)),
        _ => None,
    };
    let bytes = match bytes {
        // The copy stands beside the table until it takes its place.
        Some(bytes) if copies => Some(bytes.saturating_add(table.data_bytes + table.index_bytes)),
        bytes => bytes,
    };
    let time = match (step, bytes) {
        (_, Some(bytes)) if copies => estimate::copy_time(bytes),
        (Step::Build { .. }, Some(bytes)) => estimate::build_time(table, bytes),
        _ => Duration::ZERO,
    };
    PlannedStep {
        word: step.word(),
        statement: statement(task, &table.name, step),
        mode: mode(task, step),
        time,
        bytes,
        is_after_soak,
        forced_copy: forced_copy(task, step),
    }
}

/// What a step does to the table.
fn change(task: &Task, step: &Step, table: &mut Table) {
    let name = task.index.name.as_str();
    let rename = |table: &mut Table, from: &str, to: &str| {
        let found = table.indexes.iter_mut().find(|index| index.name == from);
        if let Some(index) = found {
            to.clone_into(&mut index.name);
        }
    };
    match step {
        Step::Aside { supports } => {
            for own in supports {
                rename(table, own, &ddl::aside_name(own));
            }
        }
        Step::Back { supports } => {
            for own in supports {
                rename(table, &ddl::aside_name(own), own);
            }
        }
        Step::AddColumn => add_column(table, task.column.as_ref()),
        Step::DropColumn => {
            if let Some(column) = &task.column {
                let is_it = |known: &Column| known.name.eq_ignore_ascii_case(&column.name);
                table.columns.retain(|known| !is_it(known));
            }
        }
        Step::Build { visible } => table.indexes.push(Index {
            is_visible: *visible,
            ..task.index.clone()
        }),
        Step::Show | Step::Hide => {
            let is_it = |index: &&mut Index| index.name.eq_ignore_ascii_case(name);
            if let Some(index) = table.indexes.iter_mut().find(is_it) {
                index.is_visible = *step == Step::Show;
            }
        }
        Step::DropIndex => table
            .indexes
            .retain(|index| !index.name.eq_ignore_ascii_case(name)),
    }
}

/// The generated column as the server would describe it.
pub(super) fn add_column(table: &mut Table, column: Option<&GeneratedColumn>) {
    table.columns.extend(column.map(|column| Column {
        name: column.name.clone(),
        data_type: data_type(&column.full_type),
        full_type: column.full_type.clone(),
        is_nullable: true,
        max_chars: None,
        max_bytes: None,
        collation: None,
        is_auto_increment: false,
        generated: Some(Generated {
            expression: column.expression.clone(),
            is_stored: false,
        }),
    }));
}

fn data_type(full_type: &str) -> String {
    let end = full_type.find(|c: char| !c.is_ascii_alphabetic());
    full_type[..end.unwrap_or(full_type.len())].to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
