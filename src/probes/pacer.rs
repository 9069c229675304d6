//! Waking at an exact time.
//!
//! The runtime's timers have a resolution of one millisecond, ten times the latency of a point
//! look-up. On Linux a pacer therefore waits on one `timerfd` per worker thread, which fires
//! within some tens of microseconds; elsewhere, and under a paused clock, it falls back to the
//! runtime's timers. How late it fired is measured by the caller either way.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

/// Which clock wakes the waiters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// The most exact one of this system.
    #[default]
    Exact,
    /// The runtime's timers.
    Runtime,
}

/// Wakes up to `seats` tasks of one thread at times counted in nanoseconds from a start.
#[derive(Debug)]
pub struct Pacer {
    start: Instant,
    line: Mutex<Line>,
    timer: Timer,
}

#[derive(Debug)]
enum Timer {
    #[cfg(target_os = "linux")]
    Fd(tokio::io::unix::AsyncFd<rustix::fd::OwnedFd>),
    Runtime(tokio::sync::Notify),
}

#[derive(Debug)]
struct Line {
    seats: Vec<Seat>,
    due: BinaryHeap<Reverse<(u64, usize)>>,
    armed: Option<u64>,
    is_closed: bool,
}

#[derive(Debug)]
enum Seat {
    Free,
    Waiting(u64, Waker),
    Due,
}

impl Pacer {
    /// A pacer for `seats` waiters, each with a seat number below that.
    ///
    /// # Errors
    /// When the system has no timer to give.
    pub fn new(start: Instant, seats: usize, precision: Precision) -> io::Result<Self> {
        let timer = match precision {
            #[cfg(target_os = "linux")]
            Precision::Exact => Timer::Fd(timer_fd()?),
            _ => Timer::Runtime(tokio::sync::Notify::new()),
        };
        Ok(Self {
            start,
            timer,
            line: Mutex::new(Line {
                seats: (0..seats).map(|_| Seat::Free).collect(),
                due: BinaryHeap::new(),
                armed: None,
                is_closed: false,
            }),
        })
    }

    /// Nanoseconds since the start; 0 before it.
    #[must_use]
    pub fn now(&self) -> u64 {
        let since = Instant::now().saturating_duration_since(self.start);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    /// The moment `nanos` after the start; a year from now where that is beyond reach.
    #[must_use]
    pub fn at(&self, nanos: u64) -> Instant {
        const YEAR: Duration = Duration::from_hours(365 * 24);
        self.start
            .checked_add(Duration::from_nanos(nanos).min(YEAR))
            .unwrap_or_else(Instant::now)
    }

    /// Waits until `at`, or until the pacer is closed.
    pub async fn wait(&self, seat: usize, at: u64) {
        poll_fn(|context| {
            let mut line = self.line();
            if line.is_closed || at <= self.now() {
                line.leave(seat);
                return Poll::Ready(());
            }
            match line.seats.get_mut(seat) {
                None | Some(Seat::Due) => {
                    line.leave(seat);
                    return Poll::Ready(());
                }
                Some(Seat::Waiting(_, waker)) => waker.clone_from(context.waker()),
                Some(free) => {
                    *free = Seat::Waiting(at, context.waker().clone());
                    line.due.push(Reverse((at, seat)));
                }
            }
            self.arm(&mut line);
            Poll::Pending
        })
        .await;
    }

    /// Wakes all waiters now and lets nobody wait from now on.
    pub fn close(&self) {
        let mut line = self.line();
        line.is_closed = true;
        for seat in &mut line.seats {
            if let Seat::Waiting(_, waker) = std::mem::replace(seat, Seat::Due) {
                waker.wake();
            }
        }
    }

    /// Wakes the waiters on all seats below `seats` now, once, so that they ask again what to do.
    pub fn rouse(&self, seats: usize) {
        let mut line = self.line();
        for seat in line.seats.iter_mut().take(seats) {
            if matches!(seat, Seat::Waiting(..))
                && let Seat::Waiting(_, waker) = std::mem::replace(seat, Seat::Due)
            {
                waker.wake();
            }
        }
        line.due.retain(|Reverse((_, seat))| *seat >= seats);
    }

    /// Wakes those whose time has come, for as long as it is polled.
    pub async fn drive(&self) {
        loop {
            match &self.timer {
                #[cfg(target_os = "linux")]
                Timer::Fd(fd) => match fd.readable().await {
                    // The expiry is not read: arming the timer again resets it.
                    Ok(mut ready) => ready.clear_ready(),
                    // Only when the runtime ends.
                    Err(_) => return,
                },
                Timer::Runtime(earlier) => {
                    let next = self.line().due.peek().map(|Reverse((at, _))| *at);
                    match next {
                        Some(at) => tokio::select! {
                            () = tokio::time::sleep_until(self.at(at)) => {}
                            () = earlier.notified() => {}
                        },
                        None => earlier.notified().await,
                    }
                }
            }
            self.wake_due();
        }
    }

    fn wake_due(&self) {
        let mut line = self.line();
        let now = self.now();
        line.armed = None;
        while let Some(Reverse((at, seat))) = line.due.peek().copied()
            && at <= now
        {
            line.due.pop();
            if let Some(place) = line.seats.get_mut(seat)
                && matches!(place, Seat::Waiting(until, _) if *until == at)
                && let Seat::Waiting(_, waker) = std::mem::replace(place, Seat::Due)
            {
                waker.wake();
            }
        }
        match &self.timer {
            #[cfg(target_os = "linux")]
            Timer::Fd(_) => self.arm(&mut line),
            // The driver looks at the line again by itself.
            Timer::Runtime(_) => line.armed = line.due.peek().map(|Reverse((at, _))| *at),
        }
    }

    /// Sets the timer where the earliest waiter is earlier than what it is set to.
    fn arm(&self, line: &mut Line) {
        let Some(Reverse((at, _))) = line.due.peek().copied() else {
            return;
        };
        if line.armed.is_some_and(|armed| armed <= at) {
            return;
        }
        line.armed = Some(at);
        match &self.timer {
            #[cfg(target_os = "linux")]
            Timer::Fd(fd) => set_timer(fd, at.saturating_sub(self.now()).max(1)),
            Timer::Runtime(earlier) => earlier.notify_one(),
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        // A panic between lock and unlock leaves no half-made state here.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn leave(&mut self, seat: usize) {
        if let Some(place) = self.seats.get_mut(seat) {
            *place = Seat::Free;
        }
    }
}

#[cfg(target_os = "linux")]
#[allow(
    deprecated,
    reason = "the replacement is `unsafe`, which this crate forbids; what it guards against is a \
              descriptor that changes while registered, and an `OwnedFd` never does"
)]
fn timer_fd() -> io::Result<tokio::io::unix::AsyncFd<rustix::fd::OwnedFd>> {
    use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};
    let fd = timerfd_create(
        TimerfdClockId::Monotonic,
        TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
    )?;
    tokio::io::unix::AsyncFd::with_interest(fd, tokio::io::Interest::READABLE)
}

#[cfg(target_os = "linux")]
fn set_timer(fd: &tokio::io::unix::AsyncFd<rustix::fd::OwnedFd>, nanos: u64) {
    use rustix::time::{Itimerspec, TimerfdTimerFlags, Timespec, timerfd_settime};
    let zero = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let value = Timespec {
        tv_sec: i64::try_from(nanos / 1_000_000_000).unwrap_or(i64::MAX),
        // Below 10^9, so it always fits.
        tv_nsec: i64::try_from(nanos % 1_000_000_000).unwrap_or(0),
    };
    let setting = Itimerspec {
        it_interval: zero,
        it_value: value,
    };
    // Fails only for a bad descriptor or time, and both are made here.
    let set = timerfd_settime(fd.get_ref(), TimerfdTimerFlags::empty(), &setting);
    debug_assert!(set.is_ok(), "{set:?}");
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    async fn lateness_of(precision: Precision, waits_us: &[u64]) -> Vec<u64> {
        let pacer = Arc::new(Pacer::new(Instant::now(), waits_us.len(), precision).unwrap());
        let driver = tokio::spawn({
            let pacer = Arc::clone(&pacer);
            async move { pacer.drive().await }
        });
        let waiters: Vec<_> = waits_us
            .iter()
            .enumerate()
            .map(|(seat, us)| {
                let (pacer, at) = (Arc::clone(&pacer), us * 1_000);
                tokio::spawn(async move {
                    pacer.wait(seat, at).await;
                    pacer.now().checked_sub(at).expect("woken too early")
                })
            })
            .collect();
        let mut late = Vec::new();
        for waiter in waiters {
            late.push(waiter.await.unwrap());
        }
        driver.abort();
        late
    }

    #[tokio::test]
    async fn wakes_in_any_order_and_never_early() {
        let late = lateness_of(Precision::Exact, &[30_000, 5_000, 5_000, 900, 60_000]).await;
        // Generous, because the machine may be busy; the benchmark shows the real figure.
        assert!(late.iter().all(|late| *late < 200_000_000), "{late:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn follows_a_paused_clock() {
        let late = lateness_of(Precision::Runtime, &[3_000_000, 1_000, 60_000_000]).await;
        assert!(late.iter().all(|late| *late < 2_000_000), "{late:?}");
    }

    #[tokio::test]
    async fn closing_wakes_all() {
        let pacer = Arc::new(Pacer::new(Instant::now(), 1, Precision::Exact).unwrap());
        let waiter = tokio::spawn({
            let pacer = Arc::clone(&pacer);
            async move { pacer.wait(0, u64::MAX).await }
        });
        tokio::task::yield_now().await;
        pacer.close();
        tokio::time::timeout(Duration::from_secs(5), waiter)
            .await
            .expect("woken")
            .unwrap();
    }
}
