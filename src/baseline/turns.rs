//! The same operations on two sides in turns, the order drawn by lot, until all is decided.
//!
//! On one server the sides alternate operation by operation. On two servers they alternate in
//! slices: the first side works for the length of a slice, then the second repeats exactly the same
//! operations, so that each server is as warm as under a steady load.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::court::LOOKS;
use super::pairs::Pair;
use super::record::Work;
use crate::server::cells::Cells as _;
use crate::server::guard::Row;
use crate::server::quote::ident;
use crate::server::{Connection, Error};

/// A probe with the statements of each operation, for each side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Its name.
    pub name: Arc<str>,
    /// Its statements run in one transaction; it is rolled back.
    pub transaction: bool,
    /// The operations: the statements of the first and of the second side.
    pub operations: Vec<[Vec<String>; 2]>,
}

impl Probe {
    /// A probe whose sides have statements of their own.
    #[must_use]
    pub fn of(sides: [&Work; 2], operations: u64) -> Self {
        let statements = |number| sides.map(|work| (work.statements)(number));
        Self {
            name: Arc::clone(&sides[0].name),
            transaction: sides[0].transaction,
            operations: (0..operations).map(statements).collect(),
        }
    }
}

/// When the sides alternate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alternation {
    /// After each operation.
    Operation,
    /// After each slice.
    Slice,
}

/// How long, in which turns, with which lots.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// When the sides alternate.
    pub alternation: Alternation,
    /// Length of a slice.
    pub slice: Duration,
    /// Time before the measured one, at least; each operation runs once on each side in any case.
    pub warmup: Duration,
    /// Time of measuring, at most.
    pub most: Duration,
    /// Seed of the lots.
    pub seed: u64,
}

/// The connections of both sides.
#[derive(Debug)]
pub struct Stage {
    connections: Vec<Connection>,
    /// Where each side works: which connection, and which schema.
    places: [(usize, String); 2],
    entered: Vec<Option<String>>,
}

impl Stage {
    /// Both sides on one connection, each in its schema.
    #[must_use]
    pub fn one(connection: Connection, schemas: [String; 2]) -> Self {
        Self {
            connections: vec![connection],
            places: schemas.map(|schema| (0, schema)),
            entered: vec![None],
        }
    }

    /// Each side on a connection of its own.
    #[must_use]
    pub fn two(connections: [Connection; 2], schemas: [String; 2]) -> Self {
        let [a, b] = schemas;
        Self {
            connections: connections.into(),
            places: [(0, a), (1, b)],
            entered: vec![None, None],
        }
    }

    /// The connection and the schema of a side. Whoever uses it may enter another schema.
    pub fn side(&mut self, side: usize) -> (&mut Connection, &str) {
        let (at, schema) = &self.places[side];
        self.entered[*at] = None;
        (&mut self.connections[*at], schema)
    }

    /// Says goodbye.
    pub async fn close(self) {
        for connection in self.connections {
            connection.close().await;
        }
    }

    /// Runs an operation on a side, and its time in seconds: that of its statements alone.
    async fn operation(
        &mut self,
        side: usize,
        transaction: bool,
        statements: &[String],
        mut take: impl FnMut(&Row),
    ) -> Result<Result<f64, String>, Error> {
        let (at, schema) = &self.places[side];
        let connection = &mut self.connections[*at];
        if self.entered[*at].as_deref() != Some(schema) {
            let enter = format!("USE {}", ident(schema));
            connection.run("the schema of a side", &enter).await?;
            self.entered[*at] = Some(schema.clone());
        }
        if transaction {
            let begin = "START TRANSACTION READ WRITE";
            connection.run("a transaction", begin).await?;
        }
        let mut outcome = Ok(0.0);
        for sql in statements {
            let started = Instant::now();
            let sent = connection.each("an operation of a probe", sql, &mut take);
            let sent = sent.await;
            let took = started.elapsed().as_secs_f64();
            match sent {
                Ok(_) => outcome = outcome.map(|sum: f64| sum + took),
                Err(error) if error.is_fatal() => return Err(error),
                Err(error) => {
                    outcome = Err(error.to_string());
                    break;
                }
            }
        }
        if transaction {
            connection
                .run("the end of a transaction", "ROLLBACK")
                .await?;
        }
        Ok(outcome)
    }
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measured {
    /// The pairs of each probe, in the order of their time.
    pub times: Vec<Vec<Pair>>,
    /// Time of measuring, seconds.
    pub seconds: f64,
    /// Somebody ended it.
    pub is_interrupted: bool,
    /// Probes whose operation a side refused: the side and the reason.
    pub failures: BTreeMap<usize, (usize, String)>,
    /// Probes whose results differ: the first such operation. The order of rows does not count.
    pub differing: BTreeMap<usize, usize>,
}

/// Who hears of the progress, and who judges.
pub trait Watch {
    /// Measuring has gone on for so long; `None` while it is warming up.
    fn tick(&mut self, elapsed: Option<Duration>);

    /// A look at all pairs so far; which probes go on.
    fn look(&mut self, times: &[Vec<Pair>], elapsed: Duration) -> Vec<bool>;
}

/// Runs both sides until the last look, or until the watch lets no probe go on. The error is of the
/// connections.
pub async fn run(
    stage: &mut Stage,
    probes: &[Probe],
    pace: &Pace,
    cancel: &CancellationToken,
    watch: &mut impl Watch,
) -> Result<Measured, Error> {
    let mut turns = Turns {
        stage,
        probes,
        pace,
        cancel,
        random: Pcg64::seed_from_u64(pace.seed),
        block: 0,
        next: vec![0; probes.len()],
        spent: vec![0.0; probes.len()],
        goes_on: probes
            .iter()
            .map(|probe| !probe.operations.is_empty())
            .collect(),
        measured: Measured {
            times: vec![Vec::new(); probes.len()],
            ..Measured::default()
        },
    };
    turns.warm(watch).await?;
    turns.measure(watch).await?;
    Ok(turns.measured)
}

/// What one operation is: its probe, its number.
type Turn = (usize, usize);

struct Turns<'a> {
    stage: &'a mut Stage,
    probes: &'a [Probe],
    pace: &'a Pace,
    cancel: &'a CancellationToken,
    random: Pcg64,
    block: u64,
    /// The next operation of each probe.
    next: Vec<usize>,
    /// Time of both sides together, seconds.
    spent: Vec<f64>,
    goes_on: Vec<bool>,
    measured: Measured,
}

impl Turns<'_> {
    fn is_over(&mut self) -> bool {
        self.measured.is_interrupted |= self.cancel.is_cancelled();
        self.measured.is_interrupted || !self.goes_on.contains(&true)
    }

    /// Every operation once on each side, whose results are compared, then alternation as later.
    async fn warm(&mut self, watch: &mut impl Watch) -> Result<(), Error> {
        let started = Instant::now();
        for at in 0..self.probes.len() {
            watch.tick(None);
            for operation in 0..self.probes[at].operations.len() {
                if self.is_over() || !self.goes_on[at] {
                    break;
                }
                let mut sums = [0_u64; 2];
                for (side, sum) in sums.iter_mut().enumerate() {
                    let add = |row: &Row| *sum = sum.wrapping_add(fingerprint(row));
                    self.one((at, operation), side, add).await?;
                }
                if sums[0] != sums[1] && self.goes_on[at] {
                    self.measured.differing.entry(at).or_insert(operation);
                }
            }
        }
        while started.elapsed() < self.pace.warmup && !self.is_over() {
            self.block().await?;
        }
        for pairs in &mut self.measured.times {
            pairs.clear();
        }
        self.spent.fill(0.0);
        Ok(())
    }

    async fn measure(&mut self, watch: &mut impl Watch) -> Result<(), Error> {
        let started = Instant::now();
        let mut told = started;
        for share in LOOKS {
            let until = self.pace.most.mul_f64(share);
            while started.elapsed() < until && !self.is_over() {
                self.block().await?;
                if told.elapsed() >= self.pace.slice {
                    told = Instant::now();
                    watch.tick(Some(started.elapsed()));
                }
            }
            let elapsed = started.elapsed();
            self.measured.seconds = elapsed.as_secs_f64();
            let wanted = watch.look(&self.measured.times, elapsed);
            for (goes_on, wanted) in self.goes_on.iter_mut().zip(wanted) {
                *goes_on &= wanted;
            }
            if self.is_over() {
                break;
            }
        }
        Ok(())
    }

    /// One lot, and what it decides about.
    async fn block(&mut self) -> Result<(), Error> {
        let first = usize::from(self.random.random::<bool>());
        match self.pace.alternation {
            Alternation::Operation => self.pair(first).await?,
            Alternation::Slice => self.slices(first).await?,
        }
        self.block += 1;
        Ok(())
    }

    async fn pair(&mut self, first: usize) -> Result<(), Error> {
        let Some(turn) = self.choose(0.0) else {
            return Ok(());
        };
        let mut times = [0.0; 2];
        for side in [first, 1 - first] {
            match self.one(turn, side, |_| {}).await? {
                Some(time) => times[side] = time,
                None => return Ok(()),
            }
        }
        self.keep(turn, times);
        Ok(())
    }

    async fn slices(&mut self, first: usize) -> Result<(), Error> {
        let started = Instant::now();
        let mut turns: Vec<(Turn, [f64; 2])> = Vec::new();
        let spent = self.spent.clone();
        while started.elapsed() < self.pace.slice && !self.is_over() {
            let Some(turn) = self.choose(1.0) else { break };
            if let Some(time) = self.one(turn, first, |_| {}).await? {
                let mut times = [0.0; 2];
                times[first] = time;
                self.spent[turn.0] += 2.0 * time;
                turns.push((turn, times));
            }
        }
        self.spent = spent;
        for (turn, times) in &mut turns {
            // A half block says nothing about either side.
            if self.is_over() {
                return Ok(());
            }
            if let Some(time) = self.one(*turn, 1 - first, |_| {}).await? {
                times[1 - first] = time;
            }
        }
        for (turn, times) in turns {
            if self.goes_on[turn.0] {
                self.keep(turn, times);
            }
        }
        Ok(())
    }

    fn keep(&mut self, (at, operation): Turn, [a, b]: [f64; 2]) {
        self.spent[at] += a + b;
        self.measured.times[at].push(Pair {
            block: self.block,
            operation: u32::try_from(operation).unwrap_or(u32::MAX),
            a,
            b,
        });
    }

    /// The next operation: of the probe with the least of pairs times time. One that takes a
    /// hundredth of the time of another gets ten times its pairs, for a tenth of its time.
    fn choose(&mut self, pending: f64) -> Option<Turn> {
        let weight = |at: usize| (self.measured.times[at].len() as f64 + pending) * self.spent[at];
        let at = (0..self.probes.len())
            .filter(|at| self.goes_on[*at])
            .min_by(|one, other| weight(*one).total_cmp(&weight(*other)))?;
        let operation = self.next[at];
        self.next[at] = (operation + 1) % self.probes[at].operations.len();
        Some((at, operation))
    }

    /// One operation on one side; `None` where it was refused, which ends its probe.
    async fn one(
        &mut self,
        (at, operation): Turn,
        side: usize,
        take: impl FnMut(&Row),
    ) -> Result<Option<f64>, Error> {
        let probe = &self.probes[at];
        let statements = &probe.operations[operation][side];
        let ran = self
            .stage
            .operation(side, probe.transaction, statements, take);
        match ran.await? {
            Ok(time) => Ok(Some(time)),
            Err(reason) => {
                let reason = format!("operation {operation}: {reason}");
                self.measured.failures.entry(at).or_insert((side, reason));
                self.goes_on[at] = false;
                Ok(None)
            }
        }
    }
}

/// FNV-1a over the values of a row.
fn fingerprint(row: &Row) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    for i in 0..row.len() {
        match row.cell(i) {
            None => add(0xff),
            Some(bytes) => {
                for byte in bytes.len().to_le_bytes() {
                    add(byte);
                }
                bytes.iter().copied().for_each(&mut add);
            }
        }
    }
    hash
}
