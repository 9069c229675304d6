//! The workers: threads with their seats, each seat one connection that takes one operation after
//! the other from the line.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::CancellationToken;

use super::operation::shown;
use super::pacer::{Pacer, Precision};
use super::pool::{Backoff, Connector, Session};
use super::queue::{Next, Queue};
use super::recorder::record;
use super::schedule::Arrival;
use super::shard::{Lease, Shard};
use super::think::{Think, Thoughts};

/// How often a worker checks how late it is when no operation tells.
const HEARTBEAT_NS: u64 = 10_000_000;
/// A connection for which nothing is planned asks again after this, or when rates change.
const IDLE_NS: u64 = 3_600_000_000_000;
/// Connections that are being opened at one time.
const OPENING: usize = 16;
/// A goodbye to the server takes at most this.
const CLOSE: Duration = Duration::from_millis(500);

/// What all workers share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The line in front of the connections.
    pub(crate) queue: Mutex<Queue>,
    /// Operations meant to start before this are run, not counted.
    pub(crate) warm: u64,
    /// Operation timeout of each probe, nanoseconds.
    pub(crate) timeouts: Vec<u64>,
    /// Bound of one attempt to connect.
    pub(crate) connect_timeout: Duration,
    /// Timer of the pacers.
    pub(crate) precision: Precision,
    /// What the users of a closed loop do between two operations, with its seed.
    pub(crate) think: Option<(Think, u64)>,
    /// No further operation is taken, nothing is reconnected.
    pub(crate) stop: CancellationToken,
    /// Operations in flight are given up.
    pub(crate) abort: CancellationToken,
    /// Bounds the connections being opened.
    pub(crate) opening: Semaphore,
    /// Set with `stop`; cheaper to read.
    pub(crate) is_stopped: AtomicBool,
    /// How often rates have changed.
    pub(crate) changes: AtomicU64,
    /// Tells the workers of each change.
    pub(crate) changed: watch::Sender<()>,
}

impl Shared {
    pub(crate) fn new(
        queue: Queue,
        warm: u64,
        timeouts: Vec<u64>,
        connect_timeout: Duration,
        precision: Precision,
    ) -> Self {
        Self {
            queue: Mutex::new(queue),
            warm,
            timeouts,
            connect_timeout,
            precision,
            think: None,
            stop: CancellationToken::new(),
            abort: CancellationToken::new(),
            opening: Semaphore::new(OPENING),
            is_stopped: AtomicBool::new(false),
            changes: AtomicU64::new(0),
            changed: watch::Sender::new(()),
        }
    }

    /// From the moment that it returns on these are the rates of the probes.
    pub(crate) fn rerate(&self, now: impl FnOnce() -> u64, rates: &[f64]) -> u64 {
        let mut queue = self.queue();
        // Counted before the clock is read: whoever has woken for its operation and sees the old
        // count did so before this moment, so that its operation is not called back.
        self.changes.fetch_add(1, Ordering::SeqCst);
        let from = queue.rerate(now(), rates);
        drop(queue);
        self.changed.send_replace(());
        from
    }

    pub(crate) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the taking of operations at `now`.
    pub(crate) fn finish(&self, now: u64) {
        self.queue().finish(now);
        self.is_stopped.store(true, Ordering::Release);
        self.stop.cancel();
    }

    /// Waits for the time of an operation that was handed out before it, when rates had changed
    /// `changes` times. `false` when it was called back meanwhile, or the run was ended.
    async fn wait_for(
        &self,
        arrival: &Arrival,
        ticket: u64,
        changes: u64,
        pacer: &Pacer,
        seat: usize,
    ) -> bool {
        loop {
            pacer.wait(seat, arrival.at).await;
            let is_early = pacer.now() < arrival.at;
            if self.changes.load(Ordering::SeqCst) != changes && self.queue().is_called_back(ticket)
            {
                return false;
            }
            if self.is_stopped.load(Ordering::Acquire) {
                return !self.queue().is_called_off(arrival);
            }
            if !is_early {
                return true;
            }
            // Roused for a change that was before this operation was handed out.
        }
    }

    async fn open<C: Connector>(&self, connector: &C) -> Result<(C::Session, u64), sqlx::Error> {
        // Never closed, so that the permit is always granted.
        let _permit = self.opening.acquire().await;
        let begin = Instant::now();
        match tokio::time::timeout(self.connect_timeout, connector.connect()).await {
            Ok(session) => Ok((
                session?,
                u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX),
            )),
            Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
        }
    }
}

/// Opens `seats` connections, says so, waits for the start, and runs until the line ends.
pub(crate) async fn worker<C: Connector>(
    common: Arc<Shared>,
    shard: Arc<Shard>,
    connector: C,
    seats: usize,
    ready: oneshot::Sender<Result<(), sqlx::Error>>,
    mut gate: watch::Receiver<Option<Instant>>,
) {
    shard.tally().cpu = thread_time();
    let opened = tokio::select! {
        opened = open_all(&common, &shard, &connector, seats) => opened,
        () = common.abort.cancelled() => return,
    };
    let sessions = match opened {
        Ok(sessions) => sessions,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    let _ = ready.send(Ok(()));
    let Ok(start) = gate.wait_for(Option::is_some).await.map(|start| *start) else {
        return;
    };
    let start = start.unwrap_or_else(Instant::now);
    let pacer = match Pacer::new(start, seats + 1, common.precision) {
        Ok(pacer) => Arc::new(pacer),
        Err(error) => {
            tracing::warn!(%error, "no exact timer; operations may start up to 1 ms late");
            match Pacer::new(start, seats + 1, Precision::Runtime) {
                Ok(pacer) => Arc::new(pacer),
                Err(_) => return,
            }
        }
    };
    let mut helpers = JoinSet::new();
    helpers.spawn(drive(Arc::clone(&common), Arc::clone(&pacer)));
    helpers.spawn(rouse(common.changed.subscribe(), Arc::clone(&pacer), seats));
    helpers.spawn(heartbeat(Arc::clone(&shard), Arc::clone(&pacer), seats));
    let mut running = JoinSet::new();
    for (seat, session) in sessions.into_iter().enumerate() {
        running.spawn(sit(Seat {
            common: Arc::clone(&common),
            shard: Arc::clone(&shard),
            pacer: Arc::clone(&pacer),
            connector: connector.clone(),
            number: seat,
            session: Some(session),
            backoff: Backoff::new(),
        }));
    }
    tokio::select! {
        () = async { while running.join_next().await.is_some() {} } => {}
        () = common.abort.cancelled() => running.shutdown().await,
    }
}

async fn open_all<C: Connector>(
    common: &Arc<Shared>,
    shard: &Shard,
    connector: &C,
    seats: usize,
) -> Result<Vec<C::Session>, sqlx::Error> {
    let mut opening = JoinSet::new();
    for _ in 0..seats {
        let (common, connector) = (Arc::clone(common), connector.clone());
        opening.spawn(async move { common.open(&connector).await });
    }
    let mut sessions = Vec::with_capacity(seats);
    while let Some(opened) = opening.join_next().await {
        let (session, took) =
            opened.map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))??;
        let mut tally = shard.tally();
        tally.open += 1;
        let recorder = tally.recorder.at(0);
        recorder.created += 1;
        record(&mut recorder.create, took);
        drop(tally);
        sessions.push(session);
    }
    Ok(sessions)
}

/// Drives the pacer until the run is stopped; then lets go of all who wait for a time.
async fn drive(common: Arc<Shared>, pacer: Arc<Pacer>) {
    tokio::select! {
        () = pacer.drive() => {}
        () = common.stop.cancelled() => pacer.close(),
    }
}

/// Rouses those who wait for an operation whenever rates change.
async fn rouse(mut changed: watch::Receiver<()>, pacer: Arc<Pacer>, seats: usize) {
    while changed.changed().await.is_ok() {
        pacer.rouse(seats);
    }
}

/// Measures how late this worker is even when all its connections are busy: a worker that cannot
/// keep up would otherwise show its own delay as the server's.
async fn heartbeat(shard: Arc<Shard>, pacer: Arc<Pacer>, seat: usize) {
    let mut at = 0;
    loop {
        at += HEARTBEAT_NS;
        pacer.wait(seat, at).await;
        let Some(late) = pacer.now().checked_sub(at) else {
            return;
        };
        let cpu = thread_time();
        let mut tally = shard.tally();
        tally.cpu = cpu;
        record(&mut tally.recorder.at(at).lateness, late);
    }
}

/// Processor time of the calling thread, nanoseconds; 0 where the system does not tell.
#[cfg(target_os = "linux")]
fn thread_time() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000) + u64::try_from(time.tv_nsec).unwrap_or(0)
}

#[cfg(not(target_os = "linux"))]
fn thread_time() -> u64 {
    0
}

struct Seat<C: Connector> {
    common: Arc<Shared>,
    shard: Arc<Shard>,
    pacer: Arc<Pacer>,
    connector: C,
    number: usize,
    session: Option<C::Session>,
    backoff: Backoff,
}

async fn sit<C: Connector>(mut seat: Seat<C>) {
    let mut deadline = Deadline::new();
    let mut now = seat.pacer.now();
    let mut thoughts = seat.thoughts();
    loop {
        let Some(session) = seat.session.as_mut() else {
            if !seat.reconnect().await {
                return;
            }
            now = seat.pacer.now();
            continue;
        };
        let mut meant = now;
        if let Some(thoughts) = &mut thoughts {
            meant = now.saturating_add(thoughts.following());
            seat.pacer.wait(seat.number, meant).await;
            now = seat.pacer.now();
        }
        let changes = seat.common.changes.load(Ordering::SeqCst);
        let (next, ticket) = {
            let mut queue = seat.common.queue();
            (queue.take(meant), queue.ticket())
        };
        let (arrival, wait) = match next {
            // Who thought until then did not wait for a connection.
            Next::Now(arrival) if thoughts.is_some() => (arrival, 0),
            Next::Now(arrival) => (arrival, now.saturating_sub(arrival.at)),
            Next::At(arrival) => {
                let its_time = seat
                    .common
                    .wait_for(&arrival, ticket, changes, &seat.pacer, seat.number)
                    .await;
                now = seat.pacer.now();
                if !its_time {
                    continue;
                }
                (arrival, 0)
            }
            Next::Idle => {
                seat.pacer
                    .wait(seat.number, now.saturating_add(IDLE_NS))
                    .await;
                now = seat.pacer.now();
                continue;
            }
            Next::End => break,
        };
        let is_new = matches!(next, Next::At(_));
        let late = (is_new || thoughts.is_some()).then(|| now.saturating_sub(arrival.at));
        let is_measured = arrival.at >= seat.common.warm;
        let lease = Lease {
            shard: &seat.shard,
            pacer: &seat.pacer,
            arrival,
            sent: now,
            is_measured,
            is_open: true,
        };
        lease.begin(wait, late, is_new);
        let timeout = seat.common.timeouts.get(arrival.source).copied();
        let until = now.saturating_add(timeout.unwrap_or(u64::MAX));
        let done = deadline
            .within(
                seat.pacer.at(until),
                session.run(arrival.source, arrival.number),
            )
            .await;
        now = seat.pacer.now();
        if lease.end(now, done) {
            seat.drop_session();
        }
    }
    // Goodbyes take time on this thread; they wait until nobody measures any more.
    seat.common.stop.cancelled().await;
    seat.leave().await;
}

impl<C: Connector> Seat<C> {
    fn drop_session(&mut self) {
        self.session = None;
        let now = self.pacer.now();
        let mut tally = self.shard.tally();
        tally.open = tally.open.saturating_sub(1);
        tally.recorder.at(now).closed += 1;
    }

    fn thoughts(&self) -> Option<Thoughts> {
        let (think, seed) = self.common.think?;
        let seat = u64::try_from(self.number).unwrap_or(0);
        Some(Thoughts::new(think, seed, (self.shard.number << 32) | seat))
    }

    /// Opens a connection, after a pause where the attempt before failed. `false` when the run
    /// was stopped meanwhile.
    async fn reconnect(&mut self) -> bool {
        loop {
            let attempt = tokio::select! {
                attempt = self.common.open(&self.connector) => attempt,
                () = self.common.stop.cancelled() => return false,
            };
            match attempt {
                Ok((session, took)) => {
                    self.session = Some(session);
                    self.backoff = Backoff::new();
                    let now = self.pacer.now();
                    let mut tally = self.shard.tally();
                    tally.open += 1;
                    let recorder = tally.recorder.at(now);
                    recorder.created += 1;
                    record(&mut recorder.create, took);
                    return true;
                }
                Err(error) => {
                    let now = self.pacer.now();
                    let mut tally = self.shard.tally();
                    let recorder = tally.recorder.at(now);
                    recorder.refused += 1;
                    recorder.last_refusal = Some(shown(&error.to_string()));
                }
            }
            let pause = self.backoff.pause(self.number);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.common.stop.cancelled() => return false,
            }
        }
    }

    async fn leave(mut self) {
        if let Some(session) = self.session.take() {
            let _ = tokio::time::timeout(CLOSE, session.close()).await;
        }
    }
}

/// A timer that one seat uses for all its operations. It is set again only when it fires too
/// early, once in the length of a timeout, instead of once for each operation.
struct Deadline(Pin<Box<Sleep>>);

impl Deadline {
    fn new() -> Self {
        Self(Box::pin(tokio::time::sleep(Duration::ZERO)))
    }

    /// The result of `work`, or `None` when it did not end before `until`; then it is dropped.
    async fn within<T>(&mut self, until: Instant, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        std::future::poll_fn(|context| {
            if let Poll::Ready(value) = work.as_mut().poll(context) {
                return Poll::Ready(Some(value));
            }
            if self.0.deadline() > until {
                self.0.as_mut().reset(until);
            }
            while self.0.as_mut().poll(context).is_ready() {
                if Instant::now() >= until {
                    return Poll::Ready(None);
                }
                self.0.as_mut().reset(until);
            }
            Poll::Pending
        })
        .await
    }
}
