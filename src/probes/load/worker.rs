//! One connection that fills segments, and the queue that hands them out.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::Connection as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::ledger;
use super::segment::{self, Segment};
use super::session::{self, execute};
use super::{LoadError, LoadPlan, insert};
use crate::probes::generate::World;

/// Times that a batch is tried again after a deadlock or a lock wait timeout.
const RETRIES: u32 = 5;

/// Left of `max_allowed_packet` for what the protocol adds.
const PACKET_MARGIN: usize = 1_024;

/// What all workers share.
#[derive(Debug)]
pub struct Shared {
    options: MySqlConnectOptions,
    world: Arc<World>,
    database: Arc<str>,
    batch: u64,
    queue: Queue,
    /// Cancelled to end the load.
    pub cancel: CancellationToken,
}

impl Shared {
    /// For these segments.
    #[must_use]
    pub fn new(
        options: MySqlConnectOptions,
        world: &Arc<World>,
        plan: &LoadPlan,
        segments: Vec<Segment>,
        cancel: CancellationToken,
    ) -> Self {
        Self {
            options,
            world: Arc::clone(world),
            database: plan.database.as_str().into(),
            batch: u64::from(plan.batch.max(1)),
            queue: Queue::new(world, segments),
            cancel,
        }
    }
}

/// Segments that wait, handed out once the tables that theirs refers to are whole.
#[derive(Debug)]
struct Queue {
    state: Mutex<State>,
    parents: Vec<Vec<usize>>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    waiting: VecDeque<Segment>,
    /// Unfinished segments by table.
    unfinished: Vec<usize>,
}

impl Queue {
    fn new(world: &World, segments: Vec<Segment>) -> Self {
        let pack = world.pack();
        let waiting: VecDeque<Segment> = segment::in_load_order(pack, segments)
            .into_iter()
            .filter(|segment| segment.missing() > 0)
            .collect();
        let mut unfinished = vec![0; pack.tables.len()];
        for segment in &waiting {
            unfinished[segment.table] += 1;
        }
        Self {
            state: Mutex::new(State {
                waiting,
                unfinished,
            }),
            parents: segment::parents(pack),
            changed: Notify::new(),
        }
    }

    /// The next segment; `None` when there is none left, or the load ends.
    async fn next(&self, cancel: &CancellationToken) -> Option<Segment> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if cancel.is_cancelled() {
                return None;
            }
            match self.take() {
                Taken::Segment(segment) => return Some(segment),
                Taken::Nothing => return None,
                Taken::NotYet => {}
            }
            tokio::select! {
                () = changed => {}
                () = cancel.cancelled() => return None,
            }
        }
    }

    fn take(&self) -> Taken {
        // The lock is held for moves of plain numbers; a poisoned one is as good.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = state.waiting.iter().position(|segment| {
            self.parents[segment.table]
                .iter()
                .all(|parent| state.unfinished[*parent] == 0)
        });
        match ready.and_then(|index| state.waiting.remove(index)) {
            Some(segment) => Taken::Segment(segment),
            None if state.waiting.is_empty() => Taken::Nothing,
            None => Taken::NotYet,
        }
    }

    fn finished(&self, table: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.unfinished[table] = state.unfinished[table].saturating_sub(1);
        if state.unfinished[table] == 0 {
            self.changed.notify_waiters();
        }
    }
}

enum Taken {
    Segment(Segment),
    NotYet,
    Nothing,
}

/// Fills segments until none is left, the load is cancelled, or something fails. Sends the table
/// and number of rows of each batch that was committed.
pub async fn run(shared: Arc<Shared>, sender: mpsc::Sender<(usize, u64)>) -> Result<(), LoadError> {
    let mut worker = None;
    while let Some(segment) = shared.queue.next(&shared.cancel).await {
        // Opened here and not before, so that small loads need few connections.
        let (connection, limit) = if let Some(worker) = &mut worker {
            worker
        } else {
            let mut connection = session::open(&shared.options).await?;
            let limit = session::packet_limit(&mut connection).await?;
            worker.insert((connection, limit.saturating_sub(PACKET_MARGIN)))
        };
        fill(&shared, connection, *limit, segment, &sender).await?;
        shared.queue.finished(segment.table);
    }
    if let Some((connection, _)) = worker {
        let _ = connection.close().await;
    }
    Ok(())
}

type Prepared = JoinHandle<Result<Vec<String>, insert::TooLarge>>;

/// Fills a segment batch by batch; the next batch is computed while the server works on one.
async fn fill(
    shared: &Arc<Shared>,
    connection: &mut MySqlConnection,
    limit: usize,
    mut segment: Segment,
    sender: &mpsc::Sender<(usize, u64)>,
) -> Result<(), LoadError> {
    let end = segment.end;
    let end_of = |from: u64| from.saturating_add(shared.batch).min(end);
    let mut prepared = Some(prepare(shared, segment, end_of(segment.next), limit));
    while let Some(batch) = prepared.take() {
        if shared.cancel.is_cancelled() {
            return Ok(());
        }
        let next = end_of(segment.next);
        let statements = batch
            .await
            .map_err(|_| LoadError::Worker)?
            .map_err(|error| LoadError::RowTooLarge {
                table: shared.world.pack().tables[segment.table].name.to_string(),
                row: error.row,
                bytes: error.bytes,
                limit,
            })?;
        let after = Segment { next, ..segment };
        if next < segment.end {
            prepared = Some(prepare(shared, after, end_of(next), limit));
        }
        write(shared, connection, &segment, next, &statements).await?;
        // The receiver lives as long as the load.
        let _ = sender.send((segment.table, next - segment.next)).await;
        segment = after;
    }
    Ok(())
}

fn prepare(shared: &Arc<Shared>, segment: Segment, end: u64, limit: usize) -> Prepared {
    let shared = Arc::clone(shared);
    tokio::task::spawn_blocking(move || {
        let rows = segment.next..end;
        insert::statements(&shared.world, &shared.database, segment.table, rows, limit)
    })
}

/// Writes a batch and its progress in one transaction, again after a deadlock.
async fn write(
    shared: &Shared,
    connection: &mut MySqlConnection,
    segment: &Segment,
    next: u64,
    statements: &[String],
) -> Result<(), LoadError> {
    let pack = shared.world.pack();
    let doing = format!(
        "insert rows {} to {} of `{}`",
        segment.next + 1,
        next,
        pack.tables[segment.table].name
    );
    let advance = ledger::advance(&shared.database, pack, segment, next);
    let mut attempt = 0;
    loop {
        match transaction(connection, &doing, statements, &advance).await {
            Err(error) if error.is_transient() && attempt < RETRIES => attempt += 1,
            result => return result,
        }
    }
}

async fn transaction(
    connection: &mut MySqlConnection,
    doing: &str,
    statements: &[String],
    advance: &str,
) -> Result<(), LoadError> {
    execute(connection, doing, "BEGIN".to_owned()).await?;
    let result = insert_all(connection, doing, statements, advance).await;
    if result.is_err() {
        // Without a connection the server rolls back by itself.
        let _ = execute(connection, doing, "ROLLBACK".to_owned()).await;
    }
    result
}

async fn insert_all(
    connection: &mut MySqlConnection,
    doing: &str,
    statements: &[String],
    advance: &str,
) -> Result<(), LoadError> {
    for statement in statements {
        execute(connection, doing, statement.clone()).await?;
    }
    let moved = execute(connection, doing, advance.to_owned()).await?;
    if moved != 1 {
        return Err(LoadError::Overtaken {
            doing: doing.to_owned(),
        });
    }
    execute(connection, doing, "COMMIT".to_owned()).await?;
    Ok(())
}
