//! What travels between the collectors, the load engine and whoever shows it.

mod indexes;
mod load;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::advice::Advice;
use super::digest::{DigestDetail, DigestInterval, DigestKey};
use super::interval::{Discontinuity, Interval};
use super::probe::LoadTick;
use super::session::SessionId;

pub use indexes::{
    DefinitionText, IndexBoard, IndexChange, IndexNews, IndexRequest, SOAK, Statement,
};
pub use load::{LoadNews, LoadOffer, LoadRequest, OfferedProbe};

/// Facts about the connected server, read once per connection.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerFacts {
    /// The name from the configuration, or `host:port`; never holds a password.
    pub name: String,
    /// Version string as the server gives it.
    pub version: String,
    /// Account in use, `user@host`.
    pub account: String,
    /// TLS cipher of the connection, `None` when it is not encrypted.
    pub tls_cipher: Option<String>,
    /// When the server started.
    pub started: Timestamp,
    /// `max_connections`.
    pub max_connections: Option<u64>,
    /// Limits of what can be seen, each one sentence with its remedy; shown as banners.
    pub limits: Vec<String>,
}

/// State of the connection to the monitored server.
#[derive(Debug, Clone, PartialEq)]
pub enum Link {
    /// First attempt under way.
    Connecting,
    /// Connected.
    Up(Arc<ServerFacts>),
    /// A statement has been without an answer for this long; the connection is still open.
    Stalled(Duration),
    /// Lost; the reason without secrets, and when the next attempt is made.
    Down {
        /// Why.
        reason: String,
        /// When it was lost, or the first attempt failed.
        since: Timestamp,
        /// Time to the next attempt.
        retry_in: Duration,
    },
}

/// News for whoever shows the server.
#[derive(Debug, Clone)]
pub enum Feed {
    /// The connection changed.
    Link(Link),
    /// A fast poll ended.
    Interval(Arc<Interval>),
    /// The counting was broken since the interval before: said once, with what was missed.
    Break {
        /// Why.
        why: Discontinuity,
        /// How long nothing could be seen.
        unseen: Duration,
    },
    /// A digest poll ended.
    Digests(Arc<DigestInterval>),
    /// The load engine's window ended.
    Load(Arc<LoadTick>),
    /// News of the load beside its figures.
    Driving(LoadNews),
    /// Answer to [`Request::Detail`].
    Detail {
        /// The digest that was asked for.
        key: DigestKey,
        /// The detail, or the reason in one sentence.
        result: Result<Arc<DigestDetail>, String>,
    },
    /// Answer to [`Request::Kill`].
    Killed {
        /// What was asked.
        target: KillTarget,
        /// What was done, or why not, in one sentence.
        result: Result<String, String>,
    },
    /// News from the advisor.
    Advisor(AdvisorNews),
    /// News about indexes.
    Index(IndexNews),
    /// One sentence for the message line.
    Notice(String),
}

/// How a run of the advisor goes, asked for by [`AdvisorRequest::Advise`].
#[derive(Debug, Clone)]
pub enum AdvisorNews {
    /// It works.
    Working {
        /// What it does now, a phrase.
        step: String,
        /// How far this step is, 0 to 1, where that can be told.
        share: Option<f64>,
    },
    /// It ended with this; also when it was interrupted.
    Done(Arc<Advice>),
    /// It ended without a result: why, and the remedy, in one sentence.
    Failed(String),
    /// Answer to [`AdvisorRequest::WriteDefinition`]: the file that was written, or why not.
    Written {
        /// The advice that was asked about.
        advice: Arc<Advice>,
        /// The recommendation, by its place in it.
        recommendation: usize,
        /// The file's path, or why not, in one sentence.
        result: Result<String, String>,
    },
}

/// What a kill ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KillScope {
    /// The running statement (`KILL QUERY`).
    Query,
    /// The whole connection (`KILL CONNECTION`).
    Connection,
}

/// What is to be killed; checked again on the server right before, because ids are reused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KillTarget {
    /// The session.
    pub id: SessionId,
    /// Account name that it had when it was chosen.
    pub user: Option<String>,
    /// The statement that ran when it was chosen; a query kill is refused when another one runs.
    pub statement: Option<String>,
    /// Statement or connection.
    pub scope: KillScope,
}

/// What whoever shows the server asks of the collectors.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Everything about one digest, with its plan.
    Detail(DigestKey),
    /// Kill, once confirmed.
    Kill(KillTarget),
    /// Poll at this interval from now on.
    SetInterval(Duration),
    /// Poll at once, digests included.
    RefreshNow,
    /// Something for the advisor; the collectors have no part in it.
    Advisor(AdvisorRequest),
    /// Something about indexes; the collectors have no part in it either.
    Index(IndexRequest),
    /// Something for whoever drives the load; the collectors have no part in it either.
    Load(LoadRequest),
}

/// What is asked of the advisor.
#[derive(Debug, Clone, PartialEq)]
pub enum AdvisorRequest {
    /// Run: for one digest, or for the whole workload of digests.
    Advise(Option<DigestKey>),
    /// End the run with its best answer so far.
    Stop,
    /// Write the definition of one recommendation, once confirmed. The advice comes along, so that
    /// a run that ends meanwhile can't put another recommendation in its place.
    WriteDefinition {
        /// The advice on the screen.
        advice: Arc<Advice>,
        /// The recommendation, by its place in it.
        recommendation: usize,
    },
}
