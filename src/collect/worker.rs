//! The second connection: details, plans and kills, apart from the polls so that neither waits for
//! the other.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::detail::{self, DetailError};
use crate::config::settings::{Monitor, Server};
use crate::model::digest::{DigestDetail, DigestKey};
use crate::model::feed::{Feed, KillTarget};
use crate::server::audit::Audit;
use crate::server::capability::Capabilities;
use crate::server::control::{self, Killer};
use crate::server::crew::{Crew, Member};
use crate::server::guard;
use crate::server::{Connection, Error};

/// Jobs that wait at most; a further one is refused with a message.
pub const QUEUE: usize = 16;

/// Without an answer for this long the connection is given up.
const PATIENCE: Duration = Duration::from_secs(15);

/// Something to do on the second connection.
#[derive(Debug)]
pub enum Job {
    /// Connect, so that it is there when the server has no connection left.
    Warm,
    /// Read a detail. Of several that wait only the newest is read.
    Detail(Arc<Capabilities>, DigestKey),
    /// Kill.
    Kill(Arc<Capabilities>, KillTarget),
}

/// What the worker asks of the polling connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chore {
    /// End the statement that the given connection of mydex's own still runs.
    EndOwn(u64),
}

/// Works off jobs until it is cancelled.
#[derive(Debug)]
pub struct Worker {
    /// The server.
    pub server: Server,
    /// Limits.
    pub monitor: Monitor,
    /// Refuse changes.
    pub read_only: bool,
    /// Both connections.
    pub crew: Arc<Crew>,
    /// Where answers go.
    pub feed: mpsc::Sender<Feed>,
    /// Where chores go.
    pub chores: mpsc::Sender<Chore>,
    /// Ends it.
    pub cancel: CancellationToken,
}

impl Worker {
    /// Runs until it is cancelled or nobody can send jobs any more.
    pub async fn run(self, mut jobs: mpsc::Receiver<Job>) {
        let mut link: Option<(Connection, Member)> = None;
        let cancel = self.cancel.clone();
        let work = async {
            while let Some(job) = jobs.recv().await {
                for job in self.choose(job, &mut jobs).await {
                    self.work(&mut link, job).await;
                }
            }
        };
        tokio::select! {
            () = cancel.cancelled() => {}
            () = work => {}
        }
        if let Some((connection, member)) = link {
            self.crew.leave(member);
            connection.close().await;
        }
    }

    /// Takes what waits: every kill, and of the details only the newest, because the others are
    /// of digests that the user has moved on from.
    async fn choose(&self, first: Job, jobs: &mut mpsc::Receiver<Job>) -> Vec<Job> {
        let mut chosen = Vec::new();
        let mut newest = None;
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Detail(capabilities, key) => {
                    if let Some(Job::Detail(_, passed)) =
                        newest.replace(Job::Detail(capabilities, key))
                    {
                        self.answer(passed, Err("another digest was asked for since".into()))
                            .await;
                    }
                }
                other => chosen.push(other),
            }
            next = jobs.try_recv().ok();
        }
        chosen.extend(newest);
        chosen
    }

    async fn work(&self, link: &mut Option<(Connection, Member)>, job: Job) {
        if let Err(error) = self.connect(link).await {
            let reason = format!("{error}; {}", error.hint());
            match job {
                Job::Warm => tracing::debug!(%error, "the second connection can't be opened yet"),
                Job::Detail(_, key) => self.answer(key, Err(reason)).await,
                Job::Kill(_, target) => self.killed(target, Err(reason)).await,
            }
            return;
        }
        let Some((connection, member)) = link.as_mut() else {
            return;
        };
        match job {
            Job::Warm => {}
            Job::Detail(capabilities, key) => {
                let result = detail::fetch(connection, &capabilities, &key).await;
                self.end_stuck(&result, *member);
                let result = result
                    .map(|fetched| Arc::new(fetched.detail))
                    .map_err(|error| error.to_string());
                self.answer(key, result).await;
            }
            Job::Kill(capabilities, target) => {
                let result = self.kill(connection, &capabilities, &target).await;
                self.killed(target, result).await;
            }
        }
        if connection.is_broken() {
            self.crew.leave(*member);
            *link = None;
        }
    }

    /// A plan that did not come in time may keep the server busy or hold its place in a queue of
    /// locks; the polling connection ends it, since this one can't say anything any more.
    fn end_stuck(&self, result: &Result<detail::Fetched, DetailError>, member: Member) {
        let is_stuck = match result {
            Ok(fetched) => fetched.is_stuck,
            Err(DetailError::Server(Error::Timeout { .. })) => true,
            Err(_) => false,
        };
        if is_stuck
            && self
                .chores
                .try_send(Chore::EndOwn(member.connection))
                .is_err()
        {
            tracing::warn!(
                connection = member.connection,
                "an own statement that hangs could not be ended; the server ends it at its own limit"
            );
        }
    }

    async fn kill(
        &self,
        connection: &mut Connection,
        capabilities: &Capabilities,
        target: &KillTarget,
    ) -> Result<String, String> {
        let audit = Audit::of_user().map_err(|error| format!("nothing was killed: {error}"))?;
        let own: Vec<u64> = self.crew.members().iter().map(|m| m.connection).collect();
        let killer = Killer {
            server: &self.server,
            account: &capabilities.account,
            audit: &audit,
            read_only: self.read_only,
            own: &own,
        };
        control::kill(connection, &killer, target)
            .await
            .map_err(|error| match error {
                control::Error::Server(Error::Denied { message }) => format!(
                    "not permitted to kill it ({message}): GRANT CONNECTION_ADMIN ON *.* TO {}",
                    crate::server::account::quoted_account(&capabilities.account)
                ),
                other => other.to_string(),
            })
    }

    /// Opens the connection, or makes sure that the open one still works.
    async fn connect(&self, link: &mut Option<(Connection, Member)>) -> Result<(), Error> {
        if let Some((connection, member)) = link {
            if connection.run("a sign of life", "DO 0").await.is_ok() {
                return Ok(());
            }
            self.crew.leave(*member);
            *link = None;
        }
        let meter = Arc::clone(&self.crew.meter);
        let mut connection = guard::open_with(&self.server, &self.monitor, meter).await?;
        connection.set_patience(PATIENCE);
        let member = self.crew.join(&connection);
        *link = Some((connection, member));
        Ok(())
    }

    async fn answer(&self, key: DigestKey, result: Result<Arc<DigestDetail>, String>) {
        self.send(Feed::Detail { key, result }).await;
    }

    async fn killed(&self, target: KillTarget, result: Result<String, String>) {
        self.send(Feed::Killed { target, result }).await;
    }

    /// An answer is worth waiting for room in the feed; nobody to take it is no error.
    async fn send(&self, feed: Feed) {
        let _ = self.feed.send(feed).await;
    }
}
