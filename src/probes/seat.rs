//! The workers: threads with their seats, each seat one connection that takes one operation after
//! the other from the line.

mod shared;

use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep};

use super::operation::shown;
use super::pacer::{Pacer, Precision};
use super::pool::{Backoff, Connector, Session};
use super::queue::Next;
use super::recorder::record;
use super::shard::{Lease, Shard};
use super::think::Thoughts;

pub(crate) use shared::Shared;

/// How often a worker checks how late it is when no operation tells.
const HEARTBEAT_NS: u64 = 10_000_000;
/// A connection for which nothing is planned asks again after this, or when rates change.
const IDLE_NS: u64 = 3_600_000_000_000;
/// A goodbye to the server takes at most this.
const CLOSE: Duration = Duration::from_millis(500);

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
        let (next, claim) = seat.common.next(meant);
        let (arrival, wait) = match next {
            // Who thought until then did not wait for a connection.
            Next::Now(arrival) if thoughts.is_some() => (arrival, 0),
            Next::Now(arrival) => (arrival, now.saturating_sub(arrival.at)),
            Next::At(arrival) => {
                let its_time = seat
                    .common
                    .wait_for(&arrival, claim, &seat.pacer, seat.number)
                    .await;
                now = seat.pacer.now();
                if !its_time {
                    continue;
                }
                (arrival, 0)
            }
            Next::Idle => {
                seat.pacer.wait(seat.number, now + IDLE_NS).await;
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
