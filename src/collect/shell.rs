//! What stands around the polls: requests come in, news goes out, silence is noticed. None of it
//! ever waits for the server.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::worker::{Chore, Job};
use crate::model::feed::{Feed, Link, Request, ServerFacts};
use crate::server::capability::Capabilities;

/// News that wait for room in the feed; beyond it the oldest is dropped.
const MOST_PENDING: usize = 64;

/// Limits of the interval that can be asked for.
const INTERVALS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_hours(1));

/// The surroundings of the polls.
#[derive(Debug)]
pub(super) struct Shell {
    pub(super) feed: mpsc::Sender<Feed>,
    pub(super) requests: Option<mpsc::Receiver<Request>>,
    pub(super) jobs: mpsc::Sender<Job>,
    pub(super) chores: mpsc::Receiver<Chore>,
    pub(super) cancel: CancellationToken,
    pub(super) interval: Duration,
    pub(super) refresh: bool,
    pub(super) interval_changed: bool,
    pub(super) todo: Vec<Chore>,
    pub(super) capabilities: Option<Arc<Capabilities>>,
    pub(super) facts: Option<Arc<ServerFacts>>,
    pending: VecDeque<Feed>,
}

/// Nobody wants to know any more: cancelled, or the feed's receiver is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended;

impl Shell {
    pub(super) fn new(
        feed: mpsc::Sender<Feed>,
        requests: mpsc::Receiver<Request>,
        jobs: mpsc::Sender<Job>,
        chores: mpsc::Receiver<Chore>,
        cancel: CancellationToken,
        interval: Duration,
    ) -> Self {
        Self {
            feed,
            requests: Some(requests),
            jobs,
            chores,
            cancel,
            interval,
            refresh: false,
            interval_changed: false,
            todo: Vec::new(),
            capabilities: None,
            facts: None,
            pending: VecDeque::new(),
        }
    }

    /// Room for one figure in the feed, or `None` when it is full: then the poll is left out, and
    /// the next one covers the longer window, so that nothing is lost.
    pub(super) fn room(&mut self) -> Result<Option<mpsc::OwnedPermit<Feed>>, Ended> {
        self.flush()?;
        if !self.pending.is_empty() {
            return Ok(None);
        }
        match self.feed.clone().try_reserve_owned() {
            Ok(permit) => Ok(Some(permit)),
            Err(TrySendError::Full(_)) => Ok(None),
            Err(TrySendError::Closed(_)) => Err(Ended),
        }
    }

    /// Sends news, or keeps it until there is room.
    pub(super) fn post(&mut self, news: Feed) -> Result<(), Ended> {
        if self.pending.len() == MOST_PENDING {
            self.pending.pop_front();
        }
        self.pending.push_back(news);
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Ended> {
        while let Some(news) = self.pending.pop_front() {
            match self.feed.try_send(news) {
                Ok(()) => {}
                Err(TrySendError::Full(news)) => {
                    self.pending.push_front(news);
                    return Ok(());
                }
                Err(TrySendError::Closed(_)) => return Err(Ended),
            }
        }
        Ok(())
    }

    /// Waits for `work` on the server while requests are taken, and says so when the server is
    /// silent for more than two intervals.
    pub(super) async fn attend<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Ended> {
        let started = Instant::now();
        let silence = (self.interval * 2).max(Duration::from_millis(500));
        let mut alarm =
            tokio::time::interval_at(started + silence, Duration::from_secs(1).min(silence));
        let mut stalled = false;
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(Ended),
                result = &mut work => {
                    if stalled && let Some(facts) = self.facts.clone() {
                        self.post(Feed::Link(Link::Up(facts)))?;
                    }
                    return Ok(result);
                }
                request = next(&mut self.requests) => self.take(request)?,
                _ = alarm.tick(), if self.facts.is_some() => {
                    stalled = true;
                    self.post(Feed::Link(Link::Stalled(started.elapsed())))?;
                }
            }
        }
    }

    /// Sleeps until `due`, or until a request or a chore makes an earlier poll worth while.
    pub(super) async fn rest(&mut self, due: Instant) -> Result<(), Ended> {
        while !self.refresh && !self.interval_changed && self.todo.is_empty() {
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(Ended),
                request = next(&mut self.requests) => self.take(request)?,
                Some(chore) = self.chores.recv() => self.todo.push(chore),
                () = tokio::time::sleep_until(due) => break,
            }
        }
        while let Ok(chore) = self.chores.try_recv() {
            self.todo.push(chore);
        }
        Ok(())
    }

    fn take(&mut self, request: Option<Request>) -> Result<(), Ended> {
        let Some(request) = request else {
            // Nobody can ask any more; the figures are still wanted.
            self.requests = None;
            return Ok(());
        };
        match request {
            Request::SetInterval(interval) => {
                self.interval = interval.clamp(INTERVALS.0, INTERVALS.1);
                self.interval_changed = true;
            }
            Request::RefreshNow => self.refresh = true,
            // Those who run the advisor and the load take these before they come here.
            Request::Advisor(_) | Request::Index(_) | Request::Load(_) => {}
            Request::Detail(key) => {
                let job = self
                    .capabilities
                    .clone()
                    .map(|c| Job::Detail(c, key.clone()));
                if let Err(reason) = self.hand_over(job) {
                    let result = Err(reason);
                    self.post(Feed::Detail { key, result })?;
                }
            }
            Request::Kill(target) => {
                let job = self
                    .capabilities
                    .clone()
                    .map(|c| Job::Kill(c, target.clone()));
                if let Err(reason) = self.hand_over(job) {
                    let result = Err(reason);
                    self.post(Feed::Killed { target, result })?;
                }
            }
        }
        Ok(())
    }

    fn hand_over(&self, job: Option<Job>) -> Result<(), String> {
        let job = job.ok_or("not connected to the server")?;
        self.jobs
            .try_send(job)
            .map_err(|_| "too many requests wait already; the server answers slowly".to_owned())
    }
}

/// The next request; waits forever once nobody can ask any more.
async fn next(requests: &mut Option<mpsc::Receiver<Request>>) -> Option<Request> {
    match requests {
        Some(requests) => requests.recv().await,
        None => std::future::pending().await,
    }
}
