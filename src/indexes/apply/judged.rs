//! Whether a change keeps its promise, asked before it counts.

use super::drive::{Drive, Halt};
use super::{Error, Event, Verdict};
use crate::indexes::ledger::Standing;
use crate::indexes::reconcile::{Direction, Next, Stage, Step};
use crate::model::advice::Action;
use crate::model::finding::{Finding, Severity};
use crate::model::ledger::State;
use crate::model::schema::Table;

impl Drive<'_, '_> {
    /// Asks whether the new index keeps its promise; the error is why that stays open.
    pub(super) async fn judge(&mut self) -> Result<Result<Stage, String>, Halt> {
        let standing = Standing {
            state: Some(State::Staged),
            stage: Some(Stage::Built),
            ..Standing::default()
        };
        self.set(&standing).await?;
        let verdict = self.asked().await?;
        let (stage, note) = match &verdict {
            Verdict::Accepted(how) => (Ok(Stage::Accepted), format!("verified: {how}")),
            Verdict::NotJudged(why) => (Ok(Stage::Accepted), format!("not verified: {why}")),
            Verdict::Rejected(why) => (Ok(Stage::Rejecting), format!("rejected: {why}")),
            Verdict::Open(why) => (Err(why.clone()), format!("open: {why}")),
        };
        let standing = Standing {
            stage: stage.as_ref().ok().copied(),
            note: Some(&note),
            ..Standing::default()
        };
        self.set(&standing).await?;
        let version = self.job.version;
        let event = Event::Judged { version, verdict };
        self.session.hooks.tell(event).await;
        Ok(stage)
    }

    /// Refuses to hide or drop an index that queries still need, before anything is on record.
    pub(super) async fn judge_drop(&mut self, first: &Next, table: &Table) -> Result<(), Halt> {
        let job = &self.job;
        let is_drop = (job.direction, job.definition.action) == (Direction::Up, Action::Drop);
        let index = table.index(&job.definition.index.name);
        let is_first = matches!(first, Next::Do(Step::Hide | Step::DropIndex));
        if !is_drop || !is_first || !index.is_some_and(|index| index.is_visible) {
            return Ok(());
        }
        let verdict = self.asked().await?;
        let version = self.job.version;
        let Verdict::Rejected(why) = &verdict else {
            let event = Event::Judged { version, verdict };
            self.session.hooks.tell(event).await;
            return Ok(());
        };
        let mut finding = Finding {
            severity: Severity::Problem,
            code: "slower",
            message: format!("queries would get slower without it: {why}"),
            remedy: "`--even-if-slower` drops it all the same, after its time invisible".to_owned(),
        };
        if self.options.even_if_slower {
            finding.severity = Severity::Warning;
            finding.remedy = String::new();
        }
        let event = Event::Found {
            version,
            finding: finding.clone(),
        };
        self.session.hooks.tell(event).await;
        if self.options.even_if_slower {
            return Ok(());
        }
        Err(Halt::Failed(Error::Refused(vec![finding])))
    }

    /// Keeps what was counted so far; without it the change is made all the same.
    async fn count(&mut self) -> Result<(), Halt> {
        let (judge, cancel) = (self.session.hooks.judge, self.session.hooks.cancel);
        let (definition, schema) = (&self.job.definition, &self.job.table.schema);
        let counting = judge.counts(&mut self.session.side, definition, schema);
        let counted = tokio::select! {
            () = cancel.cancelled() => None,
            counted = counting => Some(counted),
        };
        let Some(counted) = counted else {
            self.session.renew_side().await?;
            return Err(Halt::Cancelled);
        };
        let kept = match counted {
            Ok(None) => return Ok(()),
            Ok(Some(counts)) => self.keep(&counts).await,
            Err(error) => Err(error.into()),
        };
        let error = match kept {
            Ok(()) => return Ok(()),
            Err(error @ (Error::Audit(_) | Error::Unrecorded { .. })) => {
                return Err(Halt::Failed(error));
            }
            Err(error) => error,
        };
        let finding = Finding {
            severity: Severity::Warning,
            code: "counts",
            message: format!(
                "the figures from before were not kept, so that `mydex index verify` has nothing to \
                 compare with: {error}"
            ),
            remedy: String::new(),
        };
        let version = self.job.version;
        let event = Event::Found { version, finding };
        self.session.hooks.tell(event).await;
        Ok(())
    }

    async fn asked(&mut self) -> Result<Verdict, Halt> {
        let (judge, cancel) = (self.session.hooks.judge, self.session.hooks.cancel);
        let (definition, schema) = (&self.job.definition, &self.job.table.schema);
        let judging = judge.judge(&mut self.session.side, definition, schema);
        let verdict = tokio::select! {
            () = cancel.cancelled() => None,
            verdict = judging => Some(verdict),
        };
        if let Some(verdict) = verdict {
            // A drop may be insisted on; what was rejected or stays open changes nothing.
            let may_change = match &verdict {
                Verdict::Rejected(_) => {
                    self.job.definition.action == Action::Drop && self.options.even_if_slower
                }
                Verdict::Open(_) => false,
                Verdict::Accepted(_) | Verdict::NotJudged(_) => true,
            };
            if may_change {
                self.count().await?;
            }
            return Ok(verdict);
        }
        // The connection that looks may have an answer under way.
        self.session.renew_side().await?;
        Err(Halt::Cancelled)
    }
}
