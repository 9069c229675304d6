//! What the second connection sees: how far a statement is, who blocks it, who holds the lock.

use std::time::Duration;

use tokio::time::Instant;

use super::{Error, Options};
use crate::config::settings::Server;
use crate::model::schema::TableName;
use crate::model::units;
use crate::server::cells::Cells as _;
use crate::server::quote::hex_literal;
use crate::server::{self, Connection};

/// Between two looks at a statement; one that is shorter is not looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Sessions that are named at most.
const MAX_BLOCKERS: usize = 5;

/// How far a statement is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// What the server does now, in its own words; `None` where its instruments are off.
    pub stage: Option<String>,
    /// Share of the work that is done, 0 to 1; of the whole statement, by the server's estimate.
    pub share: Option<f64>,
    /// Since it was sent.
    pub elapsed: Duration,
    /// Until its end, as things go.
    pub left: Option<Duration>,
    /// It waits for a metadata lock.
    pub is_waiting: bool,
}

/// Looks at one statement from time to time.
pub(super) struct Look {
    begun: Instant,
    next: Instant,
    every: Duration,
    lock_wait: Duration,
    waiting_since: Option<Instant>,
    is_blind: bool,
    absences: u32,
}

impl Look {
    pub(super) fn new(lock_wait: Duration, begun: Instant) -> Self {
        // The server itself ends a wait after a second; a shorter one takes closer looks.
        let is_short = lock_wait < Duration::from_secs(1);
        let every = if is_short {
            (lock_wait / 4).max(Duration::from_millis(20))
        } else {
            LOOK
        };
        Self {
            begun,
            next: begun + every,
            every,
            lock_wait,
            waiting_since: None,
            is_blind: false,
            absences: 0,
        }
    }

    /// Until the next look is due.
    pub(super) async fn due(&self) {
        tokio::time::sleep_until(self.next).await;
    }

    /// Looks. What can't be seen leaves the elapsed time; without a `thread` nothing can.
    pub(super) async fn at(
        &mut self,
        side: &mut Connection,
        thread: Option<u64>,
    ) -> Option<Progress> {
        self.next = Instant::now() + self.every;
        let mut progress = Progress {
            stage: None,
            share: None,
            elapsed: self.begun.elapsed(),
            left: None,
            is_waiting: false,
        };
        let Some(thread) = thread.filter(|_| !self.is_blind) else {
            self.is_blind = true;
            self.every = LOOK;
            return Some(progress);
        };
        let sql = format!(
            "SELECT /* mydex:progress */ t.PROCESSLIST_STATE, s.EVENT_NAME, s.WORK_COMPLETED, \
             s.WORK_ESTIMATED FROM performance_schema.threads t \
             LEFT JOIN performance_schema.events_stages_current s ON s.THREAD_ID = t.THREAD_ID \
             WHERE t.THREAD_ID = {thread} LIMIT 1"
        );
        let Ok(row) = side.first("the progress", &sql).await else {
            self.is_blind = true;
            return Some(progress);
        };
        let Some(row) = row else {
            self.absences += 1;
            return None;
        };
        self.absences = 0;
        let state = row.text(0);
        progress.is_waiting = state
            .as_deref()
            .is_some_and(|state| state.starts_with("Waiting for table metadata lock"));
        self.waiting_since = match (progress.is_waiting, self.waiting_since) {
            (true, None) => Some(Instant::now()),
            (true, since) => since,
            (false, _) => None,
        };
        let name = row.text(1);
        progress.stage = name
            .as_deref()
            .map(|name| name.rsplit('/').next().unwrap_or(name).to_owned());
        if let (Some(done), Some(all)) = (row.u64(2), row.u64(3))
            && done < all
        {
            // Between two phases its estimate is used up, and says nothing about the next one.
            let share = done as f64 / all as f64;
            progress.share = Some(share);
            progress.left = left(progress.elapsed, share);
        }
        Some(progress)
    }

    /// Whether the server knows nothing of the session any more.
    pub(super) fn is_gone(&self) -> bool {
        self.absences > 2
    }

    /// Whether it could hold up others for longer than it may, and nobody would see it.
    pub(super) fn cannot_enforce(&self) -> bool {
        self.is_blind && self.lock_wait < Duration::from_secs(1)
    }

    /// Whether it holds up others for longer than it may.
    pub(super) fn waits_too_long(&self) -> bool {
        self.lock_wait < Duration::from_secs(1)
            && self
                .waiting_since
                .is_some_and(|since| since.elapsed() + self.every >= self.lock_wait)
    }
}

/// The rest of the time, when the work goes on as it went.
fn left(elapsed: Duration, share: f64) -> Option<Duration> {
    // The first hundredth says nothing yet.
    if share < 0.01 {
        return None;
    }
    Duration::try_from_secs_f64(elapsed.as_secs_f64() * (1.0 - share) / share).ok()
}

/// Ends the statement of a connection, over a connection that is opened anew where the old one is
/// broken.
pub(super) async fn kill(
    side: &mut Connection,
    server: &Server,
    options: &Options,
    id: u64,
) -> Result<(), Error> {
    if side.is_broken() {
        *side = server::open(server, &options.limits).await?;
    }
    match side
        .run("the end of a change", &format!("KILL QUERY {id}"))
        .await
    {
        // 1094: the connection is gone, and its statement with it.
        Err(server::Error::Server { number: 1094, .. }) => Ok(()),
        done => Ok(done?),
    }
}

/// Who holds a user lock, in words. `name` is a literal.
pub(super) async fn holder(side: &mut Connection, name: &str) -> Result<String, Error> {
    let sql = format!("SELECT IS_USED_LOCK({name})");
    let row = side.first("the holder of a lock", &sql).await?;
    let Some(id) = row.and_then(|row| row.u64(0)) else {
        return Ok("a run that has just ended".to_owned());
    };
    let sql = format!(
        "SELECT PROCESSLIST_USER, PROCESSLIST_HOST, PROCESSLIST_TIME, PROCESSLIST_INFO \
         FROM performance_schema.threads WHERE PROCESSLIST_ID = {id}"
    );
    let seen = match side.first("the holder of a lock", &sql).await {
        Err(error) if error.is_fatal() => return Err(error.into()),
        Err(_) => None,
        Ok(row) => row,
    };
    let Some(row) = seen else {
        return Ok(format!("connection {id}"));
    };
    let user = row.text(0).unwrap_or_default();
    let host = row.text(1).unwrap_or_default();
    let busy = row
        .text(3)
        .map_or_else(String::new, |info| format!(", running `{}`", cut(&info)));
    Ok(format!("connection {id} ({user}@{host}{busy})"))
}

/// Who has held locks on a table for so long, in words, the oldest first.
pub(super) async fn blockers(
    side: &mut Connection,
    on: &TableName,
    own: Option<u64>,
    at_least: Duration,
) -> Result<Vec<String>, Error> {
    let sql = format!(
        "SELECT /* mydex:blockers */ t.PROCESSLIST_ID, t.PROCESSLIST_USER, t.PROCESSLIST_HOST, \
         t.PROCESSLIST_COMMAND, t.PROCESSLIST_TIME, MIN(m.LOCK_TYPE), MAX(t.PROCESSLIST_INFO), \
         MAX(TIMESTAMPDIFF(SECOND, x.trx_started, NOW())) AS age \
         FROM performance_schema.metadata_locks m \
         JOIN performance_schema.threads t ON t.THREAD_ID = m.OWNER_THREAD_ID \
         LEFT JOIN information_schema.INNODB_TRX x ON x.trx_mysql_thread_id = t.PROCESSLIST_ID \
         WHERE m.OBJECT_TYPE = 'TABLE' AND m.OBJECT_SCHEMA = {} AND m.OBJECT_NAME = {} \
         AND m.LOCK_STATUS = 'GRANTED' AND m.OWNER_THREAD_ID <> {} \
         GROUP BY t.PROCESSLIST_ID, t.PROCESSLIST_USER, t.PROCESSLIST_HOST, \
         t.PROCESSLIST_COMMAND, t.PROCESSLIST_TIME ORDER BY age DESC LIMIT {MAX_BLOCKERS}",
        hex_literal(&on.schema),
        hex_literal(&on.name),
        own.unwrap_or(0)
    );
    let rows = match side.rows("who holds the table", &sql).await {
        Err(error) if error.is_fatal() => return Err(error.into()),
        Err(_) => return Ok(Vec::new()),
        Ok(rows) => rows,
    };
    let said = rows.iter().filter_map(|row| {
        let text = |place| row.text(place).unwrap_or_default();
        let age = Duration::from_secs(row.u64(7).or_else(|| row.u64(4)).unwrap_or(0));
        if age < at_least {
            return None;
        }
        let doing = match row.text(6) {
            Some(info) => format!("running `{}`", cut(&info)),
            None => "idle in a transaction".to_owned(),
        };
        let time = if age.is_zero() {
            "just now".to_owned()
        } else {
            format!("for {}", units::duration(age))
        };
        Some(format!(
            "connection {} ({}@{}), {doing}, {time}, with {}",
            text(0),
            text(1),
            text(2),
            text(5)
        ))
    });
    Ok(said.collect())
}

/// A statement, short enough for a message.
fn cut(text: &str) -> String {
    const MAX: usize = 60;
    let one_line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match one_line.char_indices().nth(MAX) {
        Some((at, _)) => format!("{}…", &one_line[..at]),
        None => one_line,
    }
}
