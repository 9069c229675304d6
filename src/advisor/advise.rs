//! One run of the advisor, from a workload to advice.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::assemble::{Entry, EntryFacts, Judged, QueryFacts};
use super::candidate::Candidate;
use super::candidates::{self, size};
use super::costs::{IndexChoice, Problem, QueryCosts, Selection};
use super::effort::{self, TargetCost};
use super::existing::Fate;
use super::material::{self, Material};
use super::planner::{Calls, Choice, Planner as _};
use super::prove::{self, Proof};
use super::select;
use super::session::Session;
use super::twin::{self, Twin};
use super::weights;
use super::whatif::{self, Asked};
use super::workload::Workload;
use crate::config::settings::{Monitor, Server};
use crate::model::advice::{
    Advice, Effort, Limits, Optimality, Tier, TwinSummary, WorkloadSummary,
};
use crate::model::finding::{Finding, Severity};
use crate::model::schema::{Catalog, Table};
use crate::server::{self, Connection};

/// What a run needs besides the workload.
#[derive(Debug, Clone)]
pub struct Run {
    /// Name of the server that the advice is for.
    pub server: String,
    /// The server that stands for it.
    pub twin: Server,
    /// Limits of connections.
    pub monitor: Monitor,
    /// What the user asked for.
    pub options: Options,
}

/// What the user asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// How candidates are judged.
    pub tier: Tier,
    /// Limits of the chosen set.
    pub limits: Limits,
    /// Rows that are sampled at most.
    pub sample_rows: u64,
    /// Plans of the chosen set are executed.
    pub with_proof: bool,
    /// Existing indexes stay as they are.
    pub keeps_existing: bool,
}

/// What is being done.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// A phrase.
    pub what: String,
    /// How far it is, 0 to 1, where that can be told.
    pub share: Option<f64>,
}

impl Step {
    /// A step that does not tell how far it is.
    #[must_use]
    pub fn new(what: &str) -> Self {
        Self {
            what: what.to_owned(),
            share: None,
        }
    }
}

/// Who is told about the steps.
pub type Report<'a> = &'a mut (dyn FnMut(Step) + Send);
