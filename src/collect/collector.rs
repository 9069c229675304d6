//! The loop: connect, poll, compare, tell; connect again when the server went away.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::cadence::Cadence;
use super::digests::DigestPoll;
use super::facts;
use super::fast::FastPoll;
use super::guests;
use super::shell::{Ended, Shell};
use super::worker::{self, Chore, Job, Worker};
use crate::config::settings::{Monitor, Server};
use crate::model::feed::{Feed, Link, Request};
use crate::model::interval::{Discontinuity, Interval};
use crate::model::sample::Sample;
use crate::model::status::Var;
use crate::server::capability::{self, Capabilities};
use crate::server::crew::{Crew, Member};
use crate::server::guard;
use crate::server::{Connection, Error};

/// Without an answer for this long the polling connection is given up. It is generous: a server
/// that was stopped for a while goes on where it was.
const PATIENCE: Duration = Duration::from_mins(1);

/// The first interval is short, so that there are rates at once.
const FIRST_INTERVAL: Duration = Duration::from_millis(60);

/// Pauses between attempts to connect, the last one for all that follow.
const BACKOFF: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// Pause where trying again can hardly help, and may lock the account.
const HOPELESS: Duration = Duration::from_mins(1);

/// `Uptime` is in whole seconds and the clocks differ a little; less is no restart.
const UPTIME_SLACK: Duration = Duration::from_secs(3);

/// Starts collecting until `cancel`, or until the feed's receiver is gone.
///
/// The feed has a bound. When it is full, figures are not read and the next ones cover the longer
/// window; news of the connection wait, the newest 64 of them. The task fails only when the very
/// first connection can't succeed at all, such as with a wrong password.
#[must_use]
pub fn spawn(
    server: Server,
    monitor: Monitor,
    read_only: bool,
    requests: mpsc::Receiver<Request>,
    feed: mpsc::Sender<Feed>,
    cancel: CancellationToken,
) -> JoinHandle<Result<(), Error>> {
    tokio::spawn(async move {
        let (jobs, job_queue) = mpsc::channel(worker::QUEUE);
        let (chores, chore_queue) = mpsc::channel(worker::QUEUE);
        let crew = Crew::found(&server);
        let ending = cancel.child_token();
        let worker = Worker {
            server: server.clone(),
            monitor: monitor.clone(),
            read_only,
            crew: Arc::clone(&crew),
            feed: feed.clone(),
            chores,
            cancel: ending.clone(),
        };
        let worker = tokio::spawn(worker.run(job_queue));
        let interval = monitor.interval;
        let mut collector = Collector {
            cadence: Cadence::new(interval, monitor.overhead_budget),
            shell: Shell::new(feed, requests, jobs, chore_queue, cancel, interval),
            server,
            monitor,
            crew,
            started: Instant::now(),
            fast: None,
            digests: None,
            previous: None,
            limits: Vec::new(),
        };
        let result = collector.run().await;
        ending.cancel();
        let _ = worker.await;
        result
    })
}

struct Collector {
    shell: Shell,
    server: Server,
    monitor: Monitor,
    crew: Arc<Crew>,
    started: Instant,
    cadence: Cadence,
    fast: Option<FastPoll>,
    digests: Option<DigestPoll>,
    previous: Option<Sample>,
    limits: Vec<&'static str>,
}

/// Why polling over one connection ended.
enum End {
    Wanted,
    Lost(Error),
}

impl From<Ended> for End {
    fn from(_: Ended) -> Self {
        Self::Wanted
    }
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Lost(error)
    }
}

impl Collector {
    async fn run(&mut self) -> Result<(), Error> {
        let mut failures = 0_usize;
        let mut down_since = None;
        if self.shell.post(Feed::Link(Link::Connecting)).is_err() {
            return Ok(());
        }
        loop {
            let mut was_up = false;
            let error = match self.connected(&mut was_up).await {
                Ok(()) | Err(End::Wanted) => return Ok(()),
                Err(End::Lost(error)) => error,
            };
            if error.is_hopeless() && self.shell.facts.is_none() {
                return Err(error);
            }
            if was_up {
                failures = 0;
                down_since = None;
            }
            let pause = if error.is_hopeless() {
                HOPELESS
            } else {
                BACKOFF[failures.min(BACKOFF.len() - 1)]
            };
            failures += 1;
            let since = *down_since.get_or_insert_with(Timestamp::now);
            self.shell.capabilities = None;
            let down = Link::Down {
                reason: format!("{error}; {}", error.hint()),
                since,
                retry_in: pause,
            };
            tracing::info!(%error, "the server is not reachable");
            self.shell.refresh = false;
            if self.shell.post(Feed::Link(down)).is_err() {
                return Ok(());
            }
            self.shell.todo.clear();
            if self.shell.rest(Instant::now() + pause).await.is_err() {
                return Ok(());
            }
            self.shell.todo.clear();
        }
    }

    /// Everything from connecting to losing the connection.
    async fn connected(&mut self, was_up: &mut bool) -> Result<(), End> {
        let meter = Arc::clone(&self.crew.meter);
        let opening = guard::open_with(&self.server, &self.monitor, meter);
        let mut connection = self.shell.attend(opening).await??;
        connection.set_patience(PATIENCE);
        let member = self.crew.join(&connection);
        let outcome = self.polling(&mut connection, member, was_up).await;
        self.crew.leave(member);
        connection.close().await;
        outcome
    }

    async fn polling(
        &mut self,
        connection: &mut Connection,
        own: Member,
        was_up: &mut bool,
    ) -> Result<(), End> {
        let preparing = prepare(connection, &self.server);
        let capabilities = Arc::new(self.shell.attend(preparing).await??);
        self.renew(&capabilities);
        let facts = facts::facts(&self.server, &capabilities, None);
        let facts = Arc::new(facts);
        self.limits = facts::limit_codes(&capabilities, None);
        self.shell.facts = Some(Arc::clone(&facts));
        self.shell.capabilities = Some(Arc::clone(&capabilities));
        self.shell.post(Feed::Link(Link::Up(facts)))?;
        *was_up = true;
        self.poll_fast(connection, own).await?;
        let mut due = Instant::now() + FIRST_INTERVAL;
        let mut digests_due = due;
        let mut is_warm = false;
        loop {
            self.shell.rest(due).await?;
            self.do_chores(connection).await?;
            let asked = std::mem::take(&mut self.shell.refresh);
            if std::mem::take(&mut self.shell.interval_changed) {
                self.cadence.request(self.shell.interval);
                due = due.min(Instant::now() + self.cadence.fast_interval());
            }
            if Instant::now() < due && !asked {
                continue;
            }
            let began = Instant::now();
            self.poll_fast(connection, own).await?;
            due = began + self.cadence.fast_interval();
            if !is_warm {
                // The first figures are out; now is the time for the second connection.
                is_warm = true;
                let _ = self.shell.jobs.try_send(Job::Warm);
            }
            if (began >= digests_due || asked) && self.digests.is_some() {
                digests_due = self.poll_digests(connection, &capabilities).await?;
            }
            due = due.max(Instant::now());
        }
    }

    fn renew(&mut self, capabilities: &Capabilities) {
        match &mut self.fast {
            Some(fast) => fast.renew(capabilities),
            None => self.fast = Some(FastPoll::new(capabilities, self.started)),
        }
        match (&mut self.digests, DigestPoll::new(capabilities)) {
            (Some(digests), Some(_)) => digests.renew(capabilities),
            (digests, fresh) => *digests = fresh,
        }
    }

    /// One fast poll, if there is room for its figures.
    async fn poll_fast(&mut self, connection: &mut Connection, own: Member) -> Result<(), End> {
        let Some(permit) = self.shell.room()? else {
            return Ok(());
        };
        let Some(fast) = &mut self.fast else {
            return Ok(());
        };
        let sample = self
            .shell
            .attend(fast.poll(connection, &self.crew))
            .await??;
        let digest_cost = fast.take_digest_cost();
        if let (Some(digests), false) = (&self.digests, digest_cost.is_zero()) {
            self.cadence.saw_digests(digest_cost, digests.rows());
        }
        let fast_cost = fast.last_cost();
        let Some(previous) = self.previous.replace(sample.clone()) else {
            // The first cost has the beginning of the connection in it.
            return Ok(());
        };
        self.cadence.saw_fast(fast_cost);
        match compare(&previous, &sample) {
            Ok(interval) => {
                permit.send(Feed::Interval(Arc::new(interval)));
            }
            Err(Discontinuity::Empty) => self.previous = Some(previous),
            Err(why) => {
                if let Discontinuity::Restarted { uptime } = &why {
                    self.after_restart(*uptime, own);
                }
                let unseen = sample.elapsed.saturating_sub(previous.elapsed);
                permit.send(Feed::Break { why, unseen });
            }
        }
        Ok(())
    }

    fn after_restart(&mut self, uptime: Duration, own: Member) {
        if let Some(digests) = &mut self.digests {
            digests.restarted(uptime);
        }
        // Ids from before the restart may belong to others now.
        for member in self.crew.members() {
            if member != own {
                self.crew.leave(member);
            }
        }
    }

    /// One digest poll, if there is room for it; gives when the next one is due.
    async fn poll_digests(
        &mut self,
        connection: &mut Connection,
        capabilities: &Capabilities,
    ) -> Result<Instant, End> {
        let began = Instant::now();
        let soon = began + self.cadence.fast_interval();
        let Some(permit) = self.shell.room()? else {
            return Ok(soon);
        };
        let (Some(digests), Some(fast)) = (&mut self.digests, &mut self.fast) else {
            return Ok(soon);
        };
        let is_baseline = !digests.has_baseline();
        let polled = if is_baseline {
            let reading = digests.baseline(connection);
            self.shell.attend(reading).await?.map(|()| None)
        } else {
            let reading = digests.poll(connection, |key| fast.is_own(key));
            self.shell.attend(reading).await?.map(Some)
        };
        let interval = match polled {
            Ok(interval) => interval,
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(error) => {
                permit.send(Feed::Notice(format!("digests could not be read: {error}")));
                return Ok(began + self.cadence.digest_interval().max(Duration::from_secs(10)));
            }
        };
        let usage = digests.usage();
        if !fast.tells_time() || is_baseline {
            self.cadence.saw_digests(began.elapsed(), usage.rows);
        }
        // The baseline is followed by a poll at once, whatever it costs: figures are awaited.
        let next = if is_baseline {
            self.cadence.fast_interval()
        } else {
            self.cadence.digest_interval()
        };
        if let Some(mut interval) = interval {
            interval.next_poll = next;
            let leaving_out = guests::leave_out(fast, connection, &self.crew, &mut interval);
            self.shell.attend(leaving_out).await??;
            permit.send(Feed::Digests(Arc::new(interval)));
        }
        let codes = facts::limit_codes(capabilities, Some(&usage));
        if codes != self.limits {
            self.limits = codes;
            let facts = Arc::new(facts::facts(&self.server, capabilities, Some(&usage)));
            self.shell.facts = Some(Arc::clone(&facts));
            self.shell.post(Feed::Link(Link::Up(facts)))?;
        }
        Ok(began + next)
    }

    async fn do_chores(&mut self, connection: &mut Connection) -> Result<(), End> {
        for chore in std::mem::take(&mut self.shell.todo) {
            let Chore::EndOwn(id) = chore;
            let sql = format!("KILL CONNECTION {id}");
            let ending = connection.run("the end of an own statement", &sql);
            match self.shell.attend(ending).await? {
                Err(error) if error.is_fatal() => return Err(error.into()),
                // Already gone, which is what was wanted.
                _ => {}
            }
        }
        Ok(())
    }
}

async fn prepare(connection: &mut Connection, server: &Server) -> Result<Capabilities, Error> {
    FastPoll::prepare(connection).await?;
    capability::probe(connection, server.socket.is_some()).await
}

/// The interval between two samples. A restart is also seen when the server has been up again for
/// longer than before it: its uptime then lags behind the clock here.
pub(super) fn compare(from: &Sample, to: &Sample) -> Result<Interval, Discontinuity> {
    let passed = to.elapsed.saturating_sub(from.elapsed);
    if let (Some(then), Some(now)) = (from.status.get(Var::Uptime), to.status.get(Var::Uptime)) {
        let expected = Duration::from_secs(then) + passed;
        let uptime = Duration::from_secs(now);
        if uptime + UPTIME_SLACK < expected && uptime < passed + UPTIME_SLACK {
            return Err(Discontinuity::Restarted { uptime });
        }
    }
    Interval::between(from, to)
}
