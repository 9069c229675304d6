//! Steps as statements, with what each needs, and what each does to a table.

use std::time::Duration;

use super::estimate;
use super::reconcile::{Memory, Next, Stage, Step, Task, next};
use super::{likeness, reconcile};
use crate::model::advice::{Action, LockLevel};
use crate::model::ledger::State;
use crate::model::schema::{Column, Generated, Index, Part, Table, TableName};
use crate::server::ddl::{self, Algorithm, Mode};

/// The column steps are instant or refused, never a copy of the table.
const INSTANT: Mode = Mode {
    algorithm: Algorithm::Instant,
    lock: LockLevel::None,
};

/// Steps that one definition can take, with room to spare: more are a mistake of this program.
pub(super) const MAX_STEPS: usize = 16;

/// How a step is carried out.
#[must_use]
pub fn mode(task: &Task, step: &Step) -> Mode {
    match step {
        Step::AddColumn | Step::DropColumn => INSTANT,
        Step::Build { .. } => Mode::to_build(&task.index),
        _ => Mode::ONLINE,
    }
}

/// The statement of a step, without a final semicolon.
#[must_use]
pub fn statement(task: &Task, on: &TableName, step: &Step) -> String {
    let mode = mode(task, step);
    let name = &task.index.name;
    match step {
        Step::Aside { supports } => {
            let asides = asides(supports);
            let names: Vec<_> = asides.iter().map(|(own, aside)| (*own, &**aside)).collect();
            ddl::rename_indexes(on, &names)
        }
        Step::Back { supports } => {
            let asides = asides(supports);
            let names: Vec<_> = asides.iter().map(|(own, aside)| (&**aside, *own)).collect();
            ddl::rename_indexes(on, &names)
        }
        Step::AddColumn => task.column.as_ref().map_or_else(String::new, |column| {
            let (full_type, expression) = (&column.full_type, &column.expression);
            ddl::add_virtual_column(on, &column.name, full_type, expression, mode)
        }),
        Step::Build { visible } => {
            let index = Index {
                is_visible: *visible,
                ..task.index.clone()
            };
            let made = ddl::create_index(on, &index, mode);
            let clauses = format!(", {}", mode.clauses());
            match made.strip_suffix(&clauses) {
                Some(bare) => format!("{bare}{}{clauses}", task.options),
                None => made,
            }
        }
        Step::Show => format!("{}, {}", ddl::set_visible(on, name, true), mode.clauses()),
        Step::Hide => format!("{}, {}", ddl::set_visible(on, name, false), mode.clauses()),
        Step::DropIndex => ddl::drop_index(on, name, mode),
        Step::DropColumn => task.column.as_ref().map_or_else(String::new, |column| {
            ddl::drop_column(on, &column.name, mode)
        }),
    }
}

fn asides(supports: &[String]) -> Vec<(&str, String)> {
    let pair = |own: &String| ddl::aside_name(own);
    supports.iter().map(|own| (own.as_str(), pair(own))).collect()
}

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
    let bytes = match step {
        Step::Build { .. } => Some(estimate::bytes(table, &task.index, said)),
        Step::DropIndex => table
            .index(&task.index.name)
            .map(|index| estimate::bytes(table, index, None)),
        _ => None,
    };
    let time = match (step, bytes) {
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
    }
}

/// What the ledger remembers after a step.
pub(super) fn remember(memory: &mut Memory, step: &Step) {
    memory.is_fresh = false;
    match step {
        Step::Aside { supports } => {
            memory.stage = Stage::Aside;
            memory.aside.clone_from(supports);
        }
        Step::Back { .. } => {
            memory.stage = Stage::Kept;
            memory.aside.clear();
        }
        Step::Build { visible: false } => memory.stage = Stage::Built,
        Step::Hide if memory.hidden_for.is_none() => memory.hidden_for = Some(Duration::ZERO),
        _ => {}
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
        Step::AddColumn => table.columns.extend(task.column.as_ref().map(|column| Column {
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
        })),
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

fn data_type(full_type: &str) -> String {
    let end = full_type.find(|c: char| !c.is_ascii_alphabetic());
    full_type[..end.unwrap_or(full_type.len())].to_ascii_lowercase()
}

/// What stands against the drop of an index, whatever the server would say later: it would say so
/// after the soak.
#[must_use]
pub fn needed_by(table: &Table, index: &Index, children: &[Vec<String>]) -> Option<String> {
    let columns = |index: &Index| -> Vec<String> {
        let plain = index.parts.iter().map_while(|part| match &part.what {
            Part::Column(name) if part.prefix.is_none() => Some(name.to_lowercase()),
            _ => None,
        });
        plain.collect()
    };
    let supports = |index: &Index, wanted: &[String]| {
        let wanted: Vec<String> = wanted.iter().map(|name| name.to_lowercase()).collect();
        columns(index).starts_with(&wanted)
    };
    let others: Vec<&Index> = table
        .indexes
        .iter()
        .filter(|other| !other.name.eq_ignore_ascii_case(&index.name))
        .collect();
    let is_alone = |wanted: &[String]| {
        supports(index, wanted) && !others.iter().any(|other| supports(other, wanted))
    };
    for key in &table.foreign_keys {
        if is_alone(&key.columns) {
            return Some(format!(
                "foreign key `{}` has no other index (error 1553); make one first",
                key.name
            ));
        }
    }
    if let Some(columns) = children.iter().find(|columns| is_alone(columns)) {
        return Some(format!(
            "foreign keys of other tables refer to (`{}`), and no other index has it (error 1553)",
            columns.join("`, `")
        ));
    }
    let counts_up = table.columns.iter().find(|column| column.is_auto_increment)?;
    is_alone(std::slice::from_ref(&counts_up.name)).then(|| {
        format!(
            "column `{}` counts up by itself and has no other index (error 1075)",
            counts_up.name
        )
    })
}

/// What is reached for a definition in this direction.
#[must_use]
pub(super) fn is_build(task: &Task) -> bool {
    matches!(
        (task.direction, task.action),
        (reconcile::Direction::Up, Action::Create) | (reconcile::Direction::Down, Action::Drop)
    )
}

#[cfg(test)]
mod tests;
