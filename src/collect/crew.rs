//! The connections that mydex has to one server, as far as each must know of the other.

use std::sync::{Arc, Mutex, PoisonError};

use crate::server::Connection;
use crate::server::guard::Meter;

/// One connection's identity on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// `CONNECTION_ID()`.
    pub connection: u64,
    /// `THREAD_ID`, zero without `performance_schema`.
    pub thread: u64,
}

/// All connections of one collector: their ids, to leave them out, and their shared meter.
#[derive(Debug, Default)]
pub struct Crew {
    /// Counts what all of them cost.
    pub meter: Arc<Meter>,
    members: Mutex<Vec<Member>>,
}

impl Crew {
    /// A connection was opened.
    pub fn join(&self, connection: &Connection) -> Member {
        let member = Member {
            connection: connection.id(),
            thread: connection.thread().unwrap_or(0),
        };
        self.locked().push(member);
        member
    }

    /// A connection was closed or given up.
    pub fn leave(&self, member: Member) {
        self.locked().retain(|other| *other != member);
    }

    /// Those that are open.
    pub fn members(&self) -> Vec<Member> {
        self.locked().clone()
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Vec<Member>> {
        // The list is whole whatever happened to a thread that held the lock.
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
