//! What the dashboard knows of the advisor: its run, its latest advice, what was written.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::rows::directed;
use super::{Model, RowKey};
use crate::model::advice::{Action, Advice, Recommendation};
use crate::model::schema::{Index, IndexKind, KeyPart, Part, TableName};
use crate::tui::columns::Col;
use crate::tui::filter::Haystack;

/// What a run is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) enum Subject {
    /// All digests of the server.
    Workload,
    /// One statement, by its normalized text or its digest.
    Query(Arc<str>),
}

/// A run of the advisor that has not ended.
#[derive(Debug, Clone)]
pub(in crate::tui) struct AdvisorRun {
    pub(in crate::tui) subject: Subject,
    /// On the clock that counts since the start.
    pub(in crate::tui) started: Duration,
    pub(in crate::tui) step: String,
    pub(in crate::tui) share: Option<f64>,
    /// It was asked to end.
    pub(in crate::tui) is_stopping: bool,
}

/// The advisor as far as it is not data on the screen: never frozen.
#[derive(Debug, Clone, Default)]
pub(in crate::tui) struct AdvisorState {
    pub(in crate::tui) run: Option<AdvisorRun>,
    /// Why the latest run ended without a result, and when.
    pub(in crate::tui) failed: Option<(String, Timestamp)>,
}

/// What became of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) enum Mark {
    /// Asked for.
    Asked,
    /// Written to this file.
    Written(String),
    /// Not written, and why.
    Refused(String),
}

/// An advice on the screen.
#[derive(Debug, Clone)]
pub(in crate::tui) struct AdviceSheet {
    pub(in crate::tui) advice: Arc<Advice>,
    pub(in crate::tui) at: Timestamp,
    pub(in crate::tui) subject: Subject,
    /// By the recommendation's place in the advice.
    pub(in crate::tui) marks: BTreeMap<usize, Mark>,
}

/// Identity of a recommendation, also across runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::tui) struct AdviceKey {
    is_drop: bool,
    table: TableName,
    kind: IndexKind,
    parts: Vec<KeyPart>,
    /// An index that exists is its name, one that is to be is its parts.
    name: Option<String>,
}

impl AdviceKey {
    pub(in crate::tui) fn of(recommendation: &Recommendation) -> Self {
        let is_drop = recommendation.action == Action::Drop;
        Self {
            is_drop,
            table: recommendation.table.clone(),
            kind: recommendation.index.kind,
            parts: recommendation.index.parts.clone(),
            name: is_drop.then(|| recommendation.index.name.clone()),
        }
    }
}

/// A change in one phrase: what becomes of which index of which table.
pub(in crate::tui) fn change_title(one: &Recommendation) -> String {
    format!(
        "{} {} on {}",
        action_word(one.action),
        one.index.name,
        one.table
    )
}

/// `create` or `drop`.
pub(in crate::tui) fn action_word(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Drop => "drop",
    }
}

/// The key parts of an index in one line, for reading and not for running.
pub(in crate::tui) fn parts_text(index: &Index) -> String {
    let kind = match index.kind {
        IndexKind::BTree | IndexKind::MultiValued => "",
        IndexKind::Hash => "hash ",
        IndexKind::FullText => "fulltext ",
        IndexKind::Spatial => "spatial ",
    };
    let unique = if index.is_unique { "unique " } else { "" };
    format!("{unique}{kind}{}", columns_text(index))
}

/// The key parts alone.
pub(in crate::tui) fn columns_text(index: &Index) -> String {
    let parts: Vec<String> = index.parts.iter().map(part_text).collect();
    parts.join(", ")
}

fn part_text(part: &KeyPart) -> String {
    let mut text = match &part.what {
        Part::Column(name) => name.clone(),
        Part::Expression(expression) => format!("({expression})"),
    };
    if let Some(prefix) = part.prefix {
        let prefix = format!("({prefix})");
        text.push_str(&prefix);
    }
    if part.is_descending {
        text.push_str(" desc");
    }
    text
}

impl AdviceSheet {
    /// Queries that a recommendation makes faster, and those that it makes slower.
    pub(in crate::tui) fn helped_and_hurt(recommendation: &Recommendation) -> (usize, usize) {
        let count = |test: fn(f64) -> bool| {
            recommendation
                .effects
                .iter()
                .filter(|(_, factor)| test(*factor))
                .count()
        };
        (count(|factor| factor < 1.0), count(|factor| factor > 1.0))
    }

    /// The part of the workload's time that one recommendation alone is worth.
    pub(in crate::tui) fn gain(&self, recommendation: &Recommendation) -> f64 {
        let before = self.advice.workload.before;
        if before > 0.0 {
            recommendation.marginal / before
        } else {
            0.0
        }
    }

    /// The schema that all recommendations share, if they do.
    pub(in crate::tui) fn only_schema(&self) -> Option<&str> {
        let mut schemas = self
            .advice
            .recommendations
            .iter()
            .map(|recommendation| recommendation.table.schema.as_str());
        let first = schemas.next()?;
        schemas.all(|schema| schema == first).then_some(first)
    }

    fn mark_rank(&self, position: usize) -> u8 {
        match self.marks.get(&position) {
            None => 0,
            Some(Mark::Asked) => 1,
            Some(Mark::Refused(_)) => 2,
            Some(Mark::Written(_)) => 3,
        }
    }

    fn compare(&self, a: usize, b: usize, col: Col) -> Ordering {
        let all = &self.advice.recommendations;
        let (one, other) = (&all[a], &all[b]);
        let counts = |r| Self::helped_and_hurt(r);
        match col {
            Col::Action => action_word(one.action).cmp(action_word(other.action)),
            Col::OnTable => one.table.cmp(&other.table),
            Col::Parts => parts_text(&one.index).cmp(&parts_text(&other.index)),
            Col::Size => one.bytes.cmp(&other.bytes),
            Col::Helps => counts(one).0.cmp(&counts(other).0),
            Col::Hurts => counts(one).1.cmp(&counts(other).1),
            Col::Proof => one.is_proven.cmp(&other.is_proven),
            Col::DdlLock => one.lock.cmp(&other.lock),
            Col::WriteCost => one.write_us_per_row.total_cmp(&other.write_us_per_row),
            Col::Build => one.build.cmp(&other.build),
            Col::File => self.mark_rank(a).cmp(&self.mark_rank(b)),
            _ => one.marginal.total_cmp(&other.marginal),
        }
    }
}

impl Model {
    /// The recommendation at a position of the table, with its place in the advice.
    pub(in crate::tui) fn recommendation(
        &self,
        position: usize,
    ) -> Option<(usize, &Recommendation)> {
        let sheet = self.shown().advice.as_ref()?;
        let place = *self.advice_rows.get(position)?;
        Some((place, sheet.advice.recommendations.get(place)?))
    }

    /// The recommendation that keys act on: the open one, else the selected one.
    pub(in crate::tui) fn chosen_recommendation(&self) -> Option<(usize, &Recommendation)> {
        let Some(open) = &self.sheet else {
            return self.recommendation(self.cursor()?);
        };
        let sheet = self.shown().advice.as_ref()?;
        let all = sheet.advice.recommendations.iter().enumerate();
        all.into_iter()
            .find(|(_, one)| RowKey::Advice(AdviceKey::of(one)) == open.key)
    }

    /// Makes the rows of the advice anew, after an advice or an answer.
    pub(in crate::tui) fn rebuild_advice(&mut self) {
        self.advice_rows = self.build_advice();
        self.remember_position();
    }

    pub(super) fn build_advice(&self) -> Vec<usize> {
        let Some(sheet) = &self.shown().advice else {
            return Vec::new();
        };
        let list = &self.lists[3];
        let all = &sheet.advice.recommendations;
        let mut rows: Vec<usize> = (0..all.len())
            .filter(|n| {
                let one = &all[*n];
                let text = format!(
                    "{} {} {} {}",
                    one.table.name,
                    one.index.name,
                    parts_text(&one.index),
                    one.reason
                );
                list.filter.matches(Haystack {
                    schema: &one.table.schema,
                    text: &text,
                    more: action_word(one.action),
                    ..Haystack::default()
                })
            })
            .collect();
        rows.sort_by(|a, b| {
            directed(sheet.compare(*a, *b, list.sort), list.descending).then_with(|| a.cmp(b))
        });
        rows
    }
}
