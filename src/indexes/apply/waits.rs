//! Versions that have to wait for the soak of another one.

use super::{Job, Preview, Skipped};
use crate::indexes::course::Course;
use crate::indexes::ledger::Row;
use crate::indexes::reconcile::Direction;
use crate::indexes::ways;
use crate::model::advice::Action;
use crate::model::ledger::State;
use crate::model::schema::TableName;

/// The version that keeps an index invisible until it drops it: its table, the index in small
/// letters, and its number.
pub(super) type Soaking<'a> = (&'a TableName, String, u32);

/// The soak of a version of the ledger.
pub(super) fn soaking(row: &Row) -> Option<Soaking<'_>> {
    (row.state == State::Soaking).then(|| (&row.table, row.index.to_lowercase(), row.version))
}

/// Whether a new index has to wait for another version to drop the one of its name: that is no
/// contradiction, but takes until the end of the soak.
pub(super) fn waits_for<'a>(
    job: &Job,
    row: Option<&Row>,
    mut soaking: impl Iterator<Item = Soaking<'a>>,
) -> Option<Skipped> {
    let is_new = job.direction == Direction::Up && job.definition.action == Action::Create;
    if !is_new || !ways::memory(row, job.direction).is_fresh {
        return None;
    }
    let index = job.definition.index.name.to_lowercase();
    let (_, _, version) = soaking.find(|(table, name, version)| {
        *version != job.version && **table == job.table && *name == index
    })?;
    Some(Skipped {
        version: job.version,
        name: job.name.clone(),
        state: row.map_or(State::Pending, |row| row.state),
        reason: format!(
            "it waits: version {version:04} drops the index of the same name when its soak is over"
        ),
    })
}

/// The soaks that there will be when it is the turn of a version: those of the previews before it,
/// and those of the ledger that the previews leave alone.
pub(super) fn soaks<'a>(
    rows: &'a [Row],
    previews: &'a [Preview],
) -> impl Iterator<Item = Soaking<'a>> {
    let is_previewed = |row: &&Row| {
        let is_it =
            |one: &Preview| one.version == row.version && one.table.schema == row.table.schema;
        previews.iter().any(is_it)
    };
    let left_alone = rows.iter().filter(move |row| !is_previewed(row));
    let planned = previews.iter().filter(|preview| {
        let course = preview.course.as_ref();
        course.is_some_and(|course| course.state == State::Soaking)
    });
    left_alone.filter_map(soaking).chain(planned.map(|preview| {
        (
            &preview.table,
            preview.index.to_lowercase(),
            preview.version,
        )
    }))
}

/// What is to wait has no steps for now.
pub(super) fn waiting(skipped: Skipped) -> Course {
    Course {
        steps: Vec::new(),
        state: skipped.state,
        note: Some(skipped.reason),
        conflict: None,
        is_judged: false,
    }
}
