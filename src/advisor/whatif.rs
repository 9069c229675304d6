//! Costs of all queries under all sets of indexes, from few plans.
//!
//! Each query has an index benefit graph ([`super::graph`]). All graphs are worked on together,
//! level by level and in the order of what has to be visible, so that few indexes are shown and
//! hidden: that costs more than a plan. The plan of a query with several samples is that of all of
//! them: it costs their average and uses what any of them uses.
//!
//! MySQL's estimates are not monotone, since an index that is there refines the number of rows even
//! where it is not used. The graph takes them for monotone; [`recost`] asks for the plans under one
//! set directly and corrects what was derived for it.

mod asking;
mod work;

use std::collections::{BTreeMap, BTreeSet};

use tokio_util::sync::CancellationToken;

use self::asking::Asking;
use self::work::Work;
use super::costs::QueryCosts;
use super::graph::{ALONE, Set};
use super::planner::{Choice, Plan, Planner};
pub use super::recost::{
    Correction, correct, here, is_foreseen, plans, plans_of, recost, take, uses,
};
use super::together::{Ask, groups};
use super::workload::Sample;
use crate::server::Error;

/// One query to be judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Default schema of its sessions.
    pub schema: Option<String>,
    /// Statements with constants; one at least.
    pub samples: Vec<Sample>,
    /// Choices that may matter to it, existing ones included, by place.
    pub relevant: Set,
}

/// What is asked about: the indexes, and the state of today.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// All indexes.
    pub choices: &'a [Choice],
    /// Those that exist today.
    pub existing: &'a Set,
    /// Those that are never hidden: fixed ones, and existing ones that have to stay.
    pub kept: &'a Set,
}

/// Bounds of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Sets of indexes that are asked for, for each query.
    pub sets_per_query: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { sets_per_query: 48 }
    }
}

/// How far the work has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Sets of indexes that were asked for, over all queries.
    pub asked: usize,
    /// Sets that wait; answers can add to them.
    pub waiting: usize,
}

/// Told of progress.
pub type Watch<'a> = &'a mut (dyn FnMut(Progress) + Send);

/// What is known of one query.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Known {
    /// Its costs, with a weight of 1; none if it could not be explained.
    pub costs: QueryCosts,
    /// Its cost today, with the existing indexes.
    pub today: Option<f64>,
    /// What its plan of today uses.
    pub uses_today: Set,
    /// Why it, or some of its samples, could not be explained; one sentence.
    pub error: Option<String>,
    /// Places of the samples that can be explained.
    pub samples: Vec<usize>,
    /// Configurations, by their indexes, whose plan fetches rows through an index.
    pub fetching: BTreeSet<Vec<usize>>,
    /// Sets were left out because there were too many.
    pub is_cut: bool,
    /// All choices on its tables: others don't concern it.
    pub near: Set,
    /// Signatures of its plans of today, and of those by some indexes with nothing else there but
    /// what is there today, by what they use.
    pub alone: BTreeMap<Set, Vec<String>>,
    /// Plans, by their signatures, that the optimizer takes because of new indexes that they don't
    /// use, and all the new ones that they need: it looks into them for the number of rows.
    pub informed: BTreeMap<Vec<String>, Set>,
}

impl Known {
    /// Notes of which kind the plans with these indexes are.
    pub(super) fn note(&mut self, used: &Set, plans: &[Plan]) {
        if plans.iter().any(|plan| plan.fetches) {
            self.fetching.insert(used.iter().copied().collect());
        }
    }
}

/// What is known of all queries.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Explored {
    /// In the order of the questions.
    pub queries: Vec<Known>,
    /// It was cancelled: what is missing has its cost of today, or none.
    pub is_interrupted: bool,
    /// Plans that asking for every subset would have taken.
    pub exhaustive: f64,
}

/// Finds the costs of all queries. Afterwards the indexes of today are visible.
pub async fn explore<P: Planner + Send>(
    planner: &mut P,
    scene: Scene<'_>,
    questions: &[Question],
    bounds: Bounds,
    watch: Watch<'_>,
    stop: &CancellationToken,
) -> Result<Explored, Error> {
    let mut works: Vec<Work<'_>> = questions
        .iter()
        .map(|question| Work::of(scene, question, bounds))
        .collect();
    let exhaustive = works.iter().map(Work::exhaustive).sum();
    let mut asking = Asking {
        planner,
        scene,
        visible: scene.today(),
    };
    asking.today(&mut works, stop).await?;
    let mut asked = 0;
    let mut number = 0;
    while !stop.is_cancelled() {
        let level = next_level(&mut works);
        if level.is_empty() {
            // First single ones, by which the others are judged.
            number += 1;
            if number > ALONE {
                break;
            }
            for work in &mut works {
                let existing = work.hideable.intersection(scene.existing);
                let existing = existing.copied().collect();
                let informing = work.known.informed.values().flatten().copied().collect();
                work.graph.look_alone(&existing, number, &informing);
            }
            continue;
        }
        let mut waiting = level.len();
        for group in groups(level) {
            if stop.is_cancelled() {
                break;
            }
            asking.show_for(&group).await?;
            for ask in group.asks {
                if stop.is_cancelled() {
                    break;
                }
                asking.answer(&mut works[ask.query], ask.shown).await?;
                asked += 1;
                waiting -= 1;
                watch(Progress { asked, waiting });
            }
        }
    }
    asking.planner.show(&scene.today()).await?;
    Ok(Explored {
        queries: works.into_iter().map(Work::finish).collect(),
        is_interrupted: stop.is_cancelled(),
        exhaustive,
    })
}

/// All sets that can be asked for without further answers, in the order of what they hide.
fn next_level(works: &mut [Work<'_>]) -> Vec<Ask> {
    let mut level = Vec::new();
    for (query, work) in works.iter_mut().enumerate() {
        while let Some(shown) = work.graph.next_set() {
            level.push(Ask {
                query,
                hidden: work.hideable.difference(&shown).copied().collect(),
                shown,
            });
        }
    }
    level.sort_by(|one, other| one.hidden.cmp(&other.hidden));
    level
}

impl Scene<'_> {
    /// What is visible today.
    fn today(&self) -> Set {
        self.existing.union(self.kept).copied().collect()
    }
}
