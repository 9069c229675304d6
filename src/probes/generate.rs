//! The rows of a pack's tables, each computed from seed, scale, table and index alone: no order,
//! no state, no look-up. What refers to another row computes that row's value.

mod shapes;

use std::sync::Arc;

use self::shapes::{between, decimal, digits, hex, uuid};
use super::pack::generator::{Generator, How, Path, Skew};
use super::pack::{Pack, Param};
use super::random::{self, Draw, Partition, Zipf, permute};
use super::value::Value;

/// Why a pack's data cannot be generated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GenerateError {
    /// The scale is out of range.
    #[error("scale `{0}` must be a number from 0.001 to 1000")]
    Scale(f64),
    /// More children than blocks in a parent's network.
    #[error(
        "`{table}.{column}` needs up to {needed} blocks in one parent, and `bits = {bits}` gives \
         {room}; raise `bits` or lower `concentration` in data.toml"
    )]
    NoRoom {
        /// Table.
        table: Arc<str>,
        /// Column.
        column: Arc<str>,
        /// Most children of one parent.
        needed: u64,
        /// Bits of the column's generator.
        bits: u32,
        /// Blocks that these bits give.
        room: u64,
    },
}

/// Rows read from a live table, for data that mydex did not generate.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sample {
    /// Number of rows.
    pub rows: u64,
    /// Values by column of the table, empty for columns that were not read.
    pub columns: Vec<Vec<Value>>,
}

#[derive(Debug, Clone)]
enum Source {
    /// Number of rows by table.
    Generated(Vec<u64>),
    /// Rows by table.
    Sampled(Vec<Sample>),
}

/// The rows of all tables of a pack.
#[derive(Debug, Clone)]
pub struct World {
    pack: Arc<Pack>,
    seed: u64,
    scale: f64,
    source: Source,
}

/// What the siblings of a generator are.
#[derive(Debug, Clone, Copy)]
enum Scope<'a> {
    /// Columns of the table of this index.
    Table(usize),
    /// Parameters of a probe, in a run of this number.
    Params(&'a [Param], u64),
}

/// Where a generator is evaluated: siblings are those of `row`, draws those of `position`. The two
/// differ inside pools and arrays.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    scope: Scope<'a>,
    row: u64,
    position: u64,
}

impl World {
    /// The generated data of a seed and scale.
    pub fn generated(pack: Arc<Pack>, seed: u64, scale: f64) -> Result<Self, GenerateError> {
        if !(0.001..=1_000.0).contains(&scale) {
            return Err(GenerateError::Scale(scale));
        }
        let rows = pack.tables.iter().map(|t| t.rows_at(scale)).collect();
        let world = Self {
            pack,
            seed,
            scale,
            source: Source::Generated(rows),
        };
        world.check_room()?;
        Ok(world)
    }

    /// Data that is in a database already, known from samples of its tables in the pack's order;
    /// `seed` is that of the parameters drawn from them.
    #[must_use]
    pub fn sampled(pack: Arc<Pack>, seed: u64, samples: Vec<Sample>) -> Self {
        Self {
            pack,
            seed,
            scale: 1.0,
            source: Source::Sampled(samples),
        }
    }

    /// The pack.
    #[must_use]
    pub fn pack(&self) -> &Arc<Pack> {
        &self.pack
    }

    /// Number of rows of a table: all of them, or those of the sample.
    #[must_use]
    pub fn rows(&self, table: usize) -> u64 {
        match &self.source {
            Source::Generated(rows) => rows.get(table).copied().unwrap_or(0),
            Source::Sampled(samples) => samples.get(table).map_or(0, |sample| sample.rows),
        }
    }

    /// Index of each column that inserts write.
    #[must_use]
    pub fn written_columns(&self, table: usize) -> Vec<usize> {
        self.pack.tables[table]
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.generator.is_some() && !column.is_helper)
            .map(|(index, _)| index)
            .collect()
    }

    /// The value of a column in a row.
    #[must_use]
    pub fn cell(&self, table: usize, column: usize, row: u64) -> Value {
        match &self.source {
            Source::Generated(_) => {
                let generator = self
                    .pack
                    .tables
                    .get(table)
                    .and_then(|table| table.columns.get(column))
                    .and_then(|column| column.generator.as_ref());
                generator.map_or(Value::Null, |generator| {
                    self.eval(generator, Place::at(Scope::Table(table), row))
                })
            }
            Source::Sampled(samples) => samples
                .get(table)
                .and_then(|sample| sample.columns.get(column))
                .and_then(|values| values.get(usize::try_from(row).ok()?))
                .cloned()
                .unwrap_or(Value::Null),
        }
    }

    /// The value of a probe's parameter in a row; the rows of an operation follow each other.
    /// Runs of different numbers draw differently, from the same data.
    #[must_use]
    pub fn param(&self, params: &[Param], param: usize, row: u64, run: u64) -> Value {
        params.get(param).map_or(Value::Null, |param| {
            self.eval(&param.generator, Place::at(Scope::Params(params, run), row))
        })
    }

    fn check_room(&self) -> Result<(), GenerateError> {
        for (index, table) in self.pack.tables.iter().enumerate() {
            for column in &table.columns {
                let Some(Generator {
                    how: How::SubNetwork { via, bits, .. },
                    ..
                }) = &column.generator
                else {
                    continue;
                };
                let Some(partition) = self.partition(index, *via) else {
                    continue;
                };
                let room = 1_u64.checked_shl(*bits).unwrap_or(u64::MAX);
                let needed = partition.most_children();
                if needed > room {
                    return Err(GenerateError::NoRoom {
                        table: Arc::clone(&table.name),
                        column: Arc::clone(&column.name),
                        needed,
                        bits: *bits,
                        room,
                    });
                }
            }
        }
        Ok(())
    }

    fn partition(&self, table: usize, column: usize) -> Option<Partition> {
        match self.pack.tables[table].columns[column]
            .generator
            .as_ref()?
            .how
        {
            How::ChildOf {
                table: parent,
                concentration,
                ..
            } => Some(Partition::new(
                self.rows(parent),
                self.rows(table),
                concentration,
            )),
            _ => None,
        }
    }

    fn key(&self, scope: Scope<'_>, salt: u64) -> u64 {
        let run = match scope {
            Scope::Table(_) => 0,
            Scope::Params(_, run) => random::mix(run),
        };
        random::mix(self.seed.wrapping_add(run).wrapping_add(0x6d79_6465_7800) ^ salt)
    }

    /// The key that makes the same rows of a table hot for everyone.
    fn heat(&self, table: usize) -> u64 {
        self.key(
            Scope::Table(table),
            random::key(1, &self.pack.tables[table].name),
        )
    }

    fn generator<'s>(&'s self, scope: Scope<'s>, index: usize) -> Option<&'s Generator> {
        match scope {
            Scope::Table(table) => self.pack.tables[table]
                .columns
                .get(index)?
                .generator
                .as_ref(),
            Scope::Params(params, _) => params.get(index).map(|param| &param.generator),
        }
    }

    /// Begins the draws of a generator; `None` when this row is NULL.
    fn begin(&self, generator: &Generator, place: Place<'_>) -> Option<Draw> {
        let mut draw = Draw::new(self.key(place.scope, generator.salt), place.position);
        let is_null = generator.null > 0.0 && draw.unit() < generator.null;
        (!is_null).then_some(draw)
    }

    /// The row that a reference points to, and which child of it this row is.
    fn target(&self, generator: &Generator, place: Place<'_>) -> Option<(usize, u64, u64)> {
        let mut draw = self.begin(generator, place)?;
        match &generator.how {
            How::From { table, skew, .. } => {
                let rows = self.rows(*table);
                let row = match skew {
                    Skew::Uniform => draw.below(rows),
                    Skew::Zipf(exponent) => {
                        let rank = Zipf::new(rows, *exponent).rank(&mut draw);
                        permute(self.heat(*table), rows, rank)
                    }
                    Skew::Weights(weights) => *pick(weights, draw.unit())?,
                    Skew::Earlier if place.row == 0 => return None,
                    Skew::Earlier => draw.below(place.row),
                };
                (rows > 0).then_some((*table, row, 0))
            }
            How::ChildOf {
                table,
                concentration,
                ..
            } => {
                let Scope::Table(own) = place.scope else {
                    return None;
                };
                let parents = self.rows(*table);
                let partition = Partition::new(parents, self.rows(own), *concentration);
                let (rank, ordinal) = partition.parent_of(place.row);
                Some((*table, permute(self.heat(*table), parents, rank), ordinal))
            }
            _ => None,
        }
    }

    fn at(&self, path: Path, place: Place<'_>) -> Value {
        match path {
            Path::Own(index) => self
                .generator(place.scope, index)
                .map_or(Value::Null, |generator| {
                    self.eval(generator, Place::at(place.scope, place.row))
                }),
            Path::Through { via, column } => self
                .parent(via, place)
                .map_or(Value::Null, |(table, row, _)| self.cell(table, column, row)),
        }
    }

    fn parent(&self, via: usize, place: Place<'_>) -> Option<(usize, u64, u64)> {
        let generator = self.generator(place.scope, via)?;
        self.target(generator, Place::at(place.scope, place.row))
    }

    fn eval(&self, generator: &Generator, place: Place<'_>) -> Value {
        if let Some((_, column)) = generator.how.reference() {
            return self
                .target(generator, place)
                .map_or(Value::Null, |(table, row, _)| self.cell(table, column, row));
        }
        let Some(mut draw) = self.begin(generator, place) else {
            return Value::Null;
        };
        let unique = random::mix(place.position ^ self.key(place.scope, generator.salt ^ 1));
        match &generator.how {
            How::Constant(value) => value.clone(),
            How::Literal(values) => usize::try_from(place.row)
                .ok()
                .and_then(|row| values.get(row))
                .cloned()
                .unwrap_or_default(),
            How::Uuid => Value::Text(uuid(unique, draw.bits())),
            How::Sequence { start, step } => {
                let row = i64::try_from(place.position).unwrap_or(i64::MAX);
                Value::Int(start.wrapping_add(step.wrapping_mul(row)))
            }
            How::Uniform { min, max } => Value::Int(between(*min, *max, &mut draw)),
            How::Decimal { min, max, decimals } => {
                Value::Text(decimal(between(*min, *max, &mut draw), *decimals))
            }
            How::Zipf { min, n, exponent } => {
                Value::Int(min.wrapping_add_unsigned(Zipf::new(*n, *exponent).rank(&mut draw)))
            }
            How::Bool(chance) => Value::Int(i64::from(draw.unit() < *chance)),
            How::Choice(values) => pick(values, draw.unit()).cloned().unwrap_or_default(),
            How::Hex { prefix, digits } => Value::Text(hex(prefix, *digits, unique, &mut draw)),
            How::Digits(length) => Value::Text(digits(*length, &mut draw)),
            How::Copy(path) => self.at(*path, place),
            How::Differs(a, b) => Value::Int(i64::from(self.at(*a, place) != self.at(*b, place))),
            How::Pool {
                size,
                scales,
                exponent,
                item,
            } => self.pool(
                self.pool_size(*size, *scales),
                *exponent,
                item,
                place,
                &mut draw,
            ),
            How::Template(parts) => Value::Text(self.template(parts, place, &mut draw)),
            How::Time {
                oldest,
                newest,
                recency,
                after,
            } => self.time((*oldest, *newest), *recency, *after, place, &mut draw),
            how => self.structured(how, place, &mut draw),
        }
    }
}

impl<'a> Place<'a> {
    fn at(scope: Scope<'a>, row: u64) -> Self {
        Self {
            scope,
            row,
            position: row,
        }
    }
}

fn pick<T>(items: &[(T, f64)], unit: f64) -> Option<&T> {
    items
        .iter()
        .find(|(_, share)| unit < *share)
        .or(items.last())
        .map(|(item, _)| item)
}

impl How {
    fn reference(&self) -> Option<(usize, usize)> {
        match self {
            Self::From { table, column, .. } | Self::ChildOf { table, column, .. } => {
                Some((*table, *column))
            }
            _ => None,
        }
    }
}
