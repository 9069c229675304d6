//! What connections cost, counted here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What mydex's connections to one server have cost together; shared between them.
#[derive(Debug, Default)]
pub struct Meter {
    /// Counts the same, with that of others.
    whole: Option<Arc<Meter>>,
    statements: AtomicU64,
    selects: AtomicU64,
    rows: AtomicU64,
    bytes: AtomicU64,
    waited_ns: AtomicU64,
}

/// The counts of a [`Meter`] at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MeterReading {
    /// Statements sent.
    pub statements: u64,
    /// Those of them that the server counts in `Com_select`.
    pub selects: u64,
    /// Rows received.
    pub rows: u64,
    /// Bytes received, counted as the length of the values.
    pub bytes: u64,
    /// Time from sending statements to their last row.
    pub waited: Duration,
}

impl Meter {
    /// The counts so far.
    #[must_use]
    pub fn read(&self) -> MeterReading {
        MeterReading {
            statements: self.statements.load(Ordering::Relaxed),
            selects: self.selects.load(Ordering::Relaxed),
            rows: self.rows.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            waited: Duration::from_nanos(self.waited_ns.load(Ordering::Relaxed)),
        }
    }

    /// A meter of its own that counts into `whole` as well.
    pub(super) fn within(whole: &Arc<Meter>) -> Self {
        Self {
            whole: Some(Arc::clone(whole)),
            ..Self::default()
        }
    }

    pub(super) fn add_statement(&self, sql: &str) {
        if let Some(whole) = &self.whole {
            whole.add_statement(sql);
        }
        self.statements.fetch_add(1, Ordering::Relaxed);
        let is_select = sql
            .trim_start()
            .get(..6)
            .is_some_and(|word| word.eq_ignore_ascii_case("select"));
        if is_select {
            self.selects.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn add_answer(&self, rows: u64, bytes: u64, waited: Duration) {
        if let Some(whole) = &self.whole {
            whole.add_answer(rows, bytes, waited);
        }
        self.rows.fetch_add(rows, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let ns = u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX);
        self.waited_ns.fetch_add(ns, Ordering::Relaxed);
    }
}
