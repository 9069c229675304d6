//! What is said between the view of the probes and whoever drives them.

use std::sync::Arc;

use crate::model::recorded::RecordedLoad;

/// A load that can be driven against the server on the screen.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadOffer {
    /// Name of the workload pack.
    pub pack: String,
    /// Schema with its data.
    pub schema: String,
    /// The server, without a password.
    pub place: String,
    /// Connections.
    pub connections: u32,
    /// Each probe.
    pub probes: Vec<OfferedProbe>,
    /// The server is a private one of this program, so that nobody has to be asked.
    pub is_private: bool,
    /// Why the load is not to be started, one phrase with the remedy.
    pub refusal: Option<String>,
}

/// A probe that would be driven.
#[derive(Debug, Clone, PartialEq)]
pub struct OfferedProbe {
    /// Its name in the pack.
    pub name: Arc<str>,
    /// Whether it changes data.
    pub is_write: bool,
    /// Its rate at the beginning, operations per second.
    pub rate: f64,
    /// The texts of its statements' digests.
    pub statements: Vec<Arc<str>>,
}

/// What is asked of whoever drives the load.
#[derive(Debug, Clone, PartialEq)]
pub enum LoadRequest {
    /// Begin, once confirmed.
    Begin,
    /// Drive at these rates from now on: operations per second of each probe, in the order of the
    /// load's.
    Rates(Arc<[f64]>),
    /// End the load and close its connections.
    End,
    /// Read this file of a recorded baseline.
    Baseline(String),
}

/// News of the load beside its figures.
#[derive(Debug, Clone)]
pub enum LoadNews {
    /// Its connections are being opened.
    Beginning,
    /// It ended: what it did, or why it failed with the remedy, in one sentence.
    Ended(Result<String, String>),
    /// Rates were not taken, and why, in one sentence.
    Refused(String),
    /// Answer to [`LoadRequest::Baseline`].
    Baseline {
        /// The file.
        file: String,
        /// What is in it, or what is wrong with it, in one sentence.
        result: Result<Arc<RecordedLoad>, String>,
    },
}
