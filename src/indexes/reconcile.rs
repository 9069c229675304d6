//! What is to be done next for one definition, from what is there now.
//!
//! There is no list of steps that a crash could cut in two. After each statement the server is
//! asked again what is there, and the next step is decided from that alone, with the little that
//! only the ledger can know. So a run that begins after a kill does what the killed one would have
//! done.

mod terms;

use std::time::Duration;

pub use terms::{Direction, Found, FoundColumn, Memory, Next, Seen, Stage, Step, Storage, Task};

use crate::model::advice::Action;
use crate::model::ledger::State;
use crate::model::units;

fn settle(state: State, reached: Stage) -> Next {
    Next::Settle {
        state,
        stage: reached,
        note: None,
    }
}

fn settle_saying(state: State, reached: Stage, note: impl Into<String>) -> Next {
    Next::Settle {
        state,
        stage: reached,
        note: Some(note.into()),
    }
}

/// The next step for a definition, from what is there.
#[must_use]
pub fn next(task: &Task, memory: &Memory, seen: &Seen) -> Next {
    if !seen.aside.is_empty() {
        return Next::Do(Step::Back {
            supports: seen.aside.clone(),
        });
    }
    match (task.direction, task.action) {
        (Direction::Up, Action::Create) if memory.stage == Stage::Rejecting && memory.had_index => {
            settle_saying(
                State::Rejected,
                Stage::Equal,
                "it was there before the definition, and stays invisible",
            )
        }
        (Direction::Up, Action::Create) if memory.stage == Stage::Rejecting => {
            remove(task, memory, seen, State::Rejected, Duration::ZERO)
        }
        (Direction::Up, Action::Create) => make(task, memory, seen),
        (Direction::Down, Action::Create) if memory.stage == Stage::Equal => {
            untouched(State::RolledBack)
        }
        (Direction::Down, Action::Create) if memory.had_index => restore(task, memory, seen),
        (Direction::Down, Action::Create) => {
            remove(task, memory, seen, State::RolledBack, task.soak)
        }
        (Direction::Up, Action::Drop) => drop_one(task, memory, seen),
        (Direction::Down, Action::Drop) if !memory.had_index => untouched(State::RolledBack),
        (Direction::Down, Action::Drop) => restore(task, memory, seen),
    }
}

fn untouched(state: State) -> Next {
    settle_saying(
        state,
        Stage::Equal,
        "the database was so before the definition, so that nothing is taken back",
    )
}

/// A new index, up to the end.
fn make(task: &Task, memory: &Memory, seen: &Seen) -> Next {
    let name = &task.index.name;
    match &seen.index {
        Found::Other(differs) => Next::Conflict(differs.clone()),
        Found::Same { is_visible } if *is_visible == task.index.is_visible => {
            if memory.is_fresh {
                let note = format!("index `{name}` was there already, as the definition says");
                return settle_saying(State::Applied, Stage::Equal, note);
            }
            settle(State::Applied, Stage::Done)
        }
        Found::Same { is_visible: true } => Next::Do(Step::Hide),
        Found::Same { is_visible: false } => {
            if task.is_judged && memory.stage != Stage::Accepted {
                Next::Judge
            } else {
                Next::Do(Step::Show)
            }
        }
        Found::Missing => {
            if memory.is_fresh
                && let Some(twin) = &seen.twin
            {
                let note = format!("index `{twin}` is the same under another name");
                return settle_saying(State::Applied, Stage::Equal, note);
            }
            build(task, memory, seen)
        }
    }
}

/// The steps up to the index itself.
fn build(task: &Task, memory: &Memory, seen: &Seen) -> Next {
    if task.column.is_some() {
        match &seen.column {
            FoundColumn::Missing => return Next::Do(Step::AddColumn),
            FoundColumn::Same => {}
            FoundColumn::Other(what) => return Next::Conflict(what.clone()),
        }
    }
    if !seen.supports.is_empty() && memory.stage != Stage::Kept {
        return Next::Do(Step::Aside {
            supports: seen.supports.clone(),
        });
    }
    let is_staged = task.is_judged && !task.is_primary_substitute;
    Next::Do(Step::Build {
        visible: task.index.is_visible && !is_staged,
    })
}

/// An index that was made goes again.
fn remove(task: &Task, memory: &Memory, seen: &Seen, state: State, soak: Duration) -> Next {
    match &seen.index {
        Found::Other(differs) => Next::Conflict(differs.clone()),
        Found::Same { is_visible } => gone(task, *is_visible, soak, memory),
        Found::Missing => column_gone(task, memory, seen, state),
    }
}

/// An index is hidden, soaks, and is dropped.
fn gone(task: &Task, is_visible: bool, soak: Duration, memory: &Memory) -> Next {
    if soak.is_zero() {
        return Next::Do(Step::DropIndex);
    }
    if task.is_primary_substitute {
        return Next::Conflict(
            "the index stands for the primary key that the table lacks, and can't be hidden; add \
             a primary key first, or drop it with `--soak 0s`"
                .to_owned(),
        );
    }
    if is_visible {
        return Next::Do(Step::Hide);
    }
    let since = memory.hidden_for.unwrap_or_default();
    if since >= soak {
        return Next::Do(Step::DropIndex);
    }
    let left = units::duration(soak.saturating_sub(since));
    let note = format!("it is invisible; a run after {left} drops it");
    settle_saying(State::Soaking, Stage::Hidden, note)
}

fn column_gone(task: &Task, memory: &Memory, seen: &Seen, state: State) -> Next {
    let Some(column) = &task.column else {
        return settle(state, Stage::Done);
    };
    match &seen.column {
        FoundColumn::Missing => settle(state, Stage::Done),
        _ if memory.had_column && task.action == Action::Create => settle_saying(
            state,
            Stage::Done,
            format!(
                "column `{}` was there before the definition and stays",
                column.name
            ),
        ),
        FoundColumn::Same if seen.column_users.is_empty() => Next::Do(Step::DropColumn),
        FoundColumn::Same => settle_saying(
            state,
            Stage::Done,
            format!(
                "column `{}` stays, because other indexes use it: `{}`",
                column.name,
                seen.column_users.join("`, `")
            ),
        ),
        FoundColumn::Other(what) => Next::Conflict(what.clone()),
    }
}

/// An index that is to go.
fn drop_one(task: &Task, memory: &Memory, seen: &Seen) -> Next {
    match &seen.index {
        Found::Other(differs) => Next::Conflict(differs.clone()),
        Found::Same { is_visible } => gone(task, *is_visible, task.soak, memory),
        Found::Missing if memory.is_fresh => settle_saying(
            State::Applied,
            Stage::Equal,
            format!("index `{}` was not there", task.index.name),
        ),
        Found::Missing => column_gone(task, memory, seen, State::Applied),
    }
}

/// An index that went, or is on its way, comes back as it was.
fn restore(task: &Task, memory: &Memory, seen: &Seen) -> Next {
    match &seen.index {
        Found::Other(differs) => Next::Conflict(differs.clone()),
        Found::Same { is_visible } if *is_visible == task.index.is_visible => {
            settle(State::RolledBack, Stage::Done)
        }
        Found::Same { is_visible: true } => Next::Do(Step::Hide),
        Found::Same { is_visible: false } => Next::Do(Step::Show),
        Found::Missing => {
            let not_judged = Task {
                is_judged: false,
                ..task.clone()
            };
            build(&not_judged, memory, seen)
        }
    }
}

#[cfg(test)]
mod tests;
