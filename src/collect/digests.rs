//! Polls of the digest table: numbers of what was active, texts of what is not yet known.
//!
//! The server builds every row of the table whatever is selected, so that the condition on
//! `LAST_SEEN` saves bytes and not time. Only the cadence saves time.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::ledger::Ledger;
use super::rows::{self, AFTER_DIGEST, DIGEST_HEAD, Interner};
use crate::model::digest::{DigestDelta, DigestGap, DigestInterval, DigestKey};
use crate::server::capability::{Capabilities, DigestUse, Source};
use crate::server::cells::Cells as _;
use crate::server::crew::DIGEST_MARK;
use crate::server::quote;
use crate::server::{Connection, Error};

/// Rows read at one poll.
const MOST_ROWS: usize = 50_000;

/// Up to here a look-up by key is cheaper than a scan: each look-up walks the table, too.
const MOST_LOOKUPS: usize = 25;

/// `LAST_SEEN` is written when a statement ends, a moment before its counters are; rows that were
/// seen this much before the last poll are read again.
const OVERLAP: Duration = Duration::from_secs(2);

const TABLE: &str = "performance_schema.events_statements_summary_by_digest";

/// The state of polling one server's digest table.
#[derive(Debug)]
pub struct DigestPoll {
    ledger: Ledger,
    schemas: Interner,
    counters: String,
    capacity: Option<u64>,
    previous: Option<Previous>,
    with_texts: bool,
    gap: Option<DigestGap>,
}

/// When the poll before was made, by the server's clock and by the monotonic one here.
#[derive(Debug, Clone, Copy)]
struct Previous {
    server: Timestamp,
    here: Instant,
}

impl DigestPoll {
    /// Polls as the capabilities permit; `None` where there is nothing to poll.
    #[must_use]
    pub fn new(capabilities: &Capabilities) -> Option<Self> {
        if !capabilities.has_performance_schema() || !capabilities.can_read(Source::Digests) {
            return None;
        }
        Some(Self {
            ledger: Ledger::default(),
            schemas: Interner::default(),
            counters: rows::counter_columns(|c| capabilities.has_column(Source::Digests, c)),
            capacity: capabilities.number("performance_schema_digests_size"),
            previous: None,
            with_texts: true,
            gap: None,
        })
    }

    /// The connection was opened anew, perhaps to a server with other capabilities.
    pub fn renew(&mut self, capabilities: &Capabilities) {
        self.counters = rows::counter_columns(|c| capabilities.has_column(Source::Digests, c));
        self.capacity = capabilities.number("performance_schema_digests_size");
    }

    /// The server was restarted: everything it counts since is new.
    pub fn restarted(&mut self, uptime: Duration) {
        self.ledger.restart();
        self.gap = Some(DigestGap::Restarted);
        if let Some(previous) = &mut self.previous {
            let now = Instant::now();
            previous.here = previous.here.max(now.checked_sub(uptime).unwrap_or(now));
            // Every row is younger than the start of the server.
            previous.server = Timestamp::UNIX_EPOCH;
        }
    }

    /// Whether the baseline has been read.
    #[must_use]
    pub fn has_baseline(&self) -> bool {
        self.previous.is_some()
    }

    /// Rows of the table, as far as seen.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.ledger.rows()
    }

    /// How full the table is, as far as seen.
    #[must_use]
    pub fn usage(&self) -> DigestUse {
        let (all, lost) = self.ledger.sums();
        DigestUse {
            rows: self.ledger.rows(),
            calls: (all.calls, lost.calls),
            time_ps: (all.time_ps, lost.time_ps),
        }
    }

    /// Reads the whole table once, to compare with.
    pub async fn baseline(&mut self, connection: &mut Connection) -> Result<(), Error> {
        let here = Instant::now();
        let server = server_now(connection).await?;
        // The most recently used rows come first if there are more than the limit.
        let sql = format!(
            "{DIGEST_MARK} {DIGEST_HEAD}, {} FROM {TABLE} ORDER BY LAST_SEEN DESC LIMIT {MOST_ROWS}",
            self.counters
        );
        let (ledger, schemas) = (&mut self.ledger, &mut self.schemas);
        connection
            .each("the digests", &sql, |row| {
                ledger.remember(rows::digest(row, schemas));
            })
            .await?;
        self.previous = Some(Previous { server, here });
        Ok(())
    }

    /// What happened since the poll before. `is_own` says which rows are mydex's.
    pub async fn poll(
        &mut self,
        connection: &mut Connection,
        is_own: impl Fn(&DigestKey) -> bool,
    ) -> Result<DigestInterval, Error> {
        let to = Timestamp::now();
        let here = Instant::now();
        let server = server_now(connection).await?;
        let previous = self.previous.unwrap_or(Previous { server, here });
        // A server whose clock was set back is read as a whole once.
        let since = previous.server.min(server);
        let since = since.checked_sub(OVERLAP).unwrap_or(Timestamp::UNIX_EPOCH);
        let now = self.active(connection, since).await?;
        self.previous = Some(Previous { server, here });
        let mut changes = self.ledger.absorb(now, since, &is_own);
        self.with_texts = false;
        self.learn_missing(connection, &mut changes.digests).await?;
        Ok(DigestInterval {
            to,
            window: here.saturating_duration_since(previous.here),
            digests: changes.digests,
            total: changes.total,
            lost: changes.lost,
            rows: self.ledger.rows(),
            capacity: self.capacity,
            gap: self.gap.take().or(changes.gap),
            next_poll: Duration::ZERO,
        })
    }

    async fn active(
        &mut self,
        connection: &mut Connection,
        since: Timestamp,
    ) -> Result<Vec<crate::model::digest::DigestRow>, Error> {
        let text = if self.with_texts { ", DIGEST_TEXT" } else { "" };
        let sql = format!(
            "{DIGEST_MARK} {DIGEST_HEAD}, {}{text} FROM {TABLE} \
             WHERE LAST_SEEN >= FROM_UNIXTIME({}.{:06}) LIMIT {MOST_ROWS}",
            self.counters,
            since.as_second().max(1),
            since.subsec_microsecond().max(0),
        );
        let mut now = Vec::new();
        let (ledger, schemas) = (&mut self.ledger, &mut self.schemas);
        connection
            .each("the active digests", &sql, |row| {
                let Some(digest) = rows::digest(row, schemas) else {
                    return;
                };
                if let (Some(id), Some(text)) = (&digest.key.digest, row.text(AFTER_DIGEST))
                    && ledger.text(&digest.key).is_none()
                {
                    ledger.learn(Arc::clone(id), &text);
                }
                now.push(digest);
            })
            .await?;
        Ok(now)
    }

    /// Few missing texts are looked up; with many, the next poll brings all of them.
    async fn learn_missing(
        &mut self,
        connection: &mut Connection,
        digests: &mut [DigestDelta],
    ) -> Result<(), Error> {
        let mut seen = HashSet::new();
        let missing: Vec<&DigestKey> = digests
            .iter()
            .filter(|delta| delta.text.is_none())
            .map(|delta| &delta.key)
            .filter(|key| seen.insert(key.digest.clone()))
            .take(MOST_LOOKUPS + 1)
            .collect();
        if missing.len() > MOST_LOOKUPS {
            self.with_texts = true;
            return Ok(());
        }
        if missing.is_empty() {
            return Ok(());
        }
        let conditions: Vec<String> = missing.into_iter().filter_map(condition).collect();
        if conditions.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "{DIGEST_MARK} DIGEST, DIGEST_TEXT FROM {TABLE} WHERE {} LIMIT 100",
            conditions.join(" OR ")
        );
        let ledger = &mut self.ledger;
        connection
            .each("the texts of digests", &sql, |row| {
                if let (Some(digest), Some(text)) = (row.str(0), row.text(1)) {
                    ledger.learn(digest.into(), &text);
                }
            })
            .await?;
        self.ledger.fill_texts(digests);
        Ok(())
    }
}

async fn server_now(connection: &mut Connection) -> Result<Timestamp, Error> {
    let row = connection
        .first(
            "the server's time",
            "SELECT /* mydex:now */ UNIX_TIMESTAMP(NOW(6))",
        )
        .await?;
    Ok(row
        .and_then(|row| row.timestamp(0))
        .unwrap_or(Timestamp::UNIX_EPOCH))
}

/// The condition that finds one row by its key; `None` for the lost row and for a digest that is
/// not hexadecimal, which no server makes.
pub(super) fn condition(key: &DigestKey) -> Option<String> {
    let digest = key.digest.as_deref()?;
    if !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let schema = match key.schema.as_deref() {
        Some(name) => format!("= {}", quote::hex_literal(name)),
        None => "IS NULL".to_owned(),
    };
    Some(format!("(SCHEMA_NAME {schema} AND DIGEST = '{digest}')"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_safe_for_any_name() {
        let key = |schema: Option<&str>, digest: Option<&str>| DigestKey {
            schema: schema.map(Arc::from),
            digest: digest.map(Arc::from),
        };
        assert_eq!(
            condition(&key(None, Some("ab12"))).as_deref(),
            Some("(SCHEMA_NAME IS NULL AND DIGEST = 'ab12')")
        );
        assert_eq!(
            condition(&key(Some("a'"), Some("ab12"))).as_deref(),
            Some("(SCHEMA_NAME = _utf8mb4 X'6127' AND DIGEST = 'ab12')")
        );
        assert_eq!(condition(&key(None, Some("' OR 1"))), None);
        assert_eq!(condition(&key(Some("a"), None)), None);
    }
}
