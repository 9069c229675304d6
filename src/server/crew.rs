//! The connections that this process has to one server, as far as they must know of each other:
//! what they send is mydex's own, and is left out of what mydex shows.
//!
//! A collector founds a crew for its server. Every guarded connection to that server which is opened
//! while it lasts joins by itself, counts into its meter, and says what it has sent before the server
//! forgets it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::Connection;
use super::cells::Cells;
use super::connect;
use super::guard::Meter;
use crate::config::settings::Server;
use crate::model::digest::DigestKey;

/// What statements that read the digest table start with, to find their cost afterwards.
pub const DIGEST_MARK: &str = "SELECT /* mydex:digests */";

/// Statements kept that nobody has asked for; more mean that no one does.
const MOST_TOLD: usize = 10_000;

/// The crews of this process, by the place of their server.
static CREWS: Mutex<BTreeMap<String, Weak<Crew>>> = Mutex::new(BTreeMap::new());

/// One connection's identity on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// `CONNECTION_ID()`.
    pub connection: u64,
    /// `THREAD_ID`, zero without `performance_schema`.
    pub thread: u64,
}

/// One statement of mydex as the server remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnEvent {
    /// `THREAD_ID`.
    pub thread: u64,
    /// `EVENT_ID`, ascending within a thread.
    pub event: u64,
    /// `TIMER_WAIT` in picoseconds.
    pub time_ps: u64,
    /// `CPU_TIME` in picoseconds; zero where it is not measured.
    pub cpu_ps: u64,
    /// Its digest row.
    pub key: DigestKey,
    /// It was a poll of the digest table.
    pub is_digest_poll: bool,
}

/// `THREAD_ID, EVENT_ID, TIMER_WAIT, CPU_TIME, CURRENT_SCHEMA, DIGEST, LEFT(SQL_TEXT, 32)`.
pub fn own_event(row: &impl Cells) -> Option<OwnEvent> {
    Some(OwnEvent {
        thread: row.u64(0)?,
        event: row.u64(1)?,
        time_ps: row.u64(2).unwrap_or(0),
        cpu_ps: row.u64(3).unwrap_or(0),
        key: DigestKey {
            schema: row.str(4).map(Arc::from),
            digest: row.str(5).map(Arc::from),
        },
        is_digest_poll: row.str(6).is_some_and(|sql| sql.starts_with(DIGEST_MARK)),
    })
}

/// Reads the latest statements of these threads; `cpu` is the expression for their processor time.
#[must_use]
pub fn history_sql(cpu: &str, threads: &[u64]) -> String {
    let list: Vec<String> = threads.iter().map(u64::to_string).collect();
    format!(
        "SELECT /* mydex:own */ THREAD_ID, EVENT_ID, TIMER_WAIT, {cpu}, CURRENT_SCHEMA, DIGEST, \
         LEFT(SQL_TEXT, 32) FROM performance_schema.events_statements_history \
         WHERE THREAD_ID IN ({}) LIMIT 1000",
        list.join(", ")
    )
}

/// All connections of this process to one server: their ids, to leave them out, what they have sent,
/// and their shared meter.
#[derive(Debug, Default)]
pub struct Crew {
    /// Counts what all of them cost.
    pub meter: Arc<Meter>,
    members: Mutex<Vec<Member>>,
    /// The expression for the processor time of a statement, where its history can be read.
    history: Mutex<Option<String>>,
    told: Mutex<Vec<OwnEvent>>,
    /// Members that joined by themselves.
    guests: AtomicUsize,
}

impl Crew {
    /// A crew that connections to `server` join from now on, until nobody holds it any more.
    #[must_use]
    pub fn found(server: &Server) -> Arc<Self> {
        let crew = Arc::new(Self::default());
        let mut all = locked(&CREWS);
        all.retain(|_, known| known.strong_count() > 0);
        all.insert(connect::place(server), Arc::downgrade(&crew));
        crew
    }

    /// The crew of this server, if something here watches it.
    pub(super) fn of(server: &Server) -> Option<Arc<Self>> {
        locked(&CREWS).get(&connect::place(server))?.upgrade()
    }

    /// A connection was opened.
    pub fn join(&self, connection: &Connection) -> Member {
        let member = Member {
            connection: connection.id(),
            thread: connection.thread().unwrap_or(0),
        };
        locked(&self.members).push(member);
        member
    }

    /// A connection was closed or given up.
    pub fn leave(&self, member: Member) {
        locked(&self.members).retain(|other| *other != member);
    }

    /// Those that are open.
    #[must_use]
    pub fn members(&self) -> Vec<Member> {
        locked(&self.members).clone()
    }

    /// How the history of statements is read on this server; `None` where it can't be.
    pub fn read_history_with(&self, cpu: Option<String>) {
        *locked(&self.history) = cpu;
    }

    pub(super) fn history_of(&self, thread: u64) -> Option<String> {
        let cpu = locked(&self.history).clone()?;
        Some(history_sql(&cpu, &[thread]))
    }

    /// Whether others than those who founded it sent something that has not been asked for.
    #[must_use]
    pub fn has_guests(&self) -> bool {
        self.guests.load(Ordering::Relaxed) > 0 || !locked(&self.told).is_empty()
    }

    /// Reads what all members have sent of late; `None` where it can't be read.
    #[must_use]
    pub fn history(&self) -> Option<String> {
        let cpu = locked(&self.history).clone()?;
        let threads: Vec<u64> = self.members().iter().map(|member| member.thread).collect();
        Some(history_sql(&cpu, &threads))
    }

    /// What members have said since the last call of [`Crew::take_told`].
    #[must_use]
    pub fn told(&self) -> Vec<OwnEvent> {
        locked(&self.told).clone()
    }

    /// A member says what it has sent.
    pub(super) fn tell(&self, events: Vec<OwnEvent>) {
        let mut told = locked(&self.told);
        if told.len() < MOST_TOLD {
            told.extend(events);
        }
    }

    /// What members have said since the last call.
    #[must_use]
    pub fn take_told(&self) -> Vec<OwnEvent> {
        std::mem::take(&mut *locked(&self.told))
    }
}

/// The server remembers so few statements of a session; what it sent is told before.
pub(super) const UNTOLD: u32 = 8;

/// Of a connection to a server that is watched from here as well: its place in the crew, which it
/// leaves when it ends in whatever way.
#[derive(Debug)]
pub(super) struct Duty {
    pub(super) crew: Arc<Crew>,
    member: Member,
    /// Statements sent and not told.
    pub(super) untold: u32,
}

impl Duty {
    pub(super) fn of(connection: &Connection, crew: Arc<Crew>) -> Self {
        crew.guests.fetch_add(1, Ordering::Relaxed);
        Self {
            member: crew.join(connection),
            crew,
            // Those that every connection begins with.
            untold: UNTOLD,
        }
    }
}

impl Drop for Duty {
    fn drop(&mut self) {
        self.crew.leave(self.member);
        self.crew.guests.fetch_sub(1, Ordering::Relaxed);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is in there is whole whatever happened to a thread that held the lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_digest_polls_are_recognised() {
        let row = [
            Some("61"),
            Some("7"),
            Some("100"),
            Some("0"),
            None,
            Some("d"),
            Some("SELECT /* mydex:digests */ SCHEM"),
        ];
        assert!(own_event(&row).unwrap().is_digest_poll);
    }
}
