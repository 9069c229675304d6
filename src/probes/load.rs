//! Loads a pack's schema and data into a database: in parallel, in transactions of a batch, so
//! that it can be ended at any point and taken up again.

pub mod decision;
pub mod error;
pub mod insert;
pub mod ledger;
pub mod segment;
pub mod session;
pub mod worker;

use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::generate::World;
use super::pack::{Pack, check_data};
use crate::server::quote::ident;
use decision::{Decision, Identity};
pub use error::LoadError;
use segment::Segment;
use session::execute;
use worker::Shared;

/// How long a batch that is under way may still take once the load was asked to stop.
const WIND_DOWN: Duration = Duration::from_secs(5);

/// What to load and how.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadPlan {
    /// The schema; made if it is missing.
    pub database: String,
    /// Size: 1 is the size that the pack describes.
    pub scale: f64,
    /// Same seed, same rows.
    pub seed: u64,
    /// Connections that insert.
    pub connections: u32,
    /// Rows in a transaction.
    pub batch: u32,
    /// Drop the pack's own tables when they hold another seed, scale or version.
    pub force: bool,
    /// Load beside tables that mydex did not make; they are left as they are.
    pub beside_others: bool,
}

/// How far the load is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The table whose rows were written last.
    pub table: Arc<str>,
    /// Its rows so far.
    pub table_done: u64,
    /// Its rows in the end.
    pub table_rows: u64,
    /// Rows so far, those of an earlier run included.
    pub done: u64,
    /// Rows in the end.
    pub rows: u64,
    /// Rows per second of this run.
    pub rate: f64,
    /// Time left at this rate; `None` before there is a rate.
    pub left: Option<Duration>,
}

/// How a load ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadState {
    /// Everything is there.
    Complete,
    /// Everything was there already.
    AlreadyComplete,
    /// Stopped when asked; the same command goes on.
    Interrupted,
}

/// What a load did.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadReport {
    /// How it ended.
    pub state: LoadState,
    /// The schema.
    pub database: String,
    /// Rows that this run wrote.
    pub written: u64,
    /// Rows that an earlier run had written.
    pub found: u64,
    /// Time that writing rows took.
    pub elapsed: Duration,
    /// The tables as the server sees them.
    pub tables: Vec<TableStatistics>,
}

/// A table after the load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableStatistics {
    /// Its name.
    pub name: Arc<str>,
    /// Rows that the pack puts into it at this scale.
    pub rows: u64,
    /// Rows by the server's statistics, an estimate.
    pub estimated_rows: u64,
    /// Bytes of the clustered index, which holds the rows.
    pub data_bytes: u64,
    /// Bytes of the other indexes.
    pub index_bytes: u64,
}

/// Loads `pack` as `plan` says. `options` may name any database or none.
///
/// Ends early without an error when `cancel` is cancelled: whole batches are there, and the same
/// call takes up where this one ended. Dropping the future has the same effect, because the server
/// rolls back what a lost connection had not committed.
pub async fn load(
    options: MySqlConnectOptions,
    pack: &Pack,
    plan: LoadPlan,
    mut progress: impl FnMut(Progress),
    cancel: CancellationToken,
) -> Result<LoadReport, LoadError> {
    let pack = Arc::new(pack.clone());
    let world = Arc::new(World::generated(Arc::clone(&pack), plan.seed, plan.scale)?);
    let mut control = session::open(&options).await?;
    let identity = Identity {
        pack: Arc::clone(&pack.name),
        version: pack.version,
        seed: plan.seed,
        scale: plan.scale,
    };
    session::create_schema(&mut control, &plan.database).await?;
    session::lock(&mut control, &plan.database, &pack.name).await?;
    let found = prepare(&mut control, &world, &plan, &identity).await?;
    let state = match found {
        None => LoadState::AlreadyComplete,
        Some(_) => LoadState::Complete,
    };
    let segments = found.unwrap_or_default();
    let rows: u64 = (0..pack.tables.len()).map(|table| world.rows(table)).sum();
    let missing: u64 = segments.iter().map(Segment::missing).sum();
    let mut meter = Meter::new(&world, &segments, rows.saturating_sub(missing));
    let shared = Shared::new(options, &world, &plan, segments, cancel.child_token());
    let connections = if missing > 0 {
        plan.connections.max(1)
    } else {
        0
    };
    drive(&Arc::new(shared), connections, &mut meter, &mut progress).await?;
    let (written, elapsed) = (meter.written, meter.started.elapsed());
    let is_whole = written == missing;
    let tables = if is_whole {
        finish(&mut control, &world, &plan.database, &identity, state).await?
    } else {
        Vec::new()
    };
    let _ = control.close().await;
    Ok(LoadReport {
        state: if is_whole {
            state
        } else {
            LoadState::Interrupted
        },
        database: plan.database,
        written,
        found: rows.saturating_sub(missing),
        elapsed,
        tables,
    })
}

/// Checks what is there and makes what is missing; `None` when nothing is left to load.
async fn prepare(
    control: &mut MySqlConnection,
    world: &World,
    plan: &LoadPlan,
    identity: &Identity,
) -> Result<Option<Vec<Segment>>, LoadError> {
    let pack = world.pack();
    let live = ledger::read(control, &plan.database, &identity.pack).await?;
    let segments = match decision::decide(&live, identity, plan, pack)? {
        Decision::Complete => return Ok(None),
        Decision::Resume(segments) => segments,
        Decision::Fresh => ledger::begin(control, world, plan, identity).await?,
        Decision::Replace(tables) => {
            ledger::drop_tables(control, &plan.database, &identity.pack, &tables).await?;
            ledger::begin(control, world, plan, identity).await?
        }
    };
    let made = ledger::tables(control, &plan.database).await?;
    let order = check_data::load_order(&pack.tables).unwrap_or_default();
    let use_schema = format!("USE {}", ident(&plan.database));
    execute(control, "choose the schema", use_schema).await?;
    for table in order.into_iter().map(|index| &pack.tables[index]) {
        if !made.iter().any(|name| **name == *table.name) {
            let doing = format!("create the table `{}`", table.name);
            execute(control, &doing, table.create.clone()).await?;
        }
    }
    Ok(Some(segments))
}

/// Runs the workers and passes on their progress.
async fn drive(
    shared: &Arc<Shared>,
    connections: u32,
    meter: &mut Meter,
    progress: &mut impl FnMut(Progress),
) -> Result<(), LoadError> {
    let (sender, mut receiver) = mpsc::channel(64);
    let mut workers = JoinSet::new();
    for _ in 0..connections {
        workers.spawn(worker::run(Arc::clone(shared), sender.clone()));
    }
    drop(sender);
    let mut failure = None;
    let mut deadline = None;
    loop {
        tokio::select! {
            Some((table, rows)) = receiver.recv() => progress(meter.add(table, rows)),
            ended = workers.join_next() => match ended {
                None => break,
                Some(Ok(Ok(()))) => {}
                Some(Ok(Err(error))) => {
                    shared.cancel.cancel();
                    failure.get_or_insert(error);
                }
                // Tasks end by abort only after the wind-down below; a panic is a failure.
                Some(Err(join)) if join.is_cancelled() => {}
                Some(Err(_)) => {
                    shared.cancel.cancel();
                    failure.get_or_insert(LoadError::Worker);
                }
            },
            () = shared.cancel.cancelled(), if deadline.is_none() => {
                deadline = Some(Instant::now() + WIND_DOWN);
            }
            () = until(deadline), if deadline.is_some() => {
                workers.abort_all();
                while workers.join_next().await.is_some() {}
                break;
            }
        }
    }
    while let Ok((table, rows)) = receiver.try_recv() {
        progress(meter.add(table, rows));
    }
    failure.map_or(Ok(()), Err)
}

async fn until(deadline: Option<Instant>) {
    if let Some(deadline) = deadline {
        tokio::time::sleep_until(deadline).await;
    }
}

/// Adds up what the workers wrote.
struct Meter {
    names: Vec<Arc<str>>,
    tables: Vec<u64>,
    rows: Vec<u64>,
    found: u64,
    written: u64,
    started: Instant,
}

impl Meter {
    fn new(world: &World, segments: &[Segment], found: u64) -> Self {
        let tables = &world.pack().tables;
        let mut done = vec![0; tables.len()];
        for segment in segments {
            done[segment.table] += segment.next - segment.first;
        }
        Self {
            names: tables.iter().map(|table| Arc::clone(&table.name)).collect(),
            tables: done,
            rows: (0..tables.len()).map(|table| world.rows(table)).collect(),
            found,
            written: 0,
            started: Instant::now(),
        }
    }

    fn add(&mut self, table: usize, rows: u64) -> Progress {
        self.written += rows;
        self.tables[table] += rows;
        let total: u64 = self.rows.iter().sum();
        let done = self.found + self.written;
        let elapsed = self.started.elapsed().as_secs_f64();
        let rate = if elapsed > 0.0 {
            self.written as f64 / elapsed
        } else {
            0.0
        };
        let left = total.saturating_sub(done) as f64 / rate;
        Progress {
            table: Arc::clone(&self.names[table]),
            table_done: self.tables[table],
            table_rows: self.rows[table],
            done,
            rows: total,
            rate,
            left: Duration::try_from_secs_f64(left).ok(),
        }
    }
}

/// Marks the load complete, refreshes the optimizer's statistics and reads the sizes.
async fn finish(
    control: &mut MySqlConnection,
    world: &World,
    database: &str,
    identity: &Identity,
    state: LoadState,
) -> Result<Vec<TableStatistics>, LoadError> {
    let tables = &world.pack().tables;
    if state == LoadState::Complete {
        let names: Vec<String> = tables
            .iter()
            .map(|table| format!("{}.{}", ident(database), ident(&table.name)))
            .collect();
        let analyze = format!("ANALYZE TABLE {}", names.join(", "));
        execute(control, "analyze the tables", analyze).await?;
        ledger::complete(control, database, &identity.pack).await?;
    }
    session::statistics(control, world, database).await
}
