//! Makes one change of an index, as it was agreed to on the screen and not otherwise.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Progress, Step};
use crate::cli::error::Error;
use crate::cli::index::judging::OnTarget;
use crate::cli::index::plans;
use crate::config::settings::{Server, Settings};
use crate::indexes::apply::{self, Change, End, Event, Options, Outcome, Range, Verdict};
use crate::indexes::course::Course;
use crate::indexes::folder;
use crate::indexes::ledger as records;
use crate::indexes::verify;
use crate::model::feed::{IndexChange, SOAK};
use crate::model::finding::Severity;
use crate::model::ledger::{DefinitionState, State};
use crate::model::schema::{Index, TableName};
use crate::model::units;
use crate::server::audit::Audit;
use crate::server::catalog::{self, Scope};
use crate::server::{self};

/// Characters of a statement that tell which one it is.
const HEAD: usize = 60;

/// Where a change is made.
pub(super) struct Place<'a> {
    pub(super) settings: &'a Settings,
    pub(super) server: &'a Server,
    pub(super) folder: &'a Path,
    pub(super) read_only: bool,
}

/// Makes the change, and says in one sentence what was done.
pub(super) async fn make(
    place: &Place<'_>,
    change: &IndexChange,
    progress: &Progress,
    cancel: &CancellationToken,
) -> Result<String, Error> {
    if place.read_only || place.server.read_only {
        return Err(Error::new(
            "changes are refused: this server or this run is read-only",
        ));
    }
    let audit = Audit::of_user().map_err(|error| Error::from_chain(&error))?;
    match change {
        IndexChange::Apply {
            definition,
            statements,
        } => apply_one(place, &audit, definition, statements, progress, cancel).await,
        IndexChange::RollBack { definition, now } => {
            let soak = if *now { Duration::ZERO } else { SOAK };
            roll_back(place, &audit, (definition, soak), progress, cancel).await
        }
        IndexChange::Hide { table, index } => {
            set_visible(place, &audit, (table, index), false, progress, cancel).await
        }
        IndexChange::Show { table, index } => {
            set_visible(place, &audit, (table, index), true, progress, cancel).await
        }
    }
}

fn options(place: &Place<'_>) -> Options {
    Options {
        read_only: place.read_only,
        // Whoever asks for a rejected definition by name has read that it was rejected.
        retries_rejected: true,
        soak: SOAK,
        ..Options::new(place.settings.monitor.clone())
    }
}

async fn apply_one(
    place: &Place<'_>,
    audit: &Audit,
    asked: &DefinitionState,
    agreed: &[String],
    progress: &Progress,
    cancel: &CancellationToken,
) -> Result<String, Error> {
    let entries = folder::read(place.folder).map_err(|error| Error::from_chain(&error))?;
    let entry = entries
        .iter()
        .find(|entry| entry.version == asked.version && entry.name == asked.name)
        .ok_or_else(|| {
            Error::new(format!("file {:04}_{} is gone", asked.version, asked.name))
                .hint("bring it back, or roll the definition back")
        })?;
    let schema = asked.table.schema.as_str();
    let changes = [Change { entry, schema }];
    let options = options(place);
    as_agreed(place, &changes, &options, agreed).await?;
    let judge = OnTarget {
        settings: verify::Settings::new(plans::read),
    };
    let mut notes = Vec::new();
    let mut watch = |event| follow(&event, progress, &mut notes);
    let outcome = apply::apply(
        place.server,
        audit,
        &changes,
        &options,
        &judge,
        &mut watch,
        cancel,
    )
    .await
    .map_err(|error| Error::from_chain(&error))?;
    told(outcome, asked, notes)
}

/// What would be sent now is what was on the screen. Where nothing would be, or it ends in a
/// contradiction, the work itself says so.
async fn as_agreed(
    place: &Place<'_>,
    changes: &[Change<'_>],
    options: &Options,
    agreed: &[String],
) -> Result<(), Error> {
    let previews = apply::preview(place.server, changes, options)
        .await
        .map_err(|error| Error::from_chain(&error))?;
    let courses = previews
        .iter()
        .filter_map(|preview| preview.course.as_ref());
    let mut courses = courses.filter(|course| course.conflict.is_none());
    let is_other = |course: &Course| {
        let statements = course.steps.iter().map(|step| step.statement.as_str());
        !course.steps.is_empty() && !statements.eq(agreed.iter().map(String::as_str))
    };
    if courses.any(is_other) {
        return Err(
            Error::new("what would be sent is no longer what was on the screen")
                .hint("look at it again, and ask again"),
        );
    }
    Ok(())
}

async fn roll_back(
    place: &Place<'_>,
    audit: &Audit,
    (asked, soak): (&DefinitionState, Duration),
    progress: &Progress,
    cancel: &CancellationToken,
) -> Result<String, Error> {
    let options = Options {
        soak,
        ..options(place)
    };
    same_in_ledger(place, asked).await?;
    let mut notes = Vec::new();
    let mut watch = |event| follow(&event, progress, &mut notes);
    let outcome = apply::rollback(
        place.server,
        audit,
        &BTreeSet::from([asked.table.schema.clone()]),
        Range::Only(asked.version),
        &options,
        &mut watch,
        cancel,
    )
    .await
    .map_err(|error| Error::from_chain(&error))?;
    told(outcome, asked, notes)
}

/// The ledger has the definition under the number that was chosen.
async fn same_in_ledger(place: &Place<'_>, asked: &DefinitionState) -> Result<(), Error> {
    let failed = |error: server::Error| Error::from_chain(&error).hint(error.hint());
    let mut connection = server::open(place.server, &place.settings.monitor)
        .await
        .map_err(failed)?;
    let rows = records::read(&mut connection, &asked.table.schema)
        .await
        .map_err(failed);
    connection.close().await;
    let is_same = rows?.iter().any(|row| {
        row.version == asked.version
            && row.name == asked.name
            && row.table == asked.table
            && row.index == asked.index
    });
    if is_same {
        return Ok(());
    }
    Err(
        Error::new("the ledger no longer has what was on the screen")
            .hint("read the indexes again"),
    )
}

async fn set_visible(
    place: &Place<'_>,
    audit: &Audit,
    (table, index): (&TableName, &Index),
    visible: bool,
    progress: &Progress,
    cancel: &CancellationToken,
) -> Result<String, Error> {
    let failed = |error: server::Error| Error::from_chain(&error).hint(error.hint());
    let mut connection = server::open(place.server, &place.settings.monitor)
        .await
        .map_err(failed)?;
    let scope = Scope::Tables(vec![table.clone()]);
    let reading = catalog::outline(&mut connection, &scope)
        .await
        .map_err(failed);
    connection.close().await;
    let reading = reading?;
    let now = reading
        .catalog
        .table(&table.schema, &table.name)
        .and_then(|found| found.index(&index.name));
    match now {
        None => return Err(Error::new("the index is gone")),
        Some(now) if !now.is_same_as(index) => {
            return Err(
                Error::new("another index has this name now").hint("read the indexes again")
            );
        }
        Some(_) => {}
    }
    let mut notes = Vec::new();
    let mut watch = |event| follow(&event, progress, &mut notes);
    let changed = apply::set_visible(
        place.server,
        audit,
        apply::Visibility {
            table,
            index: &index.name,
            visible,
        },
        &options(place),
        &mut watch,
        cancel,
    )
    .await
    .map_err(|error| Error::from_chain(&error))?;
    let is = if visible { "visible" } else { "hidden" };
    Ok(match (changed, cancel.is_cancelled()) {
        (true, _) => format!("it is {is}"),
        (false, true) => "stopped before the change; nothing was changed".to_owned(),
        (false, false) => format!("it was {is} already"),
    })
}

/// What an event says about how far the change is; what is worth keeping goes to `notes`.
fn follow(event: &Event, progress: &Progress, notes: &mut Vec<String>) {
    let mut step = Step::default();
    match event {
        Event::Waiting { holder, waited, .. } => {
            step.what = format!("waiting for {holder} since {}", units::duration(*waited));
        }
        Event::Begun { .. } => "looking at what is there".clone_into(&mut step.what),
        Event::Found { finding, .. } => {
            if finding.severity >= Severity::Warning {
                notes.push(finding.message.clone());
            }
            return;
        }
        Event::Step {
            word, statement, ..
        } => step.what = format!("{word}: {}", head(statement)),
        Event::Progress { progress, .. } => {
            step.what = match (&progress.stage, progress.is_waiting) {
                (_, true) => "waiting for the table's lock".to_owned(),
                (Some(stage), false) => stage.clone(),
                (None, false) => format!("running for {}", units::duration(progress.elapsed)),
            };
            step.share = progress.share;
            step.left = progress.left;
        }
        Event::Blocked {
            by, attempt, pause, ..
        } => {
            let who = by.first().map_or("others", String::as_str);
            step.what = format!(
                "{who} holds the table; try {} in {}",
                attempt.saturating_add(1),
                units::duration(*pause)
            );
        }
        Event::Judged { verdict, .. } => {
            let (Verdict::Accepted(how)
            | Verdict::Rejected(how)
            | Verdict::NotJudged(how)
            | Verdict::Open(how)) = verdict;
            step.what = format!("judged: {how}");
            notes.push(how.clone());
        }
        Event::Settled(settled) => step.what = settled.state.word().replace('_', " "),
    }
    progress.report(step);
}

fn head(statement: &str) -> String {
    if statement.chars().count() <= HEAD {
        return statement.to_owned();
    }
    let cut: String = statement.chars().take(HEAD - 1).collect();
    format!("{cut}…")
}

/// How a run over one definition ended, in one sentence.
fn told(outcome: Outcome, asked: &DefinitionState, notes: Vec<String>) -> Result<String, Error> {
    match outcome.end {
        End::Failed { error, .. } => return Err(Error::from_chain(&error)),
        End::Interrupted => {
            return Ok("stopped; the next run goes on from there, or takes it back".to_owned());
        }
        End::Complete => {}
    }
    if let Some(skipped) = outcome.skipped.first() {
        let is = skipped.state.word().replace('_', " ");
        return Err(Error::new(format!(
            "nothing was done, it is {is}: {}",
            skipped.reason
        )));
    }
    let Some(settled) = outcome.settled.first() else {
        return Err(Error::new("nothing was to be done"));
    };
    let mut text = match settled.state {
        State::Applied => format!("index {} is applied", settled.index),
        State::RolledBack => format!("index {} is as it was before", settled.index),
        State::Soaking => format!("index {} is hidden", settled.index),
        State::Staged => format!(
            "index {} is built and stays invisible, because it could not be judged",
            settled.index
        ),
        state => format!("index {} is {}", settled.index, state.word()),
    };
    let note = settled.note.iter().cloned().chain(notes).next();
    if let Some(note) = note {
        text.push_str("; ");
        text.push_str(&note);
    }
    // An index that was rejected is what the guard is for, and no success of what was asked.
    if settled.state == State::Staged
        || (settled.state == State::Rejected && asked.state != State::Rejected)
    {
        return Err(Error::new(text));
    }
    Ok(text)
}
