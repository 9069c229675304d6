//! One version from where it stands to where it is to be.

use super::preview::{found, said_bytes, skip};
use super::session::Session;
use super::{Error, Event, Job, Options, Phase, Settled, Skipped, Verdict, observe};
use crate::indexes::course;
use crate::indexes::ledger::{self, Before, Record, Row, Standing};
use crate::indexes::likeness;
use crate::indexes::precheck;
use crate::indexes::reconcile::{Direction, Memory, Next, Stage, Step, Task, next};
use crate::indexes::steps::{self, MAX_STEPS};
use crate::model::advice::Action;
use crate::model::ledger::State;
use crate::model::schema::Table;

/// Why a version did not come to its end.
#[derive(Debug)]
pub(super) enum Halt {
    /// Somebody asked to stop.
    Cancelled,
    /// It can't go on.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// How a version ended.
pub(super) enum Ended {
    Settled(Settled),
    Skipped(Skipped),
}

/// One version that is worked on.
pub(super) struct Drive<'s, 'a> {
    session: &'s mut Session<'a>,
    options: &'s Options,
    job: Job,
}

impl<'s, 'a> Drive<'s, 'a> {
    pub(super) fn new(session: &'s mut Session<'a>, options: &'s Options, job: Job) -> Self {
        Self {
            session,
            options,
            job,
        }
    }

    /// Does what is to be done.
    pub(super) async fn run(mut self) -> Result<Ended, Halt> {
        let job = &self.job;
        let schema = &job.table.schema;
        let row = ledger::one(&mut self.session.link, schema, job.version).await?;
        if let Some(skipped) = skip(job, row.as_ref(), self.options)? {
            return Ok(Ended::Skipped(skipped));
        }
        if self.session.hooks.cancel.is_cancelled() {
            return Err(Halt::Cancelled);
        }
        self.session.enter(&job.table.schema).await?;
        let event = Event::Begun {
            version: job.version,
            name: job.name.clone(),
            direction: job.direction,
        };
        self.session.hooks.tell(event).await;
        match self.work(row.as_ref()).await {
            Err(Halt::Failed(Error::NoTable(_))) if self.job.direction == Direction::Down => {
                let note = "the table is gone, and the index with it";
                let standing = Standing {
                    state: Some(State::RolledBack),
                    stage: Some(Stage::Done),
                    note: Some(note),
                    ..Standing::default()
                };
                self.set(&standing).await?;
                let settled = self.settled(State::RolledBack, Some(note.to_owned()));
                Ok(Ended::Settled(settled))
            }
            Err(Halt::Failed(error)) => {
                let taken_back = self.take_back(&error).await;
                self.note(&error.to_string(), taken_back).await;
                Err(Halt::Failed(error))
            }
            Err(Halt::Cancelled) => {
                self.note("interrupted", false).await;
                Err(Halt::Cancelled)
            }
            done => done.map(Ended::Settled),
        }
    }

    /// Records why it stopped, if the connection still lives; what is on record already is enough
    /// to go on from.
    async fn note(&mut self, error: &str, is_taken_back: bool) {
        let (schema, version) = (&self.job.table.schema, self.job.version);
        let standing = Standing {
            state: is_taken_back.then_some(State::RolledBack),
            stage: is_taken_back.then_some(Stage::Done),
            error: Some(error),
            ..Standing::default()
        };
        let link = &mut self.session.link;
        let _ = ledger::end(link, schema, version, error).await;
        let _ = ledger::set(link, schema, version, &standing).await;
    }

    /// A new index that the server refused leaves nothing behind: what was made before it goes.
    async fn take_back(&mut self, error: &Error) -> bool {
        let is_refusal = matches!(error, Error::Statement { .. });
        if !is_refusal || self.job.direction == Direction::Down {
            return false;
        }
        if self.job.definition.action == Action::Drop {
            return false;
        }
        let (schema, version) = (self.job.table.schema.clone(), self.job.version);
        let link = &mut self.session.link;
        let Ok(Some(row)) = ledger::one(link, &schema, version).await else {
            return false;
        };
        self.job.direction = Direction::Down;
        let taken_back = self.work(Some(&row)).await.is_ok();
        self.job.direction = Direction::Up;
        taken_back
    }

    async fn work(&mut self, row: Option<&Row>) -> Result<Settled, Halt> {
        let job = &self.job;
        let mut memory = observe::memory(row, job.direction);
        let soak = self.options.soak;
        let link = &mut self.session.link;
        let table = observe::table(link, &job.table).await?;
        let mut task = observe::task(job, row, &memory, &table, soak)?;
        observe::server_forms(link, &mut task, &table).await?;
        let seen = likeness::see(&task, &memory, &table);
        let before = memory
            .is_fresh
            .then(|| observe::capture(&task, &table, seen.twin.as_deref()));
        if let Some(before) = &before {
            memory.had_column = before.column.is_some();
        }
        let first = next(&task, &memory, &seen);
        if let Next::Conflict(what) = first {
            return Err(Halt::Failed(Error::Conflict(what)));
        }
        if matches!(first, Next::Do(_) | Next::Judge) {
            self.prechecks(&task, &memory, &table, before.as_ref())
                .await?;
        }
        self.ledger_tables().await?;
        self.begin(row, before.as_ref(), &first).await?;
        if let (true, Some(before)) = (memory.is_fresh, &before) {
            let is_own_name = table.index(&task.index.name).is_some();
            memory.had_index = before.definition.is_some() && is_own_name;
        }
        if let Next::Settle { state, note, .. } = first
            && memory.is_fresh
        {
            return Ok(self.settled(state, note));
        }
        memory.is_fresh = false;
        let link = &mut self.session.link;
        memory.hidden_for =
            ledger::hidden_for(link, &self.job.table.schema, self.job.version).await?;
        self.steps(&task, memory).await
    }

    /// Step by step, each decided from what is there.
    async fn steps(&mut self, task: &Task, mut memory: Memory) -> Result<Settled, Halt> {
        for _ in 0..MAX_STEPS {
            if self.session.hooks.cancel.is_cancelled() {
                return Err(Halt::Cancelled);
            }
            let table = observe::table(&mut self.session.link, &self.job.table).await?;
            match next(task, &memory, &likeness::see(task, &memory, &table)) {
                Next::Do(step) => {
                    self.send(task, &memory, &step).await?;
                    steps::remember(&mut memory, &step);
                }
                Next::Judge => memory.stage = self.judge().await?,
                Next::Settle { state, stage, note } => {
                    let standing = Standing {
                        state: Some(state),
                        stage: Some(stage),
                        note: note.as_deref(),
                        hides: state == State::Soaking,
                        ..Standing::default()
                    };
                    self.set(&standing).await?;
                    return Ok(self.settled(state, note));
                }
                Next::Conflict(what) => return Err(Halt::Failed(Error::Conflict(what))),
            }
        }
        Err(Halt::Failed(Error::Conflict(
            "its steps have no end; this is a mistake in mydex".to_owned(),
        )))
    }

    /// Intent, statement, record.
    async fn send(&mut self, task: &Task, memory: &Memory, step: &Step) -> Result<(), Halt> {
        let version = self.job.version;
        let on = self.job.table.clone();
        let statement = steps::statement(task, &on, step);
        let target = format!(
            "definition {version} `{}`, {}, {}",
            self.job.name,
            self.job.direction.word(),
            step.word()
        );
        self.phase(step, &statement, Phase::Next).await;
        if let Step::Aside { supports } = step {
            let names = serde_json::to_string(supports).unwrap_or_default();
            let standing = Standing {
                stage: Some(Stage::Aside),
                note: Some(&names),
                ..Standing::default()
            };
            self.set(&standing).await?;
        }
        let (direction, word) = (self.job.direction, step.word());
        let link = &mut self.session.link;
        ledger::intend(link, &on.schema, version, direction, word, &statement).await?;
        self.session.record(&target, &statement, "intended").await?;
        self.phase(step, &statement, Phase::Intended).await;
        let outcome = self.session.change(version, &on, &statement).await;
        self.phase(step, &statement, Phase::Ended).await;
        let result = match &outcome {
            Ok(()) => "done".to_owned(),
            Err(Halt::Cancelled) => "interrupted".to_owned(),
            Err(Halt::Failed(Error::Statement { source, .. })) => source.to_string(),
            Err(Halt::Failed(error)) => error.to_string(),
        };
        let recorded = self.session.record(&target, &statement, &result).await;
        outcome?;
        // The intent is on record already; what would be missing is how it ended.
        recorded?;
        ledger::end(&mut self.session.link, &on.schema, version, &result).await?;
        if let Some(standing) = standing_after(task, memory, step) {
            self.set(&standing).await?;
        }
        self.phase(step, &statement, Phase::Recorded).await;
        Ok(())
    }

    async fn phase(&mut self, step: &Step, statement: &str, phase: Phase) {
        let event = Event::Step {
            version: self.job.version,
            word: step.word(),
            statement: statement.to_owned(),
            phase,
        };
        self.session.hooks.tell(event).await;
    }

    async fn set(&mut self, standing: &Standing<'_>) -> Result<(), Error> {
        let (schema, version) = (&self.job.table.schema, self.job.version);
        ledger::set(&mut self.session.link, schema, version, standing).await?;
        Ok(())
    }

    /// Asks whether the new index keeps its promise.
    async fn judge(&mut self) -> Result<Stage, Halt> {
        let standing = Standing {
            state: Some(State::Staged),
            stage: Some(Stage::Built),
            ..Standing::default()
        };
        self.set(&standing).await?;
        let (judge, cancel) = (self.session.hooks.judge, self.session.hooks.cancel);
        let (definition, schema) = (&self.job.definition, &self.job.table.schema);
        let judging = judge.judge(&mut self.session.side, definition, schema);
        let verdict = tokio::select! {
            () = cancel.cancelled() => None,
            verdict = judging => Some(verdict),
        };
        let Some(verdict) = verdict else {
            // The connection that looks may have an answer under way.
            self.session.renew_side().await?;
            return Err(Halt::Cancelled);
        };
        let (stage, note) = match &verdict {
            Verdict::Accepted(how) => (Stage::Accepted, format!("verified: {how}")),
            Verdict::NotJudged(why) => (Stage::Accepted, format!("not verified: {why}")),
            Verdict::Rejected(why) => (Stage::Rejecting, format!("rejected: {why}")),
        };
        let standing = Standing {
            stage: Some(stage),
            note: Some(&note),
            ..Standing::default()
        };
        self.set(&standing).await?;
        let version = self.job.version;
        self.session
            .hooks
            .tell(Event::Judged { version, verdict })
            .await;
        Ok(stage)
    }

    /// Refuses what can be known to fail.
    async fn prechecks(
        &mut self,
        task: &Task,
        memory: &Memory,
        table: &Table,
        before: Option<&Before>,
    ) -> Result<(), Halt> {
        let said = said_bytes(&self.job);
        let course = course::course(task, memory, &mut table.clone(), said);
        let own = self.session.link.thread();
        let server = self.session.server();
        let findings = found(
            &mut self.session.side,
            server,
            self.options,
            task,
            table,
            (&course, before, own),
        )
        .await?;
        let version = self.job.version;
        for finding in &findings {
            let finding = finding.clone();
            self.session
                .hooks
                .tell(Event::Found { version, finding })
                .await;
        }
        if precheck::is_refused(&findings) {
            return Err(Halt::Failed(Error::Refused(findings)));
        }
        Ok(())
    }

    /// Makes the ledger's tables where they are missing.
    async fn ledger_tables(&mut self) -> Result<(), Halt> {
        let schema = self.job.table.schema.clone();
        if ledger::is_there(&mut self.session.link, &schema).await? {
            return Ok(());
        }
        for statement in ledger::creation(&schema) {
            let target = format!("the ledger of `{schema}`");
            self.session.record(&target, &statement, "intended").await?;
            let made = self.session.link.run("the ledger", &statement).await;
            let result = made
                .as_ref()
                .map_or_else(ToString::to_string, |()| "done".to_owned());
            self.session.record(&target, &statement, &result).await?;
            made?;
        }
        Ok(())
    }

    /// Puts the intent on record.
    async fn begin(
        &mut self,
        row: Option<&Row>,
        before: Option<&Before>,
        first: &Next,
    ) -> Result<(), Halt> {
        let job = &self.job;
        let checksum = job.definition.checksum();
        let text = job.definition.to_toml();
        let record = Record {
            version: job.version,
            name: &job.name,
            action: job.definition.action,
            table: &job.table,
            index: &job.definition.index.name,
            checksum: &checksum,
            definition: &text,
            account: &self.session.account,
        };
        let link = &mut self.session.link;
        let Some(before) = before else {
            let turns = row.is_some_and(|row| row.direction != job.direction);
            ledger::end(
                link,
                &job.table.schema,
                job.version,
                "the run ended before this was recorded; what is there tells what became of it",
            )
            .await?;
            ledger::resume(link, &record, job.direction, turns).await?;
            return Ok(());
        };
        let standing = match first {
            Next::Settle { state, stage, note } => Standing {
                state: Some(*state),
                stage: Some(*stage),
                note: note.as_deref(),
                hides: *state == State::Soaking,
                ..Standing::default()
            },
            _ => Standing::default(),
        };
        ledger::begin(link, &record, job.direction, before, &standing).await?;
        Ok(())
    }

    fn settled(&self, state: State, note: Option<String>) -> Settled {
        Settled {
            version: self.job.version,
            name: self.job.name.clone(),
            table: self.job.table.clone(),
            index: self.job.definition.index.name.clone(),
            state,
            note,
        }
    }
}

/// What a step changes in the ledger, when its end is recorded.
fn standing_after(task: &Task, memory: &Memory, step: &Step) -> Option<Standing<'static>> {
    let nothing = Standing::default();
    match step {
        Step::Back { .. } => Some(Standing {
            stage: Some(Stage::Kept),
            note: Some(""),
            ..nothing
        }),
        Step::Build { visible: false } if task.is_judged => Some(Standing {
            state: Some(State::Staged),
            stage: Some(Stage::Built),
            ..nothing
        }),
        Step::Hide if !steps::is_build(task) && !restores(task, memory) => Some(Standing {
            state: Some(State::Soaking),
            stage: Some(Stage::Hidden),
            hides: true,
            ..nothing
        }),
        _ => None,
    }
}

/// Whether taking back puts an index into its former state instead of dropping it.
fn restores(task: &Task, memory: &Memory) -> bool {
    task.direction == Direction::Down && memory.had_index
}
