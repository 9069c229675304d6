//! Which figures of the server are mydex's own doing, so that they can be left out.
//!
//! The latency histogram of the server has mydex's statements in it. Their times are in the
//! history of its threads; what ended between two readings of the histogram is taken out.

use std::collections::{HashMap, HashSet};

use crate::model::digest::DigestKey;
use crate::server::crew::OwnEvent;

/// Remembers which statements have been accounted for.
#[derive(Debug, Default)]
pub struct OwnStatements {
    latest: HashMap<u64, u64>,
    carried: Option<u64>,
    keys: HashSet<DigestKey>,
}

/// What is new since the reading before.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Accounted {
    /// Times (ps) of those that are in this reading of the histogram and were not in the last.
    pub timers_ps: Vec<u64>,
    /// Statements seen.
    pub statements: u64,
    /// Their time.
    pub time_ps: u64,
    /// Their processor time.
    pub cpu_ps: u64,
    /// Statements of the polling connection.
    pub polls: u64,
    /// Their time.
    pub polls_time_ps: u64,
    /// Their processor time.
    pub polls_cpu_ps: u64,
    /// Of these, time of polls of the digest table.
    pub digest_time_ps: u64,
    /// Of these, processor time of polls of the digest table.
    pub digest_cpu_ps: u64,
}

/// More keys than mydex has statements mean that something is wrong; the set stays bounded.
const MOST_KEYS: usize = 2_000;

impl OwnStatements {
    /// Accounts for the history of mydex's threads, read right after the histogram.
    ///
    /// The newest statement of `poll_thread` is the reading of the histogram itself. It ended
    /// after it had been read, so that it belongs to the next reading.
    pub fn account(&mut self, events: &[OwnEvent], poll_thread: u64) -> Accounted {
        // One statement may be known from both the history and the member that sent it.
        let mut events: Vec<&OwnEvent> = events.iter().collect();
        events.sort_by_key(|event| (event.thread, event.event));
        events.dedup_by_key(|event| (event.thread, event.event));
        let newest = events
            .iter()
            .filter(|event| event.thread == poll_thread)
            .map(|event| event.event)
            .max();
        let mut accounted = Accounted::default();
        accounted.timers_ps.extend(self.carried.take());
        for event in &events {
            let latest = self.latest.get(&event.thread).copied();
            if latest.is_some_and(|latest| event.event <= latest) {
                continue;
            }
            accounted.statements += 1;
            accounted.time_ps += event.time_ps;
            accounted.cpu_ps += event.cpu_ps;
            if event.thread == poll_thread {
                accounted.polls += 1;
                accounted.polls_time_ps += event.time_ps;
                accounted.polls_cpu_ps += event.cpu_ps;
            }
            if event.is_digest_poll {
                accounted.digest_time_ps += event.time_ps;
                accounted.digest_cpu_ps += event.cpu_ps;
            }
            if event.thread == poll_thread && Some(event.event) == newest {
                self.carried = Some(event.time_ps);
            } else {
                accounted.timers_ps.push(event.time_ps);
            }
            self.learn_one(event);
        }
        for event in events {
            let latest = self.latest.entry(event.thread).or_default();
            *latest = (*latest).max(event.event);
        }
        accounted
    }

    /// Learns which digests are mydex's, without accounting for the statements.
    pub fn learn(&mut self, events: &[OwnEvent]) {
        for event in events {
            self.learn_one(event);
        }
    }

    fn learn_one(&mut self, event: &OwnEvent) {
        if event.key.digest.is_some() && self.keys.len() < MOST_KEYS {
            self.keys.insert(event.key.clone());
        }
    }

    /// Whether this digest row is of mydex's own statements.
    #[must_use]
    pub fn is_own(&self, key: &DigestKey) -> bool {
        self.keys.contains(key)
    }

    /// Forgets threads that are gone; the digests stay, because their rows do.
    pub fn keep_threads(&mut self, alive: &[u64]) {
        self.latest.retain(|thread, _| alive.contains(thread));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(thread: u64, event: u64, time_ps: u64, digest: &str) -> OwnEvent {
        OwnEvent {
            thread,
            event,
            time_ps,
            cpu_ps: 0,
            key: DigestKey {
                schema: None,
                digest: Some(digest.into()),
            },
            is_digest_poll: digest == "poll",
        }
    }

    #[test]
    fn the_reading_itself_is_carried_to_the_next() {
        let mut own = OwnStatements::default();
        let first = own.account(
            &[event(1, 10, 5, "status"), event(1, 11, 7, "histogram")],
            1,
        );
        assert_eq!(first.timers_ps, [5]);
        let second = own.account(
            &[
                event(1, 11, 7, "histogram"),
                event(1, 12, 2, "history"),
                event(1, 13, 6, "status"),
                event(1, 14, 8, "histogram"),
                event(2, 3, 9, "poll"),
            ],
            1,
        );
        assert_eq!(second.timers_ps, [7, 2, 6, 9]);
        assert_eq!(second.statements, 4);
        assert_eq!((second.polls, second.polls_time_ps), (3, 16));
        assert_eq!(second.digest_time_ps, 9);
    }

    #[test]
    fn what_is_told_and_seen_counts_once() {
        let mut own = OwnStatements::default();
        let told = [event(2, 4, 6, "b"), event(2, 3, 9, "a")];
        let seen = [
            event(1, 1, 5, "status"),
            event(2, 4, 6, "b"),
            event(2, 5, 7, "c"),
        ];
        let first = own.account(&[&seen[..], &told[..]].concat(), 1);
        assert_eq!(first.statements, 4);
        assert_eq!(first.timers_ps, [9, 6, 7]);
        assert_eq!(own.account(&told, 1).statements, 0);
        assert!(own.is_own(&told[1].key));
    }

    #[test]
    fn own_digests_are_known() {
        let mut own = OwnStatements::default();
        own.account(&[event(1, 1, 1, "mine")], 1);
        assert!(own.is_own(&event(9, 9, 9, "mine").key));
        assert!(!own.is_own(&event(9, 9, 9, "other").key));
        let elsewhere = DigestKey {
            schema: Some("app".into()),
            digest: Some("mine".into()),
        };
        assert!(!own.is_own(&elsewhere));
    }
}
