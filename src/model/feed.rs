//! What travels between the collectors, the load engine and whoever shows it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::digest::{DigestDetail, DigestInterval, DigestKey};
use super::interval::{Discontinuity, Interval};
use super::probe::LoadTick;
use super::session::SessionId;

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
    /// One sentence for the message line.
    Notice(String),
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
}
