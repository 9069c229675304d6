//! Steps as statements, and what is remembered of them.

use std::time::Duration;

use super::reconcile::{Direction, Memory, Stage, Step, Storage, Task};
use crate::model::advice::Action;
use crate::model::schema::{Index, IndexKind, Part, Table, TableName};
use crate::server::ddl::{self, Algorithm, Mode};

/// Steps that one definition can take, with room to spare: more are a mistake of this program.
pub(super) const MAX_STEPS: usize = 16;

/// How a step is carried out: the weakest that the server accepts (tried on MySQL 9.7).
#[must_use]
pub fn mode(task: &Task, step: &Step) -> Mode {
    // The hidden column of an expression comes and goes with a copy of a partitioned table, and
    // what stands for the primary key goes with a copy of any.
    let is_partitioned = task.storage == Storage::Partitioned;
    let is_partitioned_expression = is_partitioned && task.index.is_functional();
    let is_whole = task.index.parts.iter().all(|part| part.prefix.is_none());
    match step {
        // Other engines build nothing in place (error 1845); only what an index is seen by changes
        // without a copy.
        Step::AddColumn | Step::DropColumn | Step::Build { .. } | Step::DropIndex
            if task.storage == Storage::Other =>
        {
            Mode::COPY
        }
        Step::AddColumn | Step::Build { .. } if forced_copy(task, step).is_some() => Mode::COPY,
        Step::AddColumn => Mode::INSTANT,
        Step::DropColumn => Mode::to_drop_column(is_partitioned, !task.functional.is_empty()),
        Step::Build { .. } | Step::DropIndex if is_partitioned_expression => Mode::COPY,
        Step::DropIndex if task.is_primary_substitute && is_whole => Mode::COPY,
        Step::Build { .. } => Mode::to_build(&task.index),
        Step::DropIndex => Mode::to_drop(&task.index),
        _ => Mode::ONLINE,
    }
}

/// Why the server builds something by a copy of the table alone, because of what else is there, and
/// what to do instead (error 1846, tried on MySQL 9.7): each index over an expression has a hidden
/// column of its own, and those have one order.
#[must_use]
pub fn forced_copy(task: &Task, step: &Step) -> Option<(String, String)> {
    if task.storage == Storage::Other {
        return None;
    }
    match step {
        Step::AddColumn => {
            let (other, column) = (task.functional.first()?, task.column.as_ref()?);
            Some((
                format!(
                    "index `{other}` is over an expression, and beside it the server adds column \
                     `{}` by a copy of the table only (error 1846)",
                    column.name
                ),
                "index the expression itself instead of a generated column".to_owned(),
            ))
        }
        Step::Build { .. }
            if task.index.is_functional()
                && task.storage != Storage::Partitioned
                && Mode::to_build(&task.index).algorithm != Algorithm::Copy =>
        {
            let name = task.index.name.to_lowercase();
            let behind = |other: &&String| other.to_lowercase() > name;
            let last = task.functional.iter().filter(behind).max()?;
            let is_new = task.action == Action::Create;
            Some((
                format!(
                    "`{}` sorts before `{last}`, which is over an expression as well, and the server \
                     builds it by a copy of the table only (error 1846)",
                    task.index.name
                ),
                if is_new {
                    format!("give it a name that sorts behind `{last}`")
                } else {
                    String::new()
                },
            ))
        }
        _ => None,
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
            let sql = ddl::create_index(on, &index, mode);
            let clauses = format!(", {}", mode.clauses());
            match sql.strip_suffix(&clauses) {
                Some(bare) => format!("{bare}{}{clauses}", task.options),
                None => sql,
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
    supports
        .iter()
        .map(|own| (own.as_str(), pair(own)))
        .collect()
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
        // Whoever could see it in between could have come to need it: the soak begins anew.
        Step::Hide => memory.hidden_for = Some(Duration::ZERO),
        Step::Show => memory.hidden_for = None,
        _ => {}
    }
}

/// What stands against the drop of an index, whatever the server would say later: it would say so
/// after the soak.
#[must_use]
pub fn needed_by(table: &Table, index: &Index, children: &[Vec<String>]) -> Option<String> {
    let columns = |index: &Index| -> Vec<String> {
        // Neither finds rows by a value of a column.
        if matches!(index.kind, IndexKind::FullText | IndexKind::Spatial) {
            return Vec::new();
        }
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
    let counts_up = table
        .columns
        .iter()
        .find(|column| column.is_auto_increment)?;
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
        (Direction::Up, Action::Create) | (Direction::Down, Action::Drop)
    )
}
