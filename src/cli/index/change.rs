//! What `apply` and `rollback` share: settings, events as lines, and the report at the end.

mod json;
mod output;

use std::collections::BTreeSet;
use std::time::Duration;

use super::Folder;
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::message;
use crate::config::settings::Server;
use crate::indexes::apply::{self, Event, Options, Phase, Progress, Verdict};
use crate::indexes::files::Entry;
use crate::indexes::folder;
use crate::indexes::reconcile::Direction;
use crate::model::finding::{Finding, Severity};
use crate::model::ledger::State;
use crate::model::{text, units};
use crate::server::audit::Audit;

pub(super) use output::{emit_outcome, emit_preview};

/// Longest time that one try for a lock may hold up others.
const MAX_LOCK_WAIT: Duration = Duration::from_secs(1);

/// Shortest: below it nothing but an idle table could be changed.
const MIN_LOCK_WAIT: Duration = Duration::from_millis(50);

/// Limits that both commands take.
#[derive(Debug, Clone, clap::Args)]
pub struct Limits {
    /// How long to go on trying for a lock that others hold.
    #[arg(long, value_name = "TIME", value_parser = crate::cli::probe::duration, default_value = "5m")]
    pub patience: Duration,

    /// How long one try for a lock may hold up others, a second at most.
    #[arg(long, value_name = "TIME", value_parser = lock_wait, default_value = "1s")]
    pub lock_wait: Duration,

    /// Copy a table, and let its writers wait for that, where its other indexes leave no other way.
    #[arg(long)]
    pub allow_copy: bool,

    /// A replica that is further behind than this gets no new work.
    #[arg(long, value_name = "TIME", value_parser = crate::cli::probe::duration, default_value = "30s")]
    pub max_lag: Duration,
}

fn lock_wait(text: &str) -> Result<Duration, String> {
    let time = crate::cli::probe::duration(text)?;
    if (MIN_LOCK_WAIT..=MAX_LOCK_WAIT).contains(&time) {
        Ok(time)
    } else {
        Err("expected 50ms to 1s: longer would hold up others".to_owned())
    }
}

impl Limits {
    /// The limits as options of the work.
    pub(super) fn options(&self, context: &Context, soak: Duration) -> Options {
        let settings = context.settings();
        Options {
            soak,
            patience: self.patience,
            lock_wait: self.lock_wait,
            max_lag: self.max_lag,
            may_copy: self.allow_copy,
            read_only: settings.dashboard.read_only,
            ..Options::new(settings.monitor.clone())
        }
    }
}

/// The definitions of the folder, and the schema of those that name none.
pub(super) fn definitions(folder: &Folder, server: &Server) -> Result<(Vec<Entry>, String), Error> {
    let entries = folder::read(&folder.dir).map_err(|error| {
        // Texts of files are somebody else's; they go through the same filter as a server's.
        let text = text::block(&error.to_string()).into_owned();
        Error::new(text).hint("docs/indexes.md describes the files of the folder")
    })?;
    let schema = folder.schema.clone().or_else(|| server.database.clone());
    let needs_one = entries
        .iter()
        .any(|entry| entry.definition.schema.is_none());
    match schema {
        Some(schema) => Ok((entries, schema)),
        None if !needs_one && !entries.is_empty() => Ok((entries, String::new())),
        None => Err(
            Error::new("no schema is given for definitions that name none")
                .hint("add `--schema NAME`, or put the database into the server's URL"),
        ),
    }
}

/// Says how many of the definitions that were asked for are for other profiles; the one that was
/// asked for by its number is refused.
pub(super) fn others_left_out<'a>(
    asked: impl Iterator<Item = &'a Entry>,
    profile: &str,
    only: Option<u32>,
) -> Result<(), Error> {
    let others: Vec<&Entry> = asked.filter(|entry| !entry.is_for(profile)).collect();
    match (others.as_slice(), only) {
        ([], _) => Ok(()),
        ([other, ..], Some(only)) => {
            let profiles = other.terms.profiles.join("`, `");
            Err(Error::new(format!(
                "definition {only} is for profile `{profiles}`, and this is `{profile}`"
            ))
            .hint("choose the profile with `--profile`, or change `profiles` in the file"))
        }
        (all, None) => {
            message(&format!(
                "{} for other profiles than `{profile}` and left out",
                match all.len() {
                    1 => "1 definition is".to_owned(),
                    n => format!("{n} definitions are"),
                }
            ));
            Ok(())
        }
    }
}

/// The schemas whose ledgers hold what the folder is about.
pub(super) fn schemas(entries: &[Entry], schema: &str) -> BTreeSet<String> {
    let named = entries
        .iter()
        .filter_map(|entry| entry.definition.schema.clone());
    let own = (!schema.is_empty()).then(|| schema.to_owned());
    named.chain(own).collect()
}

/// The audit log of this user.
pub(super) fn audit() -> Result<Audit, Error> {
    Audit::of_user().map_err(|error| Error::from_chain(&error))
}

/// An error of the work, with its remedy.
pub(super) fn told(error: &apply::Error) -> Error {
    let shown = text::block(&error.to_string()).into_owned();
    let told = Error::new(shown);
    match error {
        apply::Error::ReadOnly => told.hint(
            "leave out `--read-only`, or set `read_only = false` for this server where it may be changed",
        ),
        apply::Error::Server(source) | apply::Error::Statement { source, .. } => {
            told.hint(source.hint())
        }
        apply::Error::NoTable(_) => told.hint("check `--schema` and the account's privileges"),
        apply::Error::Locked { .. } => told.hint(
            "nothing was changed by this statement; end those sessions or wait for them, or give `--patience` more time",
        ),
        _ => told,
    }
}

/// Time between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(2);

/// Shows what happens on standard error, one line each, and progress now and then.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// When the next line of progress is due, in the time of the statement that runs.
    next: Duration,
}

impl Shown {
    /// Shows one event.
    pub(super) fn show(&mut self, event: &Event) {
        if let Event::Progress { progress, .. } = event {
            if progress.elapsed < self.next {
                return;
            }
            self.next = progress.elapsed + PROGRESS;
        } else {
            self.next = Duration::ZERO;
        }
        show(event);
    }
}

fn show(event: &Event) {
    let line = match event {
        Event::Waiting {
            schema,
            holder,
            waited,
        } => format!(
            "waiting for `{schema}` for {}: held by {holder}",
            units::duration(*waited)
        ),
        Event::Begun {
            version,
            name,
            direction,
        } => {
            let what = match direction {
                Direction::Up => "applying",
                Direction::Down => "taking back",
            };
            format!("{what} {version:04} {name}")
        }
        Event::Found { finding, .. } => said(finding),
        Event::Step {
            statement,
            phase: Phase::Intended,
            ..
        } => format!("  {statement}"),
        Event::Step { .. } => return,
        Event::Progress { progress, .. } => so_far(progress),
        Event::Blocked {
            by,
            attempt,
            lost,
            pause,
            ..
        } => {
            let who = if by.is_empty() {
                "who can't be seen".to_owned()
            } else {
                by.join("; ")
            };
            let lost = if lost.is_zero() {
                String::new()
            } else {
                format!(", with {} of work lost", units::duration(*lost))
            };
            format!(
                "  no lock at try {attempt}{lost}; held by {who}; again in {}",
                units::duration(*pause)
            )
        }
        Event::Judged { verdict, .. } => match verdict {
            Verdict::Accepted(how) => format!("  verified: {how}"),
            Verdict::Rejected(why) => format!("  rejected, and taken back: {why}"),
            Verdict::NotJudged(why) => format!("  not verified: {why}"),
            Verdict::Open(why) => format!("  not verified, and left invisible: {why}"),
        },
        Event::Settled(settled) => {
            let note = settled
                .note
                .as_deref()
                .map_or_else(String::new, |note| format!("; {note}"));
            format!("  {}{note}", in_words(settled.state))
        }
    };
    message(&text::inline(&line));
}

/// A state as people write it.
pub(super) fn in_words(state: State) -> String {
    state.word().replace('_', " ")
}

/// How far a statement is, for one line.
fn so_far(progress: &Progress) -> String {
    let stage = progress
        .stage
        .as_deref()
        .unwrap_or("the server's stage instruments are off");
    let waiting = if progress.is_waiting {
        ", waiting for a lock on the table"
    } else {
        ""
    };
    let share = progress.share.map_or_else(String::new, |share| {
        let left = progress.left.map_or_else(String::new, |left| {
            format!(", about {} left", units::duration(left))
        });
        format!(", {}{left}", units::percent(share))
    });
    format!(
        "  {} so far{waiting}{share} ({stage})",
        units::duration(progress.elapsed)
    )
}

fn said(finding: &Finding) -> String {
    let word = match finding.severity {
        Severity::Problem => "problem",
        Severity::Warning => "warning",
        Severity::Note | Severity::Ok => "note",
    };
    if finding.remedy.is_empty() {
        return format!("  {word}: {}", finding.message);
    }
    format!("  {word}: {}; {}", finding.message, finding.remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indexes::files;

    #[test]
    fn a_definition_of_another_profile_is_refused_by_its_number() {
        let text = "table = \"orders\"\naction = \"create\"\nindex = \"ix\"\ncolumns = \
                    [\"state\"]\nreason = \"x\"\nprofiles = [\"production\"]\n";
        let files = vec![("0001_x.toml".to_owned(), text.to_owned())];
        let (entries, mistakes) = files::entries("", files);
        assert_eq!(mistakes, []);
        let told = |profile, only| others_left_out(entries.iter(), profile, only);
        assert!(told("production", Some(1)).is_ok());
        assert!(told("test", None).is_ok());
        let refused = told("test", Some(1)).unwrap_err().in_one_line();
        assert!(
            refused.contains("`production`") && refused.contains("--profile"),
            "{refused}"
        );
    }
}
