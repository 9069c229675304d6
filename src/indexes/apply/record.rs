//! What is put on record of a version while it is worked on.

use super::drive::{Drive, Halt};
use super::{Error, Settled};
use crate::indexes::ledger::{self, Before, Record, Row, Standing};
use crate::indexes::reconcile::{Direction, Memory, Next, Stage, Step, Task};
use crate::indexes::steps;
use crate::indexes::verify::before::Counts;
use crate::indexes::verify::guard;
use crate::model::ledger::State;
use crate::server::quote::hex_literal;

impl Drive<'_, '_> {
    /// Makes the ledger's tables where they are missing.
    pub(super) async fn ledger_tables(&mut self) -> Result<(), Halt> {
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
            let recorded = self.session.record(&target, &statement, &result).await;
            made?;
            recorded.map_err(|error| error.after(&statement))?;
        }
        Ok(())
    }

    /// Keeps counts beside the ledger.
    pub(super) async fn keep(&mut self, counts: &Counts) -> Result<(), Error> {
        let (schema, version) = (self.job.table.schema.clone(), self.job.version);
        let literal = hex_literal(&counts.to_json());
        let creation = guard::creation(&schema);
        let put = guard::keeping(&schema, version, &literal);
        // The audit log tells what is written where; the figures themselves are in the table.
        let shown = guard::keeping(&schema, version, "…");
        let target = format!(
            "the counts from before definition {version} `{}`",
            self.job.name
        );
        for (statement, shown) in [(&creation, &creation), (&put, &shown)] {
            self.session.record(&target, shown, "intended").await?;
            let made = self
                .session
                .link
                .run("the ledger's counts", statement)
                .await;
            let result = made
                .as_ref()
                .map_or_else(ToString::to_string, |()| "done".to_owned());
            let recorded = self.session.record(&target, shown, &result).await;
            made?;
            recorded.map_err(|error| error.after(shown))?;
        }
        Ok(())
    }

    /// Puts the intent on record.
    pub(super) async fn begin(
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

    pub(super) async fn set(&mut self, standing: &Standing<'_>) -> Result<(), Error> {
        let (schema, version) = (&self.job.table.schema, self.job.version);
        ledger::set(&mut self.session.link, schema, version, standing).await?;
        Ok(())
    }

    /// Records why it stopped, if the connection still lives; what is on record already is enough
    /// to go on from.
    pub(super) async fn note(&mut self, error: &str, is_taken_back: bool) {
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

    pub(super) fn settled(&self, state: State, note: Option<String>) -> Settled {
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
pub(super) fn standing_after(
    task: &Task,
    memory: &Memory,
    step: &Step,
) -> Option<Standing<'static>> {
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
        Step::Hide if begins_soak(task, memory, step) => Some(Standing {
            state: Some(State::Soaking),
            stage: Some(Stage::Hidden),
            hides_anew: true,
            ..nothing
        }),
        _ => None,
    }
}

/// Whether a step hides an index that is to be dropped.
pub(super) fn begins_soak(task: &Task, memory: &Memory, step: &Step) -> bool {
    *step == Step::Hide && !steps::is_build(task) && !restores(task, memory)
}

/// Whether taking back puts an index into its former state instead of dropping it.
fn restores(task: &Task, memory: &Memory) -> bool {
    task.direction == Direction::Down && memory.had_index
}
