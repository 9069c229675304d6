//! What `apply` asks before it changes anything for good: the judgement of an index on the target,
//! figures to compare with later, and a dry run on a private server.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueHint;
use serde::Serialize;

use super::plans;
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::probe;
use crate::cli::steps::Steps;
use crate::config::settings::{Monitor, Server};
use crate::indexes::apply::{Change, Counting, Judge, Judging, Preview, Verdict};
use crate::indexes::definition::Definition;
use crate::indexes::shadow::{self, Tried};
use crate::indexes::verify::{self, Execute, Settings, guard};
use crate::model::finding::{Finding, Severity};
use crate::model::ledger::State;
use crate::report::doc::Block;
use crate::sandbox::{self, Sandbox};
use crate::server::{self, Connection};

/// Buffer pool of the private server: its tables are empty.
const BUFFER_POOL_MIB: u32 = 64;

/// How an index is judged before it counts.
#[derive(Debug, Clone, clap::Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct Judgements {
    /// Run plain reads of the evidence with the index and without it, in turns, and compare what
    /// they read; without it their plans are compared.
    #[arg(long)]
    pub execute_queries: bool,

    /// End each of these executions after this time.
    #[arg(long, value_name = "TIME", value_parser = probe::duration, default_value = "2s",
          requires = "execute_queries")]
    pub query_limit: Duration,

    /// Drop indexes that queries still read through, too.
    #[arg(long)]
    pub even_if_slower: bool,

    /// Let a new index become visible on estimates alone, even where only a run of its queries
    /// would tell whether the optimizer guesses well.
    #[arg(long, conflicts_with = "execute_queries")]
    pub trust_estimates: bool,

    /// Do not try the statements of a dry run on a private server.
    #[arg(long, conflicts_with = "execute")]
    pub no_trial: bool,

    /// Use this mysqld for the trial instead of the one on PATH or in the cache.
    #[arg(long, env = "MYDEX_MYSQLD", value_name = "PATH",
          value_hint = ValueHint::ExecutablePath)]
    pub mysqld: Option<PathBuf>,
}

impl Judgements {
    /// The settings of a judgement.
    pub(super) fn settings(&self) -> Settings {
        let mut settings = Settings::new(plans::read);
        settings.execute = self.execute_queries.then(|| Execute {
            limit: self.query_limit,
            ..Execute::default()
        });
        settings.trusts_estimates = self.trust_estimates;
        settings
    }
}

/// Judges new indexes on the target, and counts what their queries cost before.
pub(in crate::cli) struct OnTarget {
    pub(in crate::cli) settings: Settings,
}

impl Judge for OnTarget {
    fn judge<'a>(
        &'a self,
        connection: &'a mut Connection,
        definition: &'a Definition,
        default_schema: &'a str,
    ) -> Judging<'a> {
        Box::pin(async move {
            let judged =
                verify::judge(connection, definition, default_schema, &self.settings).await;
            match judged {
                Ok(judged) => match judged.is_kept {
                    Some(true) => Verdict::Accepted(judged.reason),
                    Some(false) => Verdict::Rejected(judged.reason),
                    None if judged.needs_run => Verdict::Open(judged.reason),
                    None => Verdict::NotJudged(judged.reason),
                },
                Err(error) => Verdict::NotJudged(error.to_string()),
            }
        })
    }

    fn counts<'a>(
        &'a self,
        connection: &'a mut Connection,
        definition: &'a Definition,
        default_schema: &'a str,
    ) -> Counting<'a> {
        Box::pin(async move {
            let counts = guard::counts(connection, definition, default_schema).await?;
            Ok(Some(counts))
        })
    }
}

/// What a dry run on a private server found.
#[derive(Debug, Default)]
pub(super) struct Trials {
    tried: Vec<Tried>,
    notes: Vec<String>,
}

/// A trial as JSON.
#[derive(Debug, Serialize)]
pub(super) struct JsonTrial {
    name: String,
    statements: Vec<JsonStatement>,
    problems: Vec<String>,
}

#[derive(Debug, Serialize)]
struct JsonStatement {
    statement: String,
    refused: Option<String>,
}

impl Trials {
    /// Whether something was refused.
    pub(super) fn is_refused(&self) -> bool {
        self.tried.iter().any(|tried| !tried.problems.is_empty())
    }

    /// For people.
    pub(super) fn blocks(&self) -> Vec<Block> {
        let mut blocks = vec![Block::Heading("Tried on a private server".to_owned())];
        let findings: Vec<Finding> = self
            .tried
            .iter()
            .flat_map(|tried| tried.problems.iter().map(move |problem| (tried, problem)))
            .map(|(tried, problem)| Finding {
                severity: Severity::Problem,
                code: "trial",
                message: format!("{}: {problem}", tried.name),
                remedy: String::new(),
            })
            .collect();
        let fine = self
            .tried
            .iter()
            .filter(|tried| tried.problems.is_empty())
            .count();
        if !self.tried.is_empty() {
            blocks.push(Block::Paragraph(format!(
                "{fine} of {} were carried out there and taken back, and left the tables as they \
                 were.",
                self.tried.len()
            )));
        }
        if !findings.is_empty() {
            blocks.push(Block::Findings(findings));
        }
        if !self.notes.is_empty() {
            blocks.push(Block::List(self.notes.clone()));
        }
        blocks
    }

    /// For programs.
    pub(super) fn json(&self) -> Vec<JsonTrial> {
        let statement = |(statement, refused): &(String, Option<String>)| JsonStatement {
            statement: statement.clone(),
            refused: refused.clone(),
        };
        self.tried
            .iter()
            .map(|tried| JsonTrial {
                name: tried.name.clone(),
                statements: tried.statements.iter().map(statement).collect(),
                problems: tried.problems.clone(),
            })
            .collect()
    }
}

/// Tries the statements of a dry run on a private server that is started for it; `None` where
/// there is nothing to try, or somebody asked to stop. A server that can't be had is a note and no
/// failure.
pub(super) async fn trial(
    context: &Context,
    (server, limits): (&Server, &Monitor),
    changes: &[Change<'_>],
    previews: &[Preview],
    args: &Judgements,
) -> Result<Option<Trials>, Error> {
    let trials: Vec<shadow::Trial<'_>> = changes
        .iter()
        .filter_map(|change| of_preview(change, previews))
        .collect();
    if trials.is_empty() {
        return Ok(None);
    }
    let options = sandbox::Options {
        mysqld: args.mysqld.clone(),
        max_connections: 50,
        buffer_pool_mib: BUFFER_POOL_MIB,
        ..sandbox::Options::default()
    };
    // The program may have to be fetched first.
    let mut steps = Steps::new();
    let mut show = |progress| steps.show(progress);
    let starting = tokio::select! {
        started = Sandbox::start(&options, &mut show) => Some(started),
        () = context.cancel.cancelled() => None,
    };
    steps.finish();
    let private = match starting {
        None => return Ok(None),
        Some(Ok(private)) => private,
        Some(Err(error)) => {
            let remedy = error.remedy().unwrap_or_default();
            return Ok(Some(Trials {
                tried: Vec::new(),
                notes: vec![format!("nothing was tried: {error}; {remedy}")],
            }));
        }
    };
    let outcome = tokio::select! {
        outcome = on(server, &private, limits, &trials, changes) => Some(outcome),
        () = context.cancel.cancelled() => None,
    };
    let stopped = private.stop().await;
    let Some(outcome) = outcome else {
        return Ok(None);
    };
    let report = outcome?;
    stopped.map_err(|error| Error::from_chain(&error))?;
    Ok(Some(Trials {
        tried: report.tried,
        notes: report.notes,
    }))
}

async fn on(
    server: &Server,
    private: &Sandbox,
    limits: &Monitor,
    trials: &[shadow::Trial<'_>],
    changes: &[Change<'_>],
) -> Result<shadow::Report, Error> {
    let mut target = server::open(server, limits)
        .await
        .map_err(|error| Error::from_chain(&error).hint(error.hint()))?;
    let endpoint = private.endpoint().server("private");
    let schema = changes.first().map_or("", |change| change.schema);
    let report = shadow::run(&mut target, &endpoint, limits, trials, schema).await;
    target.close().await;
    report.map_err(|error| Error::from_chain(&error))
}

/// The statements that would be sent for a change that was never begun.
fn of_preview<'a>(change: &Change<'a>, previews: &[Preview]) -> Option<shadow::Trial<'a>> {
    let same = |preview: &&Preview| preview.version == change.entry.version;
    let preview = previews.iter().find(same)?;
    let course = preview.course.as_ref()?;
    let is_new = matches!(
        preview.state,
        State::Pending | State::RolledBack | State::Rejected
    );
    if !is_new || course.conflict.is_some() || course.steps.is_empty() {
        return None;
    }
    let definition = &change.entry.definition;
    Some(shadow::Trial {
        name: change.entry.file.clone(),
        definition,
        up: course
            .steps
            .iter()
            .map(|step| step.statement.clone())
            .collect(),
        down: preview.back.clone(),
    })
}
