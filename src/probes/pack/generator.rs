//! What makes the values of a column or parameter. One language for both: a column's rows are
//! those of its table, a parameter's rows are the operations of its probe.

use crate::probes::value::Value;

/// A generator with its place in the pack.
#[derive(Debug, Clone, PartialEq)]
pub struct Generator {
    /// From the names above it; with the seed it makes the key of its draws.
    pub salt: u64,
    /// Share of rows that are NULL, 0 to 1.
    pub null: f64,
    /// How.
    pub how: How,
}

/// A value of the same row: in a column of its own, or of the row that a column refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// A sibling: index of the column or parameter.
    Own(usize),
    /// `via.column`: of the row that the sibling `via` was drawn from.
    Through {
        /// Index of the sibling; its generator is [`How::From`] or [`How::ChildOf`].
        via: usize,
        /// Index of the column in the table that it refers to.
        column: usize,
    },
}

/// How rows of another table are chosen.
#[derive(Debug, Clone, PartialEq)]
pub enum Skew {
    /// Each as likely as the other.
    Uniform,
    /// A few are hot; the same ones for every generator that draws from the table.
    Zipf(f64),
    /// Rows of a table of literal rows with their cumulative weights.
    Weights(Vec<(u64, f64)>),
    /// Uniform among the rows before the own one, for hierarchies; NULL in the first row.
    Earlier,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// As it stands.
    Text(String),
    /// `{column}` or `{via.column}`.
    Path(Path),
    /// `{#}`: the number of the row from 1, different in each row; with `{#:5}` at least so many
    /// digits.
    Number(usize),
    /// `{hex:8}`: random hexadecimal digits.
    Hex(u32),
    /// `{int:1-254}`: a random whole number.
    Int(u64, u64),
}

/// A field of a JSON object.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its key.
    pub name: String,
    /// Share of rows that have it, 0 to 1.
    pub chance: f64,
    /// Its value.
    pub value: Generator,
}

/// What makes the values.
#[derive(Debug, Clone, PartialEq)]
pub enum How {
    /// Always the same.
    Constant(Value),
    /// A value for each literal row.
    Literal(Vec<Value>),
    /// A UUID in the form of version 4: 64 of its bits are a bijection of the row, so that no two
    /// rows share one; the others are random.
    Uuid,
    /// `start + step * row`.
    Sequence {
        /// Of row 0.
        start: i64,
        /// From row to row.
        step: i64,
    },
    /// A whole number, both bounds included.
    Uniform {
        /// Least.
        min: i64,
        /// Most.
        max: i64,
    },
    /// A number with so many decimals, as text that a DECIMAL takes exactly.
    Decimal {
        /// Least, in units of the last decimal.
        min: i64,
        /// Most, in units of the last decimal.
        max: i64,
        /// Decimals.
        decimals: u32,
    },
    /// `min` plus a Zipf rank below `n`.
    Zipf {
        /// Value of the hottest rank.
        min: i64,
        /// Ranks.
        n: u64,
        /// Above 0.
        exponent: f64,
    },
    /// 1 in this share of rows, else 0.
    Bool(f64),
    /// One of these, with cumulative weights from 0 to 1.
    Choice(Vec<(Value, f64)>),
    /// A prefix and hexadecimal digits; with 16 and more they are a bijection of the row.
    Hex {
        /// Before the digits.
        prefix: String,
        /// Number of digits.
        digits: u32,
    },
    /// Decimal digits, the first not 0.
    Digits(u32),
    /// A column of a row of another table.
    From {
        /// Index of the table.
        table: usize,
        /// Index of the column.
        column: usize,
        /// How the row is chosen.
        skew: Skew,
    },
    /// A column of the parent row; the rows of this table are dealt out to those of the parent so
    /// that each knows which of its parent's children it is.
    ChildOf {
        /// Index of the table.
        table: usize,
        /// Index of the column.
        column: usize,
        /// See [`Partition`](crate::probes::random::Partition).
        concentration: f64,
    },
    /// The value found there.
    Copy(Path),
    /// 1 when the two values are different, else 0.
    Differs(Path, Path),
    /// A value from a set of `size` that `item` makes, chosen uniformly or by Zipf.
    Pool {
        /// Different values at scale 1.
        size: u64,
        /// Whether the size grows with the square root of the scale.
        scales: bool,
        /// Zipf exponent; 0 is uniform.
        exponent: f64,
        /// Makes value `k` of the set.
        item: Box<Generator>,
    },
    /// Text put together.
    Template(Vec<Part>),
    /// A point in time between two ages before the pack's `now`.
    Time {
        /// Greatest age, microseconds.
        oldest: i64,
        /// Least age, microseconds.
        newest: i64,
        /// 1 is uniform; the greater, the more of the rows are young.
        recency: u32,
        /// Not before the value found there.
        after: Option<Path>,
    },
    /// A random network block.
    Network {
        /// First address, of a 32 or 128 bit family.
        base: u128,
        /// Whether it is IPv6.
        is_v6: bool,
        /// Length of the base's prefix.
        base_prefix: u32,
        /// Prefix lengths with cumulative weights.
        prefixes: Vec<(u32, f64)>,
    },
    /// The block of this row inside its parent's block; blocks of one parent never overlap.
    SubNetwork {
        /// Sibling whose generator is [`How::ChildOf`].
        via: usize,
        /// The parent's column with the block.
        column: usize,
        /// Bits by which the prefix is longer than the parent's.
        bits: u32,
    },
    /// Free addresses of the block found there: its size less five, times a share that is skewed
    /// to the full.
    FreeAddresses(Path),
    /// A random address of the block found there.
    Address(Path),
    /// A JSON object.
    Object(Vec<Field>),
    /// A JSON array.
    Array {
        /// Fewest items.
        min: u32,
        /// Most items.
        max: u32,
        /// Makes each item.
        item: Box<Generator>,
    },
    /// A JSON array of a column of the row that a sibling refers to, and of the rows after it as
    /// long as they have the same value in another column.
    Near {
        /// The sibling.
        via: usize,
        /// Column of its table whose values are listed.
        column: usize,
        /// Column of its table that has to stay the same.
        same: usize,
        /// Most values.
        max: u32,
    },
    /// By the value found there.
    Switch {
        /// What decides.
        on: Path,
        /// Its text and what is made then.
        cases: Vec<(String, Generator)>,
        /// Made in all other cases; NULL without one.
        otherwise: Option<Box<Generator>>,
    },
}

impl Generator {
    /// Whether two rows can never have the same value, NULL aside.
    #[must_use]
    pub fn is_unique(&self) -> bool {
        match &self.how {
            How::Uuid => true,
            How::Sequence { step, .. } => *step != 0,
            How::Hex { digits, .. } => *digits >= 16,
            How::Template(parts) => parts.iter().any(|part| matches!(part, Part::Number(_))),
            How::Literal(values) => values
                .iter()
                .enumerate()
                .all(|(index, value)| !values[..index].contains(value)),
            // Every case has to be unique, and their values may not meet: the prefixes differ.
            How::Switch {
                cases, otherwise, ..
            } => {
                let prefixes: Vec<Option<&str>> = cases
                    .iter()
                    .map(|(_, case)| case)
                    .chain(otherwise.as_deref())
                    .map(|case| match &case.how {
                        How::Hex { prefix, digits } if *digits >= 16 => Some(prefix.as_str()),
                        _ => None,
                    })
                    .collect();
                prefixes
                    .iter()
                    .enumerate()
                    .all(|(index, prefix)| prefix.is_some() && !prefixes[..index].contains(prefix))
            }
            _ => false,
        }
    }

    /// The siblings that this generator reads, itself or deeper down.
    pub fn siblings(&self, found: &mut Vec<Path>) {
        match &self.how {
            How::Copy(path) | How::FreeAddresses(path) | How::Address(path) => found.push(*path),
            How::Differs(a, b) => found.extend([*a, *b]),
            How::Time { after, .. } => found.extend(after),
            How::Template(parts) => found.extend(parts.iter().filter_map(|part| match part {
                Part::Path(path) => Some(*path),
                _ => None,
            })),
            How::SubNetwork { via, column, .. } => found.push(Path::Through {
                via: *via,
                column: *column,
            }),
            How::Near {
                via, column, same, ..
            } => found.extend([*column, *same].map(|column| Path::Through { via: *via, column })),
            How::Pool { item, .. } | How::Array { item, .. } => item.siblings(found),
            How::Object(fields) => fields.iter().for_each(|field| field.value.siblings(found)),
            How::Switch {
                on,
                cases,
                otherwise,
            } => {
                found.push(*on);
                for case in cases
                    .iter()
                    .map(|(_, case)| case)
                    .chain(otherwise.as_deref())
                {
                    case.siblings(found);
                }
            }
            _ => {}
        }
    }

    /// The table and column that the value is drawn from, for references.
    #[must_use]
    pub fn target(&self) -> Option<(usize, usize)> {
        match self.how {
            How::From { table, column, .. } | How::ChildOf { table, column, .. } => {
                Some((table, column))
            }
            _ => None,
        }
    }
}
