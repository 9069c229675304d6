//! The line of operations in front of the connections: who is next, and who waits.
//!
//! Arrivals are not stored. Two readers go through the same schedule, one at the operations that
//! have arrived, one at those that a connection has taken; what lies between them waits. However
//! long the line grows, its memory does not. The line is first come, first served over all probes.

use std::collections::{HashSet, VecDeque};

use super::level::{Level, LevelWindow};
use super::recorder::{Ending, Operation, record};
use super::schedule::{Arrival, Mix, Schedule};
use super::stages::Staged;

/// Where the operations come from.
#[derive(Debug, Clone)]
pub enum Plan {
    /// At the times of a schedule, however long the answers take.
    Open(Schedule),
    /// One after the other, as fast as answers come.
    Closed(Mix),
}

/// Bounds of a run, nanoseconds since the load started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Operations meant to start before this are run, not counted.
    pub warm: u64,
    /// Operations meant to start from this on do not belong to the run.
    pub end: u64,
    /// A wait for a connection is given up after this.
    pub wait_timeout: Option<u64>,
}

/// What a free connection does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Run this now; it has arrived.
    Now(Arrival),
    /// Nothing waits: run this when its time comes.
    At(Arrival),
    /// Nothing is meant to start before the end of the run, as rates are now.
    Idle,
    /// No operation is left.
    End,
}

/// The line.
#[derive(Debug)]
pub struct Queue {
    source: Source,
    bounds: Bounds,
    pending: Level,
    recorder: Staged,
    /// The latest moment that the line was brought up to.
    latest: u64,
    /// Operations handed out before their time, the latest last, each with its ticket.
    ahead: VecDeque<(u64, Arrival)>,
    ticket: u64,
    /// Tickets of those that were called back, until their connections have noticed.
    called_back: HashSet<u64>,
}

#[derive(Debug)]
enum Source {
    Open { taken: Schedule, arrived: Schedule },
    Closed(Mix),
}

impl Queue {
    /// A line that counts into `recorder`, which is empty.
    #[must_use]
    pub fn new(plan: Plan, bounds: Bounds, recorder: Staged) -> Self {
        let source = match plan {
            Plan::Open(schedule) => Source::Open {
                taken: schedule.clone(),
                arrived: schedule,
            },
            Plan::Closed(mix) => Source::Closed(mix),
        };
        Self {
            source,
            bounds,
            pending: Level::default(),
            recorder,
            latest: 0,
            ahead: VecDeque::new(),
            ticket: 0,
            called_back: HashSet::new(),
        }
    }

    /// The ticket of the latest operation from [`Next::At`].
    #[must_use]
    pub fn ticket(&self) -> u64 {
        self.ticket
    }

    /// Whether the operation with this ticket was called back by [`Queue::rerate`]; tells it once.
    pub fn is_called_back(&mut self, ticket: u64) -> bool {
        self.called_back.remove(&ticket)
    }

    /// From the moment that it returns on, `now` or a little later, these are the rates of the
    /// sources. Operations meant for before keep their times, and those that were handed out for
    /// later are called back and placed anew: they keep their numbers. A closed line has no rates.
    pub fn rerate(&mut self, now: u64, rates: &[f64]) -> u64 {
        // Connections may have asked with a later clock already.
        let now = now.max(self.latest);
        self.advance(now);
        let from = now.saturating_add(1);
        let Source::Open { taken, arrived } = &mut self.source else {
            return from;
        };
        let later = self.ahead.partition_point(|(_, arrival)| arrival.at < from);
        let later: Vec<(u64, Arrival)> = self.ahead.drain(later..).collect();
        self.called_back
            .extend(later.iter().map(|(ticket, _)| *ticket));
        let profiles = arrived.rerated(from, rates, taken);
        if self.pending.value() == 0 {
            arrived.take_back(later.into_iter().map(|(_, arrival)| arrival));
            arrived.adopt(&profiles);
            // Nobody waits, so that both readers are at the same place.
            *taken = arrived.clone();
        } else {
            // Who waits has arrived, and nothing can have been handed out before it.
            arrived.adopt(&profiles);
            taken.adopt(&profiles);
        }
        from
    }

    /// The next operation of a connection that is free at `now`.
    pub fn take(&mut self, now: u64) -> Next {
        if now >= self.bounds.end {
            return Next::End;
        }
        self.advance(now);
        match &mut self.source {
            Source::Closed(mix) => match mix.next(now) {
                Some(arrival) => {
                    count(&mut self.recorder, self.bounds, &arrival);
                    Next::Now(arrival)
                }
                None => Next::End,
            },
            Source::Open { taken, arrived } => {
                let waiting = self.pending.value();
                if waiting > 0 {
                    self.pending.set(now, waiting - 1);
                    return taken.next().map_or(Next::End, Next::Now);
                }
                match arrived.peek() {
                    Some(arrival) if arrival.at < self.bounds.end => {
                        arrived.next();
                        taken.next();
                        while self.ahead.front().is_some_and(|(_, first)| first.at <= now) {
                            self.ahead.pop_front();
                        }
                        self.ticket += 1;
                        self.ahead.push_back((self.ticket, arrival));
                        Next::At(arrival)
                    }
                    _ => Next::Idle,
                }
            }
        }
    }

    /// Whether the end of the run came before this operation from [`Next::At`].
    #[must_use]
    pub fn is_called_off(&self, arrival: &Arrival) -> bool {
        arrival.at >= self.bounds.end
    }

    /// Brings the line up to `now`: who has arrived, and who has waited too long.
    pub fn advance(&mut self, now: u64) {
        self.latest = self.latest.max(now);
        let Source::Open { taken, arrived } = &mut self.source else {
            return;
        };
        while let Some(arrival) = arrived.peek()
            && arrival.at <= now
            && arrival.at < self.bounds.end
        {
            arrived.next();
            self.pending.set(arrival.at, self.pending.value() + 1);
            count(&mut self.recorder, self.bounds, &arrival);
        }
        let Some(timeout) = self.bounds.wait_timeout else {
            return;
        };
        while self.pending.value() > 0
            && let Some(arrival) = taken.peek()
            && arrival.at.saturating_add(timeout) <= now
        {
            taken.next();
            self.pending.set(now, self.pending.value() - 1);
            if arrival.at >= self.bounds.warm {
                self.recorder.at(arrival.at).timeouts += 1;
            }
            unsent(
                &mut self.recorder,
                self.bounds,
                &arrival,
                arrival.at + timeout,
            );
        }
    }

    /// Ends the run at `now`, or at its end where that is earlier. Whatever still waits is unsent:
    /// it is counted as a wait that lasted at least until then.
    pub fn finish(&mut self, now: u64) {
        let end = self.bounds.end.min(now);
        self.bounds.end = end;
        self.advance(end);
        if let Source::Open { taken, .. } = &mut self.source {
            for _ in 0..self.pending.value() {
                if let Some(arrival) = taken.next() {
                    unsent(&mut self.recorder, self.bounds, &arrival, end);
                }
            }
            self.pending.set(end, 0);
        }
    }

    /// Hands out what was counted since the last call, and how many waited in that window.
    pub fn window(&mut self, now: u64, into: &mut Staged) -> LevelWindow {
        self.advance(now);
        into.merge(&self.recorder);
        self.recorder.clear();
        self.pending.window(now.min(self.bounds.end))
    }
}

fn count(recorder: &mut Staged, bounds: Bounds, arrival: &Arrival) {
    if arrival.at >= bounds.warm
        && let Some(probe) = recorder.at(arrival.at).probes.get_mut(arrival.source)
    {
        probe.counts.scheduled += 1;
    }
}

fn unsent(recorder: &mut Staged, bounds: Bounds, arrival: &Arrival, ended: u64) {
    if arrival.at >= bounds.warm {
        let recorder = recorder.at(arrival.at);
        recorder.operation(Operation {
            probe: arrival.source,
            intended: arrival.at,
            sent: ended,
            ended,
            retries: 0,
            ending: Ending::Unsent,
        });
        record(&mut recorder.wait, ended.saturating_sub(arrival.at));
    }
}

#[cfg(test)]
mod tests;
