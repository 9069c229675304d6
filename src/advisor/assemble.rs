//! From the chosen set to advice: every recommendation with its statements and its evidence.

mod reasons;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::beside::{self, Mentions};
use super::candidate::Candidate;
use super::costs::{Problem, Selection};
use super::effects::{self, Contribution};
use super::sequence;
use super::workload::Workload;
use crate::model::advice::{Action, Alternative, LockLevel, Measured, QueryEffect, Recommendation};
use crate::model::schema::{Catalog, Index, Table, TableName};
use crate::server::ddl::{self, Mode};

/// Alternatives that are told for one recommendation.
const ALTERNATIVES: usize = 3;

/// One index of the problem.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// It exists.
    Existing {
        /// On which table.
        table: TableName,
        /// The index.
        index: Index,
        /// Why it may go; `None` when it has to stay.
        may_go: Option<String>,
        /// Candidates, by place, of which each does all that it does: where one is made, it may go
        /// as well.
        stand_ins: Vec<usize>,
    },
    /// It may be made.
    Candidate(Candidate),
}

impl Entry {
    /// The table it is on.
    #[must_use]
    pub fn table(&self) -> &TableName {
        match self {
            Self::Existing { table, .. } => table,
            Self::Candidate(candidate) => &candidate.table,
        }
    }

    /// Whether a choice may leave it out.
    #[must_use]
    pub fn may_go(&self) -> bool {
        match self {
            Self::Existing {
                may_go, stand_ins, ..
            } => may_go.is_some() || !stand_ins.is_empty(),
            Self::Candidate(_) => true,
        }
    }

    /// The index.
    #[must_use]
    pub fn index(&self) -> &Index {
        match self {
            Self::Existing { index, .. } => index,
            Self::Candidate(candidate) => &candidate.index,
        }
    }
}

/// What the answer does to one entry.
enum Change<'a> {
    Create(&'a Candidate),
    /// With the reason.
    Drop(&'a TableName, &'a Index, String),
}

/// What is known of one entry besides the problem.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EntryFacts {
    /// Estimated bytes on the target.
    pub bytes: u64,
    /// Estimated time to build it there.
    pub build: Duration,
    /// Estimated time for each inserted row, microseconds.
    pub write_us_per_row: f64,
    /// Upkeep in the whole workload, microseconds.
    pub upkeep_us: f64,
}

/// What is known of one query of the workload.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct QueryFacts {
    /// Cost of one execution before and after, in the optimizer's units.
    pub cost: (f64, f64),
    /// Executions before and after, where it was run.
    pub measured: Option<(Measured, Measured)>,
    /// Plans before and after.
    pub plans: Option<(String, String)>,
    /// Entries that its plan uses afterwards.
    pub uses: BTreeSet<usize>,
    /// It writes.
    pub writes: bool,
}

/// Everything that the recommendations are made of; lists are in the order of the problem's.
#[derive(Debug)]
pub struct Judged<'a> {
    /// The workload.
    pub workload: &'a Workload,
    /// The tables.
    pub catalog: &'a Catalog,
    /// The indexes.
    pub entries: &'a [Entry],
    /// What is known of them.
    pub facts: &'a [EntryFacts],
    /// The table of costs, measured ones written back.
    pub problem: &'a Problem,
    /// The answer.
    pub selection: &'a Selection,
    /// What is known of the queries.
    pub queries: &'a [QueryFacts],
    /// Whether executions support each change, by place.
    pub proven: &'a BTreeMap<usize, bool>,
    /// What one unit of the objective is called: a suffix such as ` s`.
    pub is_measured: bool,
}

impl Judged<'_> {
    fn chosen(&self) -> BTreeSet<usize> {
        self.selection.chosen.iter().copied().collect()
    }

    /// The recommendations, those with the greatest marginal gain first.
    #[must_use]
    pub fn recommendations(&self) -> Vec<Recommendation> {
        let chosen = self.chosen();
        let changes: Vec<(usize, Change<'_>)> = (0..self.entries.len())
            .filter_map(|place| Some((place, self.change(place, &chosen)?)))
            .collect();
        let places: Vec<usize> = changes.iter().map(|(place, _)| *place).collect();
        let mentions = Mentions::of(self.problem);
        let mut all: Vec<Recommendation> = changes
            .into_iter()
            .map(|(place, change)| {
                let contribution = self.contribution(place, &chosen, &places, &mentions);
                match change {
                    Change::Create(candidate) => {
                        self.create(place, candidate, contribution, &chosen)
                    }
                    Change::Drop(table, index, why) => {
                        self.drop(place, table, index, why, contribution)
                    }
                }
            })
            .collect();
        all.sort_by(|one, other| {
            other
                .marginal
                .total_cmp(&one.marginal)
                .then_with(|| one.table.cmp(&other.table))
                .then_with(|| one.index.name.cmp(&other.index.name))
        });
        sequence::in_order(all)
    }

    /// What the answer does to one entry, if anything.
    fn change(&self, place: usize, chosen: &BTreeSet<usize>) -> Option<Change<'_>> {
        match &self.entries[place] {
            Entry::Candidate(candidate) if chosen.contains(&place) => {
                Some(Change::Create(candidate))
            }
            Entry::Existing {
                table,
                index,
                may_go,
                stand_ins,
            } if !chosen.contains(&place) => {
                let why = may_go
                    .clone()
                    .or_else(|| self.why_replaced(stand_ins, chosen))?;
                Some(Change::Drop(table, index, why))
            }
            _ => None,
        }
    }

    /// The set without one of its indexes, or with one more: existing indexes whose last stand-in
    /// went come back.
    fn without(&self, place: usize, chosen: &BTreeSet<usize>) -> BTreeSet<usize> {
        let mut set = chosen.clone();
        if !set.remove(&place) {
            set.insert(place);
        }
        self.settle(&mut set);
        set
    }

    /// Adds the existing indexes that may only be missing where others are there.
    fn settle(&self, set: &mut BTreeSet<usize>) {
        for (place, entry) in self.entries.iter().enumerate() {
            let Entry::Existing {
                may_go: None,
                stand_ins,
                ..
            } = entry
            else {
                continue;
            };
            if !stand_ins.iter().any(|stand_in| set.contains(stand_in)) {
                set.insert(place);
            }
        }
    }

    fn contribution(
        &self,
        place: usize,
        chosen: &BTreeSet<usize>,
        changes: &[usize],
        mentions: &Mentions,
    ) -> Contribution {
        let others: Vec<usize> = changes
            .iter()
            .copied()
            .filter(|one| *one != place)
            .collect();
        let (left, beside) = beside::retreat(
            self.problem,
            mentions,
            self.without(place, chosen),
            &others,
            |change, set| self.without(change, set),
        );
        effects::contribution(self.problem, (&left, beside), chosen)
    }

    fn create(
        &self,
        place: usize,
        candidate: &Candidate,
        contribution: Contribution,
        chosen: &BTreeSet<usize>,
    ) -> Recommendation {
        let facts = self.facts.get(place).copied().unwrap_or_default();
        let (ddl, undo) = creation(candidate, self.catalog);
        Recommendation {
            action: Action::Create,
            table: candidate.table.clone(),
            index: candidate.index.clone(),
            column: candidate.column.clone(),
            reason: self.why_create(candidate, &contribution),
            ddl,
            undo,
            bytes: facts.bytes,
            build: facts.build,
            lock: candidate.lock,
            write_us_per_row: facts.write_us_per_row,
            write_us_per_second: self.per_second(facts.upkeep_us),
            marginal: contribution.marginal,
            is_proven: self.proven.get(&place).copied().unwrap_or(false),
            effects: contribution.effects,
            alternatives: self.alternatives(place, chosen),
        }
    }

    fn drop(
        &self,
        place: usize,
        table: &TableName,
        index: &Index,
        why: String,
        contribution: Contribution,
    ) -> Recommendation {
        let facts = self.facts.get(place).copied().unwrap_or_default();
        let (build, unbuild) = modes(self.catalog.tables.get(table), index);
        Recommendation {
            action: Action::Drop,
            table: table.clone(),
            index: index.clone(),
            column: None,
            reason: why,
            ddl: index
                .is_visible
                .then(|| ddl::set_visible(table, &index.name, false))
                .into_iter()
                .chain([ddl::drop_index(table, &index.name, unbuild)])
                .collect(),
            undo: vec![ddl::create_index(table, index, build)],
            bytes: index.bytes.unwrap_or(facts.bytes),
            build: Duration::ZERO,
            lock: LockLevel::None,
            write_us_per_row: -facts.write_us_per_row,
            write_us_per_second: self.per_second(-facts.upkeep_us),
            marginal: contribution.marginal,
            is_proven: self.proven.get(&place).copied().unwrap_or(false),
            effects: contribution.effects,
            alternatives: Vec::new(),
        }
    }

    fn per_second(&self, us: f64) -> Option<f64> {
        let window = self.workload.window?.as_secs_f64();
        (window > 0.0).then(|| us / window)
    }

    fn alternatives(&self, place: usize, chosen: &BTreeSet<usize>) -> Vec<Alternative> {
        let entry = &self.entries[place];
        let Entry::Candidate(candidate) = entry else {
            return Vec::new();
        };
        let queries: BTreeSet<_> = candidate.origins.iter().filter_map(|o| o.query).collect();
        let near = (0..self.entries.len()).filter(|other| {
            let Entry::Candidate(other) = &self.entries[*other] else {
                return false;
            };
            other.table == candidate.table
                && (other.index.parts.first() == candidate.index.parts.first()
                    || other
                        .origins
                        .iter()
                        .any(|origin| origin.query.is_some_and(|query| queries.contains(&query))))
        });
        let near: Vec<usize> = near.collect();
        let sets = near
            .into_iter()
            .filter(|rival| !chosen.contains(rival))
            .map(|rival| {
                let mut set = chosen.clone();
                set.remove(&place);
                set.insert(rival);
                self.settle(&mut set);
                (rival, set)
            });
        effects::rivals(self.problem, chosen, sets, ALTERNATIVES)
            .into_iter()
            .map(|rival| Alternative {
                index: self.entries[rival.place].index().clone(),
                why: self.why_not(place, &rival),
            })
            .collect()
    }

    /// What becomes of every query, in the order of the workload.
    #[must_use]
    pub fn query_effects(&self) -> Vec<QueryEffect> {
        let chosen = self.chosen();
        self.workload
            .queries
            .iter()
            .zip(self.queries)
            .map(|(query, facts)| QueryEffect {
                name: query.name.clone(),
                fingerprint: query.fingerprint.clone(),
                schema: query.schema.clone(),
                calls: query.calls,
                time: query.time,
                cost: facts.cost,
                measured: facts.measured,
                plans: facts.plans.clone(),
                uses: facts
                    .uses
                    .iter()
                    .filter(|place| chosen.contains(place))
                    .filter_map(|place| self.entries.get(*place))
                    .filter(|entry| matches!(entry, Entry::Candidate(_)))
                    .map(|entry| entry.index().name.clone())
                    .collect(),
                writes: facts.writes,
            })
            .collect()
    }
}

/// The statements that make a candidate, and those that undo them.
#[must_use]
pub fn creation(candidate: &Candidate, catalog: &Catalog) -> (Vec<String>, Vec<String>) {
    let table = &candidate.table;
    let index = &candidate.index;
    let known = catalog.tables.get(table);
    let mut ddl = Vec::new();
    let supports = known.map_or_else(Vec::new, |table| ddl::silently_replaced(table, index));
    if !supports.is_empty() {
        let asides: Vec<String> = supports.iter().map(|name| ddl::aside_name(name)).collect();
        let there: Vec<_> = supports
            .iter()
            .copied()
            .zip(asides.iter().map(String::as_str))
            .collect();
        let back: Vec<_> = there.iter().map(|(own, aside)| (*aside, *own)).collect();
        ddl.push(ddl::rename_indexes(table, &there));
        ddl.push(ddl::rename_indexes(table, &back));
    }
    let (build, unbuild) = modes(known, index);
    let mut undo = vec![ddl::drop_index(table, &index.name, unbuild)];
    if let Some(column) = &candidate.column {
        ddl.push(ddl::add_virtual_column(
            table,
            &column.name,
            &column.full_type,
            &column.expression,
            Mode::INSTANT,
        ));
        // An index on an expression that is made after this one does not stand in the way of an
        // undo in place.
        undo.push(ddl::drop_column(table, &column.name, Mode::ONLINE));
    }
    ddl.push(ddl::create_index(table, index, build));
    (ddl, undo)
}

/// How an index is built on its table, and dropped from it.
fn modes(table: Option<&Table>, index: &Index) -> (Mode, Mode) {
    table.map_or((Mode::to_build(index), Mode::to_drop(index)), |table| {
        (
            Mode::to_build_on(table, index),
            Mode::to_drop_from(table, index),
        )
    })
}
