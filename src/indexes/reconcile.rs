//! What is to be done next for one definition, from what is there now.
//!
//! There is no list of steps that a crash could cut in two. After each statement the server is
//! asked again what is there, and the next step is decided from that alone, with the little that
//! only the ledger can know. So a run that begins after a kill does what the killed one would have
//! done.

use std::time::Duration;

use crate::model::advice::Action;
use crate::model::ledger::State;
use crate::model::schema::{GeneratedColumn, Index};
use crate::model::units;

/// Applied, or taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Direction {
    Up,
    Down,
}

impl Direction {
    /// The word of the ledger.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    /// The direction of that word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Up, Self::Down]
            .into_iter()
            .find(|direction| direction.word() == word)
    }
}

/// What only the ledger knows of a version that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The intent is on record, nothing more.
    Begun,
    /// The index that supports a foreign key may have another name for now.
    Aside,
    /// It has its name again, and counts as made by hand.
    Kept,
    /// The new index is there, invisible, and waits for its verification.
    Built,
    /// It was accepted.
    Accepted,
    /// It was rejected, and goes.
    Rejecting,
    /// The index that is to go is invisible.
    Hidden,
    /// The end of the way.
    Done,
    /// Nothing was done, because the database was so before.
    Equal,
}

impl Stage {
    const ALL: [Self; 9] = [
        Self::Begun,
        Self::Aside,
        Self::Kept,
        Self::Built,
        Self::Accepted,
        Self::Rejecting,
        Self::Hidden,
        Self::Done,
        Self::Equal,
    ];

    /// The word of the ledger.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Aside => "aside",
            Self::Kept => "kept",
            Self::Built => "built",
            Self::Accepted => "accepted",
            Self::Rejecting => "rejecting",
            Self::Hidden => "hidden",
            Self::Done => "done",
            Self::Equal => "equal",
        }
    }

    /// The stage of that word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.word() == word)
    }
}

/// What is to be reached for one definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Create or drop, as the definition says.
    pub action: Action,
    /// Applied, or taken back.
    pub direction: Direction,
    /// The index as it is with the definition (a create), or as it was without it (a drop).
    pub index: Index,
    /// The generated column that comes and goes with it.
    pub column: Option<GeneratedColumn>,
    /// Options of the index that its description has no place for, such as ` USING BTREE`.
    pub options: String,
    /// How long an index stays invisible before it is dropped.
    pub soak: Duration,
    /// A new index is judged before it becomes visible.
    pub is_judged: bool,
    /// The index stands, or would stand, for a primary key that the table lacks.
    pub is_primary_substitute: bool,
    /// The table is partitioned.
    pub is_partitioned: bool,
}

/// What the ledger remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// Nothing was begun: whatever is there is not from here.
    pub is_fresh: bool,
    /// How far it came.
    pub stage: Stage,
    /// How long the index has been invisible.
    pub hidden_for: Option<Duration>,
    /// The generated column was there before the definition.
    pub had_column: bool,
    /// The index was there before the definition: a drop found it, or a create found it the same.
    pub had_index: bool,
    /// Names of indexes that may have another name for now.
    pub aside: Vec<String>,
}

impl Memory {
    /// Of a version that the ledger does not know, or that was taken back.
    pub const FRESH: Self = Self {
        is_fresh: true,
        stage: Stage::Begun,
        hidden_for: None,
        had_column: false,
        had_index: false,
        aside: Vec::new(),
    };
}

/// What is there now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// The index of the definition's name.
    pub index: Found,
    /// The first other index that is the same structure.
    pub twin: Option<String>,
    /// The generated column.
    pub column: FoundColumn,
    /// Other indexes that use the generated column.
    pub column_users: Vec<String>,
    /// Indexes that MySQL may have made for a foreign key and would replace silently.
    pub supports: Vec<String>,
    /// Indexes that were renamed aside and have to get their names back: their own names.
    pub aside: Vec<String>,
}

/// An index compared with a description, facet by facet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Found {
    /// There is none of that name.
    #[default]
    Missing,
    /// It is the same but for who may see it.
    Same {
        /// The optimizer may use it.
        is_visible: bool,
    },
    /// Another one has its name; what differs, in words.
    Other(String),
}

/// A generated column compared with a description.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum FoundColumn {
    /// There is none of that name.
    #[default]
    Missing,
    /// It is the same.
    Same,
    /// Another column has its name; what it is, in words.
    Other(String),
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Rename the supports of foreign keys, so that they count as made by hand.
    Aside {
        /// Their names.
        supports: Vec<String>,
    },
    /// Give them their names back.
    Back {
        /// Their own names.
        supports: Vec<String>,
    },
    /// Add the generated column.
    AddColumn,
    /// Build the index.
    Build {
        /// The optimizer may use it at once.
        visible: bool,
    },
    /// Let the optimizer use it.
    Show,
    /// Keep the optimizer from using it.
    Hide,
    /// Drop the index.
    DropIndex,
    /// Drop the generated column.
    DropColumn,
}

impl Step {
    /// Its name in the ledger and in messages.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Aside { .. } => "rename_aside",
            Self::Back { .. } => "rename_back",
            Self::AddColumn => "add_column",
            Self::Build { .. } => "build",
            Self::Show => "show",
            Self::Hide => "hide",
            Self::DropIndex => "drop_index",
            Self::DropColumn => "drop_column",
        }
    }
}

/// What is next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Send this statement.
    Do(Step),
    /// Ask whether the new index keeps its promise.
    Judge,
    /// Nothing more for now.
    Settle {
        /// Where it stands.
        state: State,
        /// How it came there.
        stage: Stage,
        /// What there is to say.
        note: Option<String>,
    },
    /// What is there contradicts the definition.
    Conflict(String),
}

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
