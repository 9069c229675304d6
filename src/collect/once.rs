//! One interval and an end: what `top --once` prints.

use std::sync::Arc;

use tokio::time::Instant;

use super::collector::compare;
use super::digests::DigestPoll;
use super::facts;
use super::fast::FastPoll;
use crate::config::settings::{Monitor, Server};
use crate::model::digest::DigestInterval;
use crate::model::feed::ServerFacts;
use crate::model::interval::{Discontinuity, Interval};
use crate::server::capability;
use crate::server::crew::Crew;
use crate::server::guard;

/// One interval of everything.
#[derive(Debug, Clone)]
pub struct Once {
    /// The server.
    pub facts: ServerFacts,
    /// Counters, latencies and sessions.
    pub interval: Interval,
    /// Digests, where the server tells.
    pub digests: Option<DigestInterval>,
}

/// Why there is no interval.
#[derive(Debug, thiserror::Error)]
pub enum OnceError {
    /// The connection or a statement failed.
    #[error(transparent)]
    Server(#[from] crate::server::Error),
    /// The counting was broken within the window.
    #[error("{}", broken(.0))]
    Broken(Discontinuity),
}

impl OnceError {
    /// What to do about it, one sentence.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Server(error) => error.hint(),
            Self::Broken(_) => "run it again".to_owned(),
        }
    }
}

fn broken(why: &Discontinuity) -> String {
    match why {
        Discontinuity::Restarted { uptime } => format!(
            "the server was restarted {} ago, within the window",
            crate::model::units::duration(*uptime)
        ),
        Discontinuity::Flushed => "the server's counters were reset within the window".to_owned(),
        Discontinuity::Empty => "the window has no length".to_owned(),
    }
}

/// Reads one interval: it begins when the first figures have been read and ends with `window`.
pub async fn once(
    server: &Server,
    monitor: &Monitor,
    window: impl Future<Output = ()>,
) -> Result<Once, OnceError> {
    let crew = Crew::default();
    let mut connection = guard::open_with(server, monitor, Arc::clone(&crew.meter)).await?;
    crew.join(&connection);
    FastPoll::prepare(&mut connection).await?;
    let capabilities = capability::probe(&mut connection, server.socket.is_some()).await?;
    let mut fast = FastPoll::new(&capabilities, Instant::now());
    let mut digests = DigestPoll::new(&capabilities);
    if let Some(digests) = &mut digests {
        digests.baseline(&mut connection).await?;
    }
    let before = fast.poll(&mut connection, &crew).await?;
    window.await;
    let after = fast.poll(&mut connection, &crew).await?;
    let interval = compare(&before, &after).map_err(OnceError::Broken)?;
    let (mut polled, mut usage) = (None, None);
    if let Some(digests) = &mut digests {
        polled = Some(
            digests
                .poll(&mut connection, |key| fast.is_own(key))
                .await?,
        );
        usage = Some(digests.usage());
    }
    connection.close().await;
    Ok(Once {
        facts: facts::facts(server, &capabilities, usage.as_ref()),
        interval,
        digests: polled,
    })
}
