//! Generators from TOML, every name in them resolved.

mod references;
mod shapes;

use std::sync::Arc;

use toml::Spanned;
use toml::de::DeValue;

pub use self::references::target_table;
use self::shapes::{bounds, network};
use super::fields::{Fields, Log, integer, number, suggestion};
use super::generator::{Generator, How};
use super::{Table, read_template};
use crate::probes::random;
use crate::probes::value::Value;

/// What names can mean where a generator stands.
#[derive(Debug)]
pub struct Scope<'s> {
    /// All tables, the generators of literal columns already in place.
    pub tables: &'s [Table],
    /// Names of the siblings: columns of the table or parameters of the probe.
    pub names: Vec<Arc<str>>,
    /// The table that each sibling refers to, if any.
    pub targets: Vec<Option<usize>>,
    /// The table whose columns these are; `None` for parameters.
    pub own: Option<usize>,
    /// Named pools.
    pub pools: &'s [Pool],
}

/// A pool that several columns draw from.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// Different values at scale 1.
    pub size: u64,
    /// Whether the size grows with the square root of the scale.
    pub scales: bool,
    /// Makes them.
    pub item: Generator,
}

/// A generator under construction: its place for messages and draws.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'r, 'i> {
    /// Where mistakes go.
    pub log: &'r Log<'i>,
    /// What names mean.
    pub scope: &'r Scope<'r>,
    /// What is being read, for messages.
    pub what: &'r str,
    /// See [`Generator::salt`].
    pub salt: u64,
}

type TomlValue<'i> = Spanned<DeValue<'i>>;

/// A literal: string, number or boolean.
#[must_use]
pub fn literal(value: &DeValue<'_>) -> Option<Value> {
    match value {
        DeValue::String(text) => Some(Value::Text(text.to_string())),
        DeValue::Boolean(flag) => Some(Value::Int(i64::from(*flag))),
        DeValue::Integer(_) => integer(value).map(Value::Int),
        DeValue::Float(_) => number(value).filter(|n| n.is_finite()).map(Value::Float),
        _ => None,
    }
}

/// Weights to cumulative shares that end at 1; `None` unless their sum is above 0.
fn cumulative<T>(items: Vec<(T, f64)>) -> Option<Vec<(T, f64)>> {
    let total: f64 = items.iter().map(|(_, weight)| weight).sum();
    let mut sum = 0.0;
    (total > 0.0).then(|| {
        items
            .into_iter()
            .map(|(item, weight)| {
                sum += weight / total;
                (item, sum)
            })
            .collect()
    })
}

const KINDS: &[&str] = &[
    "uuid",
    "sequence",
    "uniform",
    "decimal",
    "zipf",
    "bool",
    "choice",
    "hex",
    "digits",
    "differs",
    "copy",
    "pool",
    "template",
    "time",
    "network",
    "subnetwork",
    "free_addresses",
    "address",
    "near",
    "object",
    "array",
    "switch",
];

impl<'r, 'i> Reader<'r, 'i> {
    /// The reader for something below, which draws for itself.
    fn below(self, name: &str) -> Self {
        Self {
            salt: random::key(self.salt, name),
            ..self
        }
    }

    /// Reads a generator; `None` after a mistake has been noted.
    #[must_use]
    pub fn read(self, value: &'r TomlValue<'i>) -> Option<Generator> {
        let Some(table) = value.get_ref().as_table() else {
            return self.shorthand(value);
        };
        let mut fields = Fields::new(self.log, self.what, table, value.span().start);
        let generator = self.fields(&mut fields);
        // After a mistake not every key has been asked for, so that none can be called unknown.
        if generator.is_some() {
            fields.finish();
        }
        generator
    }

    /// Reads a generator from fields that may hold more than it.
    #[must_use]
    pub fn fields(self, fields: &mut Fields<'r, 'i>) -> Option<Generator> {
        let null = fields.number("null", 0.0, 1.0).unwrap_or(0.0);
        let how = if fields.has("from") {
            self.from(fields)
        } else if fields.has("child_of") {
            self.child_of(fields)
        } else {
            let kind = fields.need_text("kind")?;
            self.kind(kind, fields)
        }?;
        Some(Generator {
            salt: self.salt,
            null,
            how,
        })
    }

    /// A string is a constant or a template, a number or boolean a constant.
    fn shorthand(self, value: &'r TomlValue<'i>) -> Option<Generator> {
        let how = match value.get_ref().as_str() {
            Some(text) if text.contains('{') => {
                How::Template(read_template::parts(self, text, value.span().start)?)
            }
            _ => {
                let Some(constant) = literal(value.get_ref()) else {
                    self.log.at(
                        value.span().start,
                        format!("{}: must be a string, number, boolean or table", self.what),
                    );
                    return None;
                };
                How::Constant(constant)
            }
        };
        Some(Generator {
            salt: self.salt,
            null: 0.0,
            how,
        })
    }

    fn kind(self, kind: &str, fields: &mut Fields<'r, 'i>) -> Option<How> {
        match kind {
            "uuid" => Some(How::Uuid),
            "sequence" => Some(How::Sequence {
                start: fields.integer("start", i64::MIN, i64::MAX).unwrap_or(0),
                step: fields.integer("step", i64::MIN, i64::MAX).unwrap_or(1),
            }),
            "uniform" => {
                let (min, max) = bounds(fields)?;
                Some(How::Uniform { min, max })
            }
            "decimal" => {
                let (min, max) = bounds(fields)?;
                let decimals = fields.count("decimals", 0, 9)?;
                let unit = 10_i64.pow(decimals);
                Some(How::Decimal {
                    min: min.checked_mul(unit)?,
                    max: max.checked_mul(unit)?,
                    decimals,
                })
            }
            "zipf" => {
                let (min, max) = bounds(fields)?;
                Some(How::Zipf {
                    min,
                    n: max.abs_diff(min).saturating_add(1),
                    exponent: fields.number("exponent", 0.01, 10.0).unwrap_or(1.0),
                })
            }
            "bool" => Some(How::Bool(fields.number("chance", 0.0, 1.0).unwrap_or(0.5))),
            "choice" => self.choice(fields),
            "hex" => Some(How::Hex {
                prefix: fields.text("prefix").unwrap_or_default().to_owned(),
                digits: fields.count("digits", 1, 64).unwrap_or(16),
            }),
            "digits" => Some(How::Digits(fields.count("length", 1, 18)?)),
            "copy" => Some(How::Copy(self.path(fields, "of")?)),
            "differs" => Some(How::Differs(
                self.path(fields, "of")?,
                self.path(fields, "against")?,
            )),
            "free_addresses" => Some(How::FreeAddresses(self.path(fields, "of")?)),
            "address" => Some(How::Address(self.path(fields, "of")?)),
            "template" => {
                let text = fields.need_text("text")?;
                let offset = fields.offset("text");
                Some(How::Template(read_template::parts(self, text, offset)?))
            }
            "pool" => self.pool(fields),
            "time" => self.time(fields),
            "network" => network(fields),
            "subnetwork" => self.subnetwork(fields),
            "object" => self.object(fields),
            "near" => self.near(fields),
            "array" => self.array(fields),
            "switch" => self.switch(fields),
            unknown => {
                let hint = suggestion(unknown, KINDS.iter().copied());
                fields.wrong("kind", format_args!("unknown kind `{unknown}`{hint}"));
                // What the other fields should be cannot be known.
                None
            }
        }
    }

    fn choice(self, fields: &mut Fields<'r, 'i>) -> Option<How> {
        fields.need("values");
        let values = fields.array("values")?;
        let weights = fields.array("weights");
        if weights.is_some_and(|weights| weights.len() != values.len()) {
            fields.wrong("weights", "there must be as many weights as values");
            return None;
        }
        let mut items = Vec::new();
        for (index, value) in values.iter().enumerate() {
            let weight = weights.map_or(Some(1.0), |w| number(w[index].get_ref()));
            match (literal(value.get_ref()), weight.filter(|w| *w >= 0.0)) {
                (Some(value), Some(weight)) => items.push((value, weight)),
                _ => self.log.at(
                    value.span().start,
                    format!(
                        "{}: a value must be a literal and its weight a number of at least 0",
                        self.what
                    ),
                ),
            }
        }
        let items = cumulative(items);
        if items.is_none() {
            fields.wrong("values", "the weights must have a sum above 0");
        }
        items.map(How::Choice)
    }

    /// A pool of its own, or a named one of data.toml.
    fn pool(self, fields: &mut Fields<'r, 'i>) -> Option<How> {
        let exponent = fields.number("exponent", 0.0, 10.0).unwrap_or(0.0);
        let Some(name) = fields.text("name") else {
            let Pool {
                size, scales, item, ..
            } = self.pool_fields(fields, String::new())?;
            return Some(How::Pool {
                size,
                scales,
                exponent,
                item: Box::new(item),
            });
        };
        let Some(pool) = self.scope.pools.iter().find(|pool| pool.name == name) else {
            let hint = suggestion(name, self.scope.pools.iter().map(|pool| pool.name.as_str()));
            fields.wrong("name", format_args!("unknown pool `{name}`{hint}"));
            return None;
        };
        Some(How::Pool {
            size: pool.size,
            scales: pool.scales,
            exponent,
            item: Box::new(pool.item.clone()),
        })
    }

    /// Size and item of a pool.
    pub fn pool_fields(self, fields: &mut Fields<'r, 'i>, name: String) -> Option<Pool> {
        fields.need("size");
        fields.need("item");
        let size = fields.count("size", 1, u32::MAX);
        let scales = fields.flag("scales").unwrap_or(false);
        let item = self.below("item").read(fields.value("item")?)?;
        Some(Pool {
            name,
            size: u64::from(size?),
            scales,
            item,
        })
    }
}
