//! The counted pass: every operation of every probe, one after the other, on one connection.
//!
//! Each probe is run three times with the same values. The first time opens its tables, reads what
//! it needs into memory and asks for the plans; the other two are counted, and have to agree.
//! Nothing is left changed: what writes is rolled back, operation by operation.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::count::{between, read};
use super::metric::RESULT_BYTES;
use super::recorded::{Count, PlanShape, Probe};
use super::shape;
use crate::server::cells::Cells as _;
use crate::server::quote::ident;
use crate::server::{Connection, Error};

/// Rounds that are counted.
const ROUNDS: u32 = 2;

/// Gives the statements of an operation, with their values in place; the same for the same number.
pub type Statements = Box<dyn Fn(u64) -> Vec<String> + Send + Sync>;

/// One probe as it is counted.
pub struct Work {
    /// Its name.
    pub name: Arc<str>,
    /// Its statements run in one transaction; it is rolled back.
    pub transaction: bool,
    /// Its statements.
    pub statements: Statements,
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work")
            .field("name", &self.name)
            .field("transaction", &self.transaction)
            .finish_non_exhaustive()
    }
}

/// How a pass is run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The default schema.
    pub schema: String,
    /// Operations of each probe.
    pub operations: u64,
    /// What `NOW()` says, microseconds since 1970 UTC: a result must not depend on the day.
    pub now: i64,
}

/// What a pass gave.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Counted {
    /// Probe by probe.
    pub probes: BTreeMap<String, Probe>,
    /// The counters that the server could tell.
    pub counters: Vec<String>,
    /// What could not be set or read, each one sentence.
    pub notes: Vec<String>,
}

/// Runs the pass. A probe whose operation the server refuses has that as its failure; the error is
/// of the connection. `begun` hears the name of each probe.
pub async fn run(
    connection: &mut Connection,
    work: &[Work],
    settings: &Settings,
    mut begun: impl FnMut(&str),
) -> Result<Counted, Error> {
    let mut counted = Counted::default();
    session(connection, settings, &mut counted.notes).await?;
    let known = read(connection).await?;
    counted.counters = known.names();
    counted.counters.push(RESULT_BYTES.to_owned());
    counted.counters.sort();
    for one in work {
        begun(&one.name);
        let mut pass = Pass {
            connection: &mut *connection,
            work: one,
            operations: settings.operations,
        };
        let probe = pass.probe().await?;
        counted.probes.insert(one.name.to_string(), probe);
    }
    Ok(counted)
}

async fn session(
    connection: &mut Connection,
    settings: &Settings,
    notes: &mut Vec<String>,
) -> Result<(), Error> {
    let enter = format!("USE {}", ident(&settings.schema));
    connection.run("the schema of the workload", &enter).await?;
    let seconds = settings.now.div_euclid(1_000_000);
    let micros = settings.now.rem_euclid(1_000_000);
    for (what, sql) in [
        (
            "the time of the session",
            format!("SET SESSION timestamp = {seconds}.{micros:06}"),
        ),
        (
            "the random numbers of the session",
            "SET SESSION rand_seed1 = 1, rand_seed2 = 2".to_owned(),
        ),
        (
            "the format of plans",
            "SET SESSION explain_json_format_version = 1".to_owned(),
        ),
    ] {
        match connection.run(what, &sql).await {
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) if what != "the format of plans" => {
                notes.push(format!("{what} can't be set: {error}"));
            }
            // Servers without the second format have nothing to choose.
            _ => {}
        }
    }
    Ok(())
}

/// How an operation ended, where the connection is whole.
type Ended = Result<(), String>;

struct Pass<'a> {
    connection: &'a mut Connection,
    work: &'a Work,
    operations: u64,
}

impl Pass<'_> {
    async fn probe(&mut self) -> Result<Probe, Error> {
        let mut probe = Probe::default();
        let mut plans: BTreeMap<Vec<String>, u64> = BTreeMap::new();
        for number in 0..self.operations {
            match self.operation(number, Some(&mut plans)).await? {
                Ok(()) => {}
                Err(reason) => {
                    probe.failure = Some(format!("operation {number}: {reason}"));
                    return Ok(probe);
                }
            }
        }
        probe.plans = plans
            .into_iter()
            .map(|(shape, operations)| PlanShape { shape, operations })
            .collect();
        for round in 0..ROUNDS {
            let first = read(self.connection).await?;
            let second = read(self.connection).await?;
            let before = self.connection.meter().read().bytes;
            for number in 0..self.operations {
                if let Err(reason) = self.operation(number, None).await? {
                    probe.failure = Some(format!("operation {number}: {reason}"));
                    return Ok(probe);
                }
            }
            let bytes = self.connection.meter().read().bytes - before;
            let third = read(self.connection).await?;
            let mut counted = between(&first, &second, &third);
            counted.insert(RESULT_BYTES, bytes);
            for (name, value) in counted {
                let name = name.to_owned();
                if round == 0 {
                    probe.counters.insert(name, Count::steady(value));
                } else {
                    let count = probe.counters.entry(name).or_default();
                    *count = count.with(value);
                }
            }
        }
        probe.counters.retain(|_, count| count.high > 0);
        Ok(probe)
    }

    /// Runs an operation, with the plan of each of its statements before it where they are wanted.
    async fn operation(
        &mut self,
        number: u64,
        plans: Option<&mut BTreeMap<Vec<String>, u64>>,
    ) -> Result<Ended, Error> {
        let statements = (self.work.statements)(number);
        if self.work.transaction
            && let Err(reason) = self.plain("START TRANSACTION READ WRITE").await?
        {
            return Ok(Err(reason));
        }
        let done = self.statements(&statements, plans).await?;
        if self.work.transaction
            && let Err(reason) = self.plain("ROLLBACK").await?
        {
            return Ok(Err(reason));
        }
        Ok(done)
    }

    async fn statements(
        &mut self,
        statements: &[String],
        plans: Option<&mut BTreeMap<Vec<String>, u64>>,
    ) -> Result<Ended, Error> {
        let is_planned = plans.is_some();
        let mut shapes = Vec::new();
        for (place, sql) in statements.iter().enumerate() {
            if is_planned {
                if statements.len() > 1 {
                    shapes.push(format!("statement {}", place + 1));
                }
                shapes.extend(self.plan(sql).await?);
            }
            if let Err(reason) = self.plain(sql).await? {
                return Ok(Err(reason));
            }
        }
        if let Some(plans) = plans {
            *plans.entry(shapes).or_default() += 1;
        }
        Ok(Ok(()))
    }

    async fn plan(&mut self, sql: &str) -> Result<Vec<String>, Error> {
        let explain = format!("EXPLAIN FORMAT=JSON {sql}");
        let row = match self.connection.first("the plan of a probe", &explain).await {
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) => return Ok(vec![format!("[no plan: {error}]")]),
            Ok(row) => row.unwrap_or_default(),
        };
        let json = row.text(0).unwrap_or_default();
        Ok(shape::of(&json).unwrap_or_else(|reason| vec![format!("[no plan: {reason}]")]))
    }

    async fn plain(&mut self, sql: &str) -> Result<Ended, Error> {
        match self.connection.run("an operation of a probe", sql).await {
            Ok(()) => Ok(Ok(())),
            Err(error) if error.is_fatal() => Err(error),
            Err(error) => Ok(Err(error.to_string())),
        }
    }
}
