//! Carries out a plan on the target: one statement at a time, with rests between them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::plan::{Method, Plan, TablePlan};
use super::positions;
use super::remap::{Key, KeyValue};
use super::rows::Rows;
use super::{Error, Progress, TwinOptions};
use crate::server::Connection;
use crate::server::cells::Cells as _;

/// Rest after one statement at most.
const LONGEST_REST: Duration = Duration::from_secs(2);

/// What was read, in the order of [`Plan::tables`].
pub(super) struct Gathered {
    /// Rows of each table.
    pub(super) rows: Vec<Rows>,
    /// Values whose rows were looked up, by place of the table and of the column.
    pub(super) pinned: BTreeMap<(usize, usize), BTreeSet<Key>>,
    /// What did not go as planned.
    pub(super) notes: Vec<String>,
}

pub(super) struct Reader<'a> {
    pub(super) target: &'a mut Connection,
    pub(super) plan: &'a Plan,
    pub(super) options: &'a TwinOptions,
    pub(super) progress: &'a mut (dyn FnMut(Progress) + Send),
    pub(super) cancel: &'a CancellationToken,
    /// Ranges in which each table was read, least and greatest key of each chunk.
    ranges: Vec<Vec<(Vec<u8>, Vec<u8>)>>,
    bytes: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        target: &'a mut Connection,
        plan: &'a Plan,
        options: &'a TwinOptions,
        progress: &'a mut (dyn FnMut(Progress) + Send),
        cancel: &'a CancellationToken,
    ) -> Self {
        Self {
            target,
            plan,
            options,
            progress,
            cancel,
            ranges: vec![Vec::new(); plan.tables.len()],
            bytes: 0,
        }
    }

    /// Everything in the plan. Times are those of UTC while it reads.
    pub(super) async fn all(mut self) -> Result<Gathered, Error> {
        let zone = self
            .target
            .first("the time zone", "SELECT @@time_zone")
            .await?
            .and_then(|row| row.text(0))
            .unwrap_or_else(|| "SYSTEM".to_owned());
        self.target
            .run("the time zone", "SET SESSION time_zone = '+00:00'")
            .await?;
        let outcome = self.tables().await;
        if !self.target.is_broken() {
            let literal = crate::server::quote::hex_literal(&zone);
            self.target
                .run(
                    "the time zone",
                    &format!("SET SESSION time_zone = {literal}"),
                )
                .await?;
        }
        outcome
    }

    async fn tables(&mut self) -> Result<Gathered, Error> {
        let plan = self.plan;
        let mut random = StdRng::seed_from_u64(self.options.seed);
        let mut gathered = Gathered {
            rows: Vec::new(),
            pinned: BTreeMap::new(),
            notes: Vec::new(),
        };
        for (at, table) in plan.tables.iter().enumerate() {
            (self.progress)(Progress {
                step: format!("reading {}", table.name),
                share: Some(at as f64 / plan.tables.len().max(1) as f64),
            });
            let mut rows = Rows::new(table.columns.len(), &table.key);
            for (step, column) in &table.constants {
                let mut found = Rows::new(table.columns.len(), &[]);
                let note = self.read(*step, &[], &mut found).await?;
                gathered.notes.extend(note);
                let pinned = gathered.pinned.entry((at, *column)).or_default();
                for row in found.iter() {
                    pinned.extend(row[*column].map(|value| Key(vec![KeyValue::of(value)])));
                    rows.push(|i| row[i]);
                }
            }
            let note = self.table(at, table, &mut rows, &mut random).await?;
            gathered.notes.extend(note);
            gathered.rows.push(rows);
        }
        Ok(gathered)
    }

    async fn table(
        &mut self,
        at: usize,
        table: &TablePlan,
        rows: &mut Rows,
        random: &mut StdRng,
    ) -> Result<Option<String>, Error> {
        match &table.method {
            Method::Head { step } => self.read(*step, &[], rows).await,
            Method::Pages { first, next, key } => {
                let mut note = self.read(*first, &[], rows).await?;
                let mut before = 0;
                for _ in 0..self.plan.steps[*next].times {
                    let last = rows
                        .iter()
                        .last()
                        .and_then(|row| row[*key].map(<[u8]>::to_vec));
                    if rows.len() == before || note.is_some() {
                        break;
                    }
                    before = rows.len();
                    let literal = table.columns[*key].1.literal(last.as_deref());
                    note = self.read(*next, &[literal], rows).await?;
                }
                Ok(note)
            }
            Method::Chunks {
                bounds,
                chunk,
                key,
                chunks,
            } => {
                let mut ends = Rows::new(2, &[]);
                if let Some(note) = self.read(*bounds, &[], &mut ends).await? {
                    return Ok(Some(note));
                }
                let Some((least, greatest)) = ends
                    .iter()
                    .next()
                    .and_then(|row| Some((row[0]?.to_vec(), row[1]?.to_vec())))
                else {
                    return Ok(None);
                };
                let starts = positions::spread(&least, &greatest, *chunks, random)
                    .unwrap_or_else(|| vec![least]);
                for (i, start) in starts.iter().enumerate() {
                    let end = starts.get(i + 1).unwrap_or(&greatest);
                    let note = self
                        .chunk(at, *chunk, (start, end), (*key, table), rows)
                        .await?;
                    if note.is_some() {
                        return Ok(note);
                    }
                }
                Ok(None)
            }
            Method::Along {
                chunk,
                parent,
                parent_column,
            } => self.along(at, *chunk, (parent, parent_column), rows).await,
        }
    }

    async fn chunk(
        &mut self,
        at: usize,
        step: usize,
        (start, end): (&[u8], &[u8]),
        (key, table): (usize, &TablePlan),
        rows: &mut Rows,
    ) -> Result<Option<String>, Error> {
        let kind = table.columns[key].1;
        let from = rows.len();
        let literals = [kind.literal(Some(start)), kind.literal(Some(end))];
        let note = self.read(step, &literals, rows).await?;
        let last = rows
            .iter()
            .skip(from)
            .last()
            .and_then(|row| row[key].map(<[u8]>::to_vec));
        if let Some(last) = last {
            self.ranges[at].push((start.to_vec(), last));
        }
        Ok(note)
    }

    async fn along(
        &mut self,
        at: usize,
        step: usize,
        (parent, column): (&crate::model::schema::TableName, &str),
        rows: &mut Rows,
    ) -> Result<Option<String>, Error> {
        let place = self
            .plan
            .tables
            .iter()
            .position(|table| table.name == *parent);
        let Some(place) = place else {
            return Ok(None);
        };
        let parent = &self.plan.tables[place];
        let kind = parent
            .columns
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(column))
            .map_or(super::literal::Kind::Bytes, |(_, kind)| *kind);
        let ranges = self.ranges[place].clone();
        for (start, end) in ranges {
            let literals = [kind.literal(Some(&start)), kind.literal(Some(&end))];
            let note = self.read(step, &literals, rows).await?;
            if note.is_some() {
                return Ok(note);
            }
        }
        let _ = at;
        Ok(None)
    }

    /// Sends one statement of the plan; an error of the server becomes a note.
    async fn read(
        &mut self,
        step: usize,
        literals: &[String],
        rows: &mut Rows,
    ) -> Result<Option<String>, Error> {
        if self.cancel.is_cancelled() {
            return Err(Error::Interrupted);
        }
        let step = &self.plan.steps[step];
        if self.bytes > self.options.max_bytes {
            return Ok(Some(format!(
                "{} ended early: the sample has reached {}",
                step.purpose,
                crate::model::units::bytes(self.options.max_bytes as u64)
            )));
        }
        let sql = step.sql.fill(literals);
        let started = Instant::now();
        let before = rows.bytes();
        let room = self.options.max_bytes.saturating_sub(self.bytes);
        let outcome = self
            .target
            .each(&step.purpose, &sql, |row| {
                // What comes beyond is dropped, row by row.
                if rows.bytes() - before <= room {
                    rows.push(|column| row.cell(column));
                }
            })
            .await;
        self.bytes += rows.bytes() - before;
        let took = started.elapsed();
        let note = match outcome {
            Ok(_) => None,
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(error) => Some(format!("{} could not be read: {error}", step.purpose)),
        };
        self.rest(took).await;
        Ok(note)
    }

    /// Rests so long that the statement took its share of the time and no more.
    async fn rest(&self, took: Duration) {
        let share = self.options.busy_share.clamp(0.001, 1.0);
        let rest = took.mul_f64(1.0 / share - 1.0).min(LONGEST_REST);
        if !rest.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                () = self.cancel.cancelled() => {}
            }
        }
    }
}
