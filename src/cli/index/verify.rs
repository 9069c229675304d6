//! `mydex index verify`: the queries that a definition names, before and after it.

mod baseline;
mod checked;
mod output;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueHint;
use tokio::sync::Mutex;

use super::{Folder, change, plans};
use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome as Ended};
use crate::cli::{message, probe};
use crate::config::settings::Server;
use crate::indexes::files::Entry;
use crate::indexes::ledger::{self, Row};
use crate::indexes::reconcile::Direction;
use crate::indexes::verify::before::Counts;
use crate::indexes::verify::compare::{Comparison, Outcome, Rules, compare};
use crate::indexes::verify::guard;
use crate::indexes::verify::hide::{self, Hand};
use crate::indexes::verify::{self, Execute, Judgement, Settings, Verdict};
use crate::model::advice::Action;
use crate::model::ledger::State as Standing;
use crate::model::schema::TableName;
use crate::server::{self, Connection};

/// Options of `mydex index verify`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Which definitions.
    #[command(flatten)]
    pub folder: Folder,

    /// Verify this number alone.
    #[arg(long, value_name = "N")]
    pub only: Option<u32>,

    /// Hide an index again when the gain did not come or a query got slower.
    #[arg(long)]
    pub auto_rollback: bool,

    /// Compare what is counted from now on for this long, instead of everything since the change.
    #[arg(long, value_name = "TIME", value_parser = probe::duration)]
    pub window: Option<Duration>,

    /// Take the figures from before out of FILE, instead of the ledger.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub baseline: Option<PathBuf>,

    /// Write the figures of now into FILE, for `--baseline` later, and verify nothing.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath,
          conflicts_with_all = ["baseline", "window", "auto_rollback", "execute_queries"])]
    pub record: Option<PathBuf>,

    /// Calls of a query after the change that are needed.
    #[arg(long, value_name = "N", default_value_t = Rules::default().calls)]
    pub calls: u64,

    /// Run plain reads of the evidence with the index and without it, in turns, and compare what
    /// they read.
    #[arg(long)]
    pub execute_queries: bool,

    /// End each of these executions after this time.
    #[arg(long, value_name = "TIME", value_parser = probe::duration, default_value = "2s",
          requires = "execute_queries")]
    pub query_limit: Duration,
}

/// A definition that can be verified.
pub(super) struct Subject {
    pub(super) entry: Entry,
    pub(super) schema: String,
    pub(super) table: TableName,
    pub(super) state: State,
    /// The ledger says that it is built and waits, invisible, for its verification.
    pub(super) is_waiting: bool,
}

/// What there is of its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Visible,
    Invisible,
    Gone,
}

/// One definition, verified.
pub(super) struct Verified {
    pub(super) subject: Subject,
    pub(super) outcome: Outcome,
    pub(super) reason: String,
    pub(super) comparison: Option<Comparison>,
    pub(super) judgement: Option<Judgement>,
    /// Rows read through the index since the server counts.
    pub(super) index_reads: Option<u64>,
    /// The statement that hid the index again, or showed it, or why it was not sent.
    pub(super) taken_back: Option<Result<String, String>>,
}

/// Runs `mydex index verify`.
pub async fn run(context: &Context, args: &Args) -> Result<Ended, Error> {
    let server = context.server()?;
    let limits = &context.settings().monitor;
    let mut connection = server::open(server, limits).await?;
    // Held while an index is changed, which is never left in the middle.
    let changing = Mutex::new(());
    let work = async {
        let subjects = subjects(context, &mut connection, server, args).await?;
        if let Some(path) = &args.record {
            let all = counts(&mut connection, &subjects).await?;
            return baseline::write(path, &subjects, &all).map(|()| Ended::Fine);
        }
        let verified = verify_all(
            context,
            &mut connection,
            server,
            args,
            (subjects, &changing),
        )
        .await?;
        finish(context, args, &verified)
    };
    let ended = tokio::select! {
        biased;
        ended = work => ended,
        () = async {
            context.cancel.cancelled().await;
            let _ended = changing.lock().await;
        } => Ok(Ended::Interrupted),
    };
    connection.close().await;
    ended
}

/// Prints, and tells the exit status: a gain that did not come is a problem, and too few figures
/// are no judgement.
fn finish(context: &Context, args: &Args, verified: &[Verified]) -> Result<Ended, Error> {
    let (document, json) = output::of(verified);
    let checked = checked::of(&args.folder.dir, verified);
    context.emit_checked(&checked, &document, &json)?;
    let count = |wanted: fn(Outcome) -> bool| {
        let all = verified.iter();
        all.filter(|one| wanted(one.outcome)).count()
    };
    let open = count(|outcome| outcome == Outcome::Inconclusive);
    if count(|outcome| matches!(outcome, Outcome::NotGained | Outcome::Slower)) > 0 {
        Ok(Ended::Problem)
    } else if open > 0 {
        Err(Error::new(format!(
            "{open} of {} definitions can't be judged yet",
            verified.len()
        ))
        .hint("run it again after more calls; each definition says what is missing"))
    } else {
        Ok(Ended::Fine)
    }
}

/// The definitions whose change has reached the server.
async fn subjects(
    context: &Context,
    connection: &mut Connection,
    server: &Server,
    args: &Args,
) -> Result<Vec<Subject>, Error> {
    let (entries, default) = change::definitions(&args.folder, server)?;
    if let Some(only) = args.only
        && !entries.iter().any(|entry| entry.version == only)
    {
        return Err(Error::new(format!(
            "`{}` has no definition {only}",
            args.folder.dir.display()
        ))
        .hint("`mydex index status` lists them"));
    }
    let profile = context.settings().profile.name();
    let wanted = |entry: &Entry| match args.only {
        Some(only) => only == entry.version,
        None => entry.is_for(profile),
    };
    let mut subjects = Vec::new();
    let mut ledgers: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for entry in entries.into_iter().filter(wanted) {
        let schema = entry.definition.table_name(&default).schema;
        let live = guard::live_index(connection, &entry.definition, &schema).await?;
        let state = match live {
            Some((live, true)) if live.is_visible => State::Visible,
            Some((_, true)) => State::Invisible,
            _ => State::Gone,
        };
        let is_pending = match entry.definition.action {
            Action::Create => state == State::Gone,
            Action::Drop => state == State::Visible,
        };
        if is_pending && args.record.is_none() {
            message(&format!(
                "`{}` is not applied here, and not verified",
                entry.file
            ));
            continue;
        }
        if !ledgers.contains_key(&schema) {
            ledgers.insert(schema.clone(), ledger::read(connection, &schema).await?);
        }
        let rows = ledgers.get(&schema).into_iter().flatten();
        subjects.push(Subject {
            is_waiting: is_waiting(&entry, rows),
            table: entry.definition.table_name(&schema),
            entry,
            schema,
            state,
        });
    }
    Ok(subjects)
}

/// Whether the ledger says that the index of a definition is invisible for the time being.
fn is_waiting<'a>(entry: &Entry, mut rows: impl Iterator<Item = &'a Row>) -> bool {
    // A definition may want it invisible, and then that is how it is judged.
    !entry.definition.index.is_visible
        || rows.any(|row| {
            row.version == entry.version
                && row.direction == Direction::Up
                && matches!(row.state, Standing::Staged | Standing::Unfinished)
        })
}

async fn counts(connection: &mut Connection, subjects: &[Subject]) -> Result<Vec<Counts>, Error> {
    let mut all = Vec::new();
    for subject in subjects {
        let counts = guard::counts(connection, &subject.entry.definition, &subject.schema).await;
        all.push(counts?);
    }
    Ok(all)
}

/// The counts from before each change, from the file or the ledger.
async fn before(
    connection: &mut Connection,
    subjects: &[Subject],
    args: &Args,
) -> Result<Vec<Option<Counts>>, Error> {
    if let Some(path) = &args.baseline {
        return baseline::read(path, subjects);
    }
    let mut all = Vec::new();
    for subject in subjects {
        let kept = guard::recall(connection, &subject.schema, subject.entry.version).await;
        all.push(kept.map_err(|error| Error::from_chain(&error))?);
    }
    Ok(all)
}

async fn verify_all(
    context: &Context,
    connection: &mut Connection,
    server: &Server,
    args: &Args,
    (subjects, changing): (Vec<Subject>, &Mutex<()>),
) -> Result<Vec<Verified>, Error> {
    let before = before(connection, &subjects, args).await?;
    let from = match args.window {
        None => before.clone(),
        Some(window) => {
            let from = counts(connection, &subjects).await?;
            tokio::time::sleep(window).await;
            from.into_iter().map(Some).collect()
        }
    };
    let now = counts(connection, &subjects).await?;
    let rules = Rules {
        calls: args.calls,
        ..Rules::default()
    };
    let mut settings = Settings::new(plans::read);
    settings.execute = args.execute_queries.then(|| Execute {
        limit: args.query_limit,
        ..Execute::default()
    });
    let mut verified = Vec::new();
    for (place, subject) in subjects.into_iter().enumerate() {
        let definition = &subject.entry.definition;
        let judgement = match subject.state {
            State::Gone => None,
            _ => Some(verify::judge(connection, definition, &subject.schema, &settings).await?),
        };
        let comparison = match (&before[place], &from[place]) {
            (Some(before), Some(from)) => Some(compare(
                definition.action,
                before,
                from,
                &now[place],
                &rules,
            )),
            _ => None,
        };
        let (outcome, reason) = outcome(&subject, comparison.as_ref(), judgement.as_ref());
        let mut one = Verified {
            subject,
            outcome,
            reason,
            comparison,
            judgement,
            index_reads: now[place].index_reads,
            taken_back: None,
        };
        if args.auto_rollback {
            take_back(context, server, &mut one, changing).await?;
        }
        verified.push(one);
    }
    Ok(verified)
}

/// What was counted decides; before an index counts for anybody, and only then, its judgement does.
fn outcome(
    subject: &Subject,
    comparison: Option<&Comparison>,
    judgement: Option<&Judgement>,
) -> (Outcome, String) {
    let is_hidden =
        subject.entry.definition.action == Action::Create && subject.state == State::Invisible;
    let is_staged = is_hidden && subject.is_waiting;
    match (comparison, judgement) {
        _ if is_hidden && !is_staged => (
            Outcome::NotGained,
            "the index is hidden, so that no query uses it, and nothing waits for its verification: \
             `mydex index apply --only` with its number tries it again, `mydex index rollback` drops it"
                .to_owned(),
        ),
        (_, Some(judged)) if is_staged => {
            let outcome = match (judged.is_kept, judged.verdict) {
                (None, _) => Outcome::Inconclusive,
                (Some(true), _) => Outcome::Gained,
                (Some(false), Verdict::Worse) => Outcome::Slower,
                (Some(false), _) => Outcome::NotGained,
            };
            (outcome, format!("while it is invisible: {}", judged.reason))
        }
        (Some(counted), _) => (counted.outcome, counted.reason.clone()),
        (None, judged) => {
            let plans = judged.map_or_else(String::new, |judged| {
                format!("; its plans now: {}", judged.reason)
            });
            (
                Outcome::Inconclusive,
                format!("no figures from before the change were kept{plans}"),
            )
        }
    }
}

/// Hides a new index that did not keep its promise, and shows one again whose absence hurts.
async fn take_back(
    context: &Context,
    server: &Server,
    one: &mut Verified,
    changing: &Mutex<()>,
) -> Result<(), Error> {
    let definition = &one.subject.entry.definition;
    let visible = match (definition.action, one.outcome, one.subject.state) {
        (Action::Create, Outcome::NotGained | Outcome::Slower, State::Visible) => false,
        (Action::Drop, Outcome::Slower, State::Invisible) => true,
        (Action::Drop, Outcome::Slower, _) => {
            one.taken_back = Some(Err(
                "the index is gone: `mydex index rollback` builds it again".to_owned(),
            ));
            return Ok(());
        }
        _ => return Ok(()),
    };
    let audit = change::audit()?;
    let hand = Hand {
        server,
        limits: &context.settings().monitor,
        audit: &audit,
        read_only: context.settings().dashboard.read_only,
        cancel: &context.cancel,
    };
    let _changing = changing.lock().await;
    let sent = hide::set_visible(
        &hand,
        (one.subject.entry.version, definition),
        &one.subject.schema,
        visible,
        &one.reason,
    )
    .await;
    one.taken_back = Some(sent.map_err(|error| error.to_string()));
    Ok(())
}

#[cfg(test)]
mod tests;
