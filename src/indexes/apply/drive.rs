//! One version from where it stands to where it is to be.

use super::preview::{found, skip};
use super::record::{begins_soak, standing_after};
use super::session::Session;
use super::{Error, Event, Job, Options, Phase, Settled, Skipped, forms, observe, waits};
use crate::indexes::course;
use crate::indexes::ledger::{self, Before, Row, Standing};
use crate::indexes::likeness;
use crate::indexes::precheck;
use crate::indexes::reconcile::{Direction, Memory, Next, Stage, Step, Task, next};
use crate::indexes::steps::{self, MAX_STEPS};
use crate::indexes::ways;
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
    pub(super) session: &'s mut Session<'a>,
    pub(super) options: &'s Options,
    pub(super) job: Job,
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
        let rows = ledger::read(&mut self.session.link, schema).await?;
        let soaking = rows.iter().filter_map(waits::soaking);
        if let Some(skipped) = waits::waits_for(job, row.as_ref(), soaking) {
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
        let mut memory = ways::memory(row, job.direction);
        let soak = self.options.soak;
        let link = &mut self.session.link;
        let table = observe::table(link, &job.table).await?;
        let mut task = ways::task((&job.definition, job.direction), row, &memory, &table, soak)?;
        let unseen = forms::server_forms(link, &mut task, &table).await?;
        let seen = likeness::see(&task, &memory, &table);
        let before = memory
            .is_fresh
            .then(|| ways::capture(&task, &table, seen.twin.as_deref()));
        if let Some(before) = &before {
            memory.had_column = before.column.is_some();
        }
        let first = next(&task, &memory, &seen);
        if let Some(finding) = unseen.and_then(|unseen| unseen.stands_against(&table, &first)) {
            let version = self.job.version;
            let event = Event::Found {
                version,
                finding: finding.clone(),
            };
            self.session.hooks.tell(event).await;
            return Err(Halt::Failed(Error::Refused(vec![finding])));
        }
        if let Next::Conflict(what) = first {
            return Err(Halt::Failed(Error::Conflict(what)));
        }
        // Hiding and showing is looked into so shortly before that it needs no second look.
        let is_light = matches!(first, Next::Do(Step::Show | Step::Hide));
        if matches!(first, Next::Do(_) | Next::Judge) {
            self.prechecks(&task, &memory, &table, before.as_ref())
                .await?;
            self.judge_drop(&first, &table).await?;
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
        self.steps(&task, memory, is_light.then_some(table)).await
    }

    /// Step by step, each decided from what is there.
    async fn steps(
        &mut self,
        task: &Task,
        mut memory: Memory,
        mut known: Option<Table>,
    ) -> Result<Settled, Halt> {
        for _ in 0..MAX_STEPS {
            if self.session.hooks.cancel.is_cancelled() {
                return Err(Halt::Cancelled);
            }
            let table = match known.take() {
                Some(table) => table,
                None => observe::table(&mut self.session.link, &self.job.table).await?,
            };
            match next(task, &memory, &likeness::see(task, &memory, &table)) {
                Next::Do(step) => {
                    self.send(task, &memory, &step).await?;
                    steps::remember(&mut memory, &step);
                }
                Next::Judge => match self.judge().await? {
                    Ok(stage) => memory.stage = stage,
                    Err(why) => return Ok(self.settled(State::Staged, Some(why))),
                },
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
        self.before(task, memory, step).await?;
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
        ledger::end(&mut self.session.link, &on.schema, version, &result).await?;
        if let Some(standing) = standing_after(task, memory, step) {
            self.set(&standing).await?;
        }
        // The ledger knows how it ended, whatever became of the audit log.
        recorded.map_err(|error| error.after(&statement))?;
        self.phase(step, &statement, Phase::Recorded).await;
        Ok(())
    }

    /// What has to be on record before a step, because a kill right behind it would lose it.
    async fn before(&mut self, task: &Task, memory: &Memory, step: &Step) -> Result<(), Error> {
        if let Step::Aside { supports } = step {
            let names = serde_json::to_string(supports).unwrap_or_default();
            let standing = Standing {
                stage: Some(Stage::Aside),
                note: Some(&names),
                ..Standing::default()
            };
            self.set(&standing).await?;
        }
        if begins_soak(task, memory, step) {
            // An earlier soak does not count: the index has been visible since.
            let standing = Standing {
                shows: true,
                ..Standing::default()
            };
            self.set(&standing).await?;
        }
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

    /// Refuses what can be known to fail.
    async fn prechecks(
        &mut self,
        task: &Task,
        memory: &Memory,
        table: &Table,
        before: Option<&Before>,
    ) -> Result<(), Halt> {
        let said = ways::said_bytes(&self.job.definition);
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
}
