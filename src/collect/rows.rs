//! Rows as the server sends them, to values of `model`. Each function names the columns it expects.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::digest::{DigestCounters, DigestKey, DigestRow};
use crate::model::session::{Session, SessionId, Transaction};
use crate::model::status::Var;
use crate::server::cells::Cells;

/// `Variable_name, Value` of `SHOW GLOBAL STATUS`; `None` for a variable that mydex does not know.
pub fn status(row: &impl Cells) -> Option<(Var, u64)> {
    Some((Var::from_name(row.str(0)?)?, row.u64(1)?))
}

/// `THREAD_ID, PROCESSLIST_ID, USER, HOST, DB, COMMAND, STATE, TIME, INFO`.
pub fn session(row: &impl Cells) -> Option<Session> {
    Some(Session {
        id: SessionId {
            thread: row.u64(0).unwrap_or(0),
            connection: row.u64(1)?,
        },
        user: row.text(2),
        host: row.text(3).map(without_port),
        schema: row.text(4),
        command: row.text(5).unwrap_or_default(),
        state: row.text(6).filter(|state| !state.is_empty()),
        // A clock that was set back makes negative times; they are as good as none.
        time: Duration::from_secs(row.u64(7).unwrap_or(0)),
        statement: row.text(8).filter(|text| !text.is_empty()),
        transaction: None,
    })
}

/// The process list of `information_schema` has `host:port`, the thread table only the host.
fn without_port(host: String) -> String {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') && port.parse::<u16>().is_ok() => name.to_owned(),
        _ => host,
    }
}

/// `trx_mysql_thread_id, trx_state, age in s, lock wait in s, rows locked, rows modified,
/// isolation level`; the connection's id with its transaction.
pub fn transaction(row: &impl Cells) -> Option<(u64, Transaction)> {
    Some((
        row.u64(0)?,
        Transaction {
            state: row.text(1)?,
            age: Duration::from_secs(row.u64(2).unwrap_or(0)),
            lock_wait: row.u64(3).map(Duration::from_secs),
            rows_locked: row.u64(4).unwrap_or(0),
            rows_modified: row.u64(5).unwrap_or(0),
            isolation: row.text(6).unwrap_or_default(),
        },
    ))
}

/// Puts transactions to their sessions; those without a session (recovered ones) are dropped.
pub fn join(sessions: &mut [Session], transactions: impl IntoIterator<Item = (u64, Transaction)>) {
    let mut transactions: HashMap<_, _> = transactions.into_iter().collect();
    for session in sessions {
        session.transaction = transactions.remove(&session.id.connection);
    }
}

/// Active sessions first, the longest-running before the others.
pub fn order(sessions: &mut [Session]) {
    sessions.sort_by_key(|session| {
        (
            !session.is_active(),
            session.transaction.is_none(),
            std::cmp::Reverse(session.time),
            session.id.connection,
        )
    });
}

/// Keeps one copy of each schema name and digest, however many rows repeat it.
#[derive(Debug, Default)]
pub struct Interner(HashSet<Arc<str>>);

impl Interner {
    /// The shared copy of `text`.
    pub fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(shared) = self.0.get(text) {
            return Arc::clone(shared);
        }
        let shared: Arc<str> = text.into();
        self.0.insert(Arc::clone(&shared));
        shared
    }
}

/// The expressions in front of the counters: what [`digest`] reads first.
pub const DIGEST_HEAD: &str = "SCHEMA_NAME, DIGEST, UNIX_TIMESTAMP(FIRST_SEEN)";

/// The counters' columns in [`DigestCounters`] order; a literal zero where the server has none.
pub fn counter_columns(has: impl Fn(&str) -> bool) -> String {
    let columns: Vec<&str> = DigestCounters::COLUMNS
        .iter()
        .map(|column| if has(column) { *column } else { "0" })
        .collect();
    columns.join(", ")
}

/// [`DIGEST_HEAD`], then [`counter_columns`] from position 3. Only schema names are interned; a
/// digest is shared by its row's copies anyway.
pub fn digest(row: &impl Cells, schemas: &mut Interner) -> Option<DigestRow> {
    let mut values = [0_u64; DigestCounters::COLUMNS.len()];
    for (i, value) in values.iter_mut().enumerate() {
        *value = row.u64(3 + i).unwrap_or(0);
    }
    Some(DigestRow {
        key: DigestKey {
            schema: row.str(0).map(|name| schemas.get(name)),
            digest: row.str(1).map(Arc::from),
        },
        counters: DigestCounters::from_values(&values),
        first_seen: row.timestamp(2).unwrap_or(Timestamp::UNIX_EPOCH),
    })
}

/// Position of the first column behind those of [`digest`].
pub const AFTER_DIGEST: usize = 3 + DigestCounters::COLUMNS.len();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_of_the_thread_table() {
        let row = [
            Some("61"),
            Some("22"),
            Some("app"),
            Some("web1"),
            None,
            Some("Query"),
            Some("executing"),
            Some("3"),
            Some("SELECT 1"),
        ];
        let session = session(&row).unwrap();
        assert_eq!(session.id.connection, 22);
        assert_eq!(session.id.thread, 61);
        assert_eq!(session.schema, None);
        assert_eq!(session.time, Duration::from_secs(3));
        assert!(session.is_active());
    }

    #[test]
    fn hosts_lose_their_port_and_addresses_their_nothing() {
        for (raw, host) in [
            ("web1:51234", "web1"),
            ("10.0.0.1:3", "10.0.0.1"),
            ("web1", "web1"),
            ("::1", "::1"),
            ("fe80::1:22", "fe80::1:22"),
        ] {
            assert_eq!(without_port(raw.to_owned()), host);
        }
    }

    #[test]
    fn transactions_meet_their_sessions() {
        let sleeping = |id: &'static str| {
            session(&[
                Some("1"),
                Some(id),
                Some("app"),
                None,
                None,
                Some("Sleep"),
                None,
                Some("9"),
                None,
            ])
            .unwrap()
        };
        let mut sessions = vec![sleeping("1"), sleeping("2")];
        let row = [
            Some("2"),
            Some("RUNNING"),
            Some("40"),
            None,
            Some("3"),
            Some("1"),
            Some("REPEATABLE READ"),
        ];
        join(&mut sessions, transaction(&row));
        order(&mut sessions);
        assert_eq!(sessions[0].id.connection, 2);
        assert!(sessions[0].is_idle_in_transaction());
        assert!(sessions[1].transaction.is_none());
    }

    #[test]
    fn a_digest_row_in_column_order() {
        let head = [Some("shop"), Some("abc"), Some("1700000000.5")];
        let counters = (1..=DigestCounters::COLUMNS.len()).map(|n| n.to_string());
        let counters: Vec<_> = counters.collect();
        let cells: Vec<Option<&[u8]>> = head
            .iter()
            .copied()
            .chain(counters.iter().map(|n| Some(n.as_str())))
            .map(|cell| cell.map(str::as_bytes))
            .collect();
        let row = digest(&Fixture(&cells), &mut Interner::default()).unwrap();
        assert_eq!(row.key.schema.as_deref(), Some("shop"));
        assert_eq!(row.counters.calls, 1);
        assert_eq!(row.counters.cpu_ps, 16);
        assert_eq!(row.first_seen.as_millisecond(), 1_700_000_000_500);
    }

    struct Fixture<'a>(&'a [Option<&'a [u8]>]);

    impl Cells for Fixture<'_> {
        fn cell(&self, i: usize) -> Option<&[u8]> {
            self.0.get(i).copied().flatten()
        }
    }

    #[test]
    fn absent_columns_are_zero() {
        let columns = counter_columns(|column| column != "SUM_CPU_TIME");
        assert!(columns.ends_with(", 0"));
        assert!(!columns.contains("SUM_CPU_TIME"));
    }
}
