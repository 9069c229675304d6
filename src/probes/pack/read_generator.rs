//! Generators from TOML, every name in them resolved.

use std::sync::Arc;

use toml::Spanned;
use toml::de::DeValue;

use super::fields::{Fields, Log, in_order, integer, number, suggestion};
use super::generator::{Field, Generator, How, Path, Skew};
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

/// The table named in `from = "table.column"` or `child_of = "table.column"` of a raw generator.
#[must_use]
pub fn target_table(value: &DeValue<'_>, tables: &[Table]) -> Option<usize> {
    let table = value.as_table()?;
    let reference = table
        .iter()
        .find(|(key, _)| matches!(&**key.get_ref(), "from" | "child_of"))?
        .1
        .get_ref()
        .as_str()?;
    let (name, _) = reference.split_once('.')?;
    tables.iter().position(|table| &*table.name == name)
}

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

    /// `table.column` of another table.
    fn reference(self, fields: &mut Fields<'r, 'i>, name: &'static str) -> Option<(usize, usize)> {
        let reference = fields.need_text(name)?;
        let Some((table_name, column_name)) = reference.split_once('.') else {
            fields.wrong(
                name,
                format_args!("`{reference}` must be written as `table.column`"),
            );
            return None;
        };
        let tables = self.scope.tables;
        let Some(index) = tables.iter().position(|table| &*table.name == table_name) else {
            let hint = suggestion(table_name, tables.iter().map(|table| &*table.name));
            fields.wrong(name, format_args!("unknown table `{table_name}`{hint}"));
            return None;
        };
        let column = self.column_of(index, column_name, |message| fields.wrong(name, message))?;
        if self.scope.own.is_none() && tables[index].columns[column].is_helper {
            fields.wrong(
                name,
                format_args!("`{reference}` is a helper of data.toml, not a column"),
            );
            return None;
        }
        Some((index, column))
    }

    /// Resolves a column of a table.
    fn column_of(self, table: usize, name: &str, wrong: impl FnOnce(String)) -> Option<usize> {
        let table = self.scope.tables.get(table)?;
        let column = table.column(name);
        if column.is_none() {
            let hint = suggestion(name, table.columns.iter().map(|column| &*column.name));
            wrong(format!(
                "table `{}` has no column `{name}`{hint}",
                table.name
            ));
        }
        column
    }

    fn from(self, fields: &mut Fields<'r, 'i>) -> Option<How> {
        let (table, column) = self.reference(fields, "from")?;
        let exponent = fields.number("exponent", 0.01, 10.0);
        let skew = match fields.text("skew") {
            _ if fields.has("weights") => self.weights(fields, table)?,
            None if exponent.is_some() => {
                fields.wrong("exponent", "needs `skew = \"zipf\"`");
                return None;
            }
            None | Some("uniform") => Skew::Uniform,
            Some("zipf") => Skew::Zipf(exponent.unwrap_or(1.0)),
            Some("earlier") if self.scope.own == Some(table) => Skew::Earlier,
            Some("earlier") => {
                fields.wrong("skew", "`earlier` is for references to the own table");
                return None;
            }
            Some(unknown) => {
                let hint = suggestion(unknown, ["uniform", "zipf", "earlier"]);
                fields.wrong("skew", format_args!("unknown skew `{unknown}`{hint}"));
                return None;
            }
        };
        Some(How::From {
            table,
            column,
            skew,
        })
    }

    fn weights(self, fields: &mut Fields<'r, 'i>, table: usize) -> Option<Skew> {
        let by_name = fields.need_text("by");
        let weights = fields.table("weights")?;
        let by = self.column_of(table, by_name?, |message| fields.wrong("by", message))?;
        let parent = &self.scope.tables[table];
        let Some(Generator {
            how: How::Literal(values),
            ..
        }) = &parent.columns[by].generator
        else {
            fields.wrong(
                "by",
                format_args!("weights need a literal column, and `{}` is none", by_name?),
            );
            return None;
        };
        let mut rows = Vec::new();
        for (code, span, weight) in in_order(weights) {
            let row = values.iter().position(|value| value.to_text() == code);
            let weight = number(weight.get_ref()).filter(|weight| *weight >= 0.0);
            match (row.and_then(|row| u64::try_from(row).ok()), weight) {
                (Some(row), Some(weight)) => rows.push((row, weight)),
                (None, _) => {
                    let codes: Vec<String> = values.iter().map(Value::to_text).collect();
                    let hint = suggestion(code, codes.iter().map(String::as_str));
                    self.log
                        .at(span.start, format!("{}: no row `{code}`{hint}", self.what));
                }
                (_, None) => self.log.at(
                    span.start,
                    format!(
                        "{}: the weight of `{code}` must be a number of at least 0",
                        self.what
                    ),
                ),
            }
        }
        let rows = cumulative(rows);
        if rows.is_none() {
            fields.wrong("weights", "the weights must have a sum above 0");
        }
        rows.map(Skew::Weights)
    }

    fn child_of(self, fields: &mut Fields<'r, 'i>) -> Option<How> {
        let (table, column) = self.reference(fields, "child_of")?;
        let concentration = fields.number("concentration", 0.0, 1e6).unwrap_or(0.0);
        if self.scope.own.is_none() || self.scope.own == Some(table) {
            fields.wrong(
                "child_of",
                "only a column of another table can be dealt out",
            );
            return None;
        }
        Some(How::ChildOf {
            table,
            column,
            concentration,
        })
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

    fn near(self, fields: &mut Fields<'r, 'i>) -> Option<How> {
        let of = self.path(fields, "of")?;
        let same = self.path(fields, "same")?;
        let max = fields.count("max", 1, 100).unwrap_or(3);
        match (of, same) {
            (
                Path::Through { via, column },
                Path::Through {
                    via: other,
                    column: same,
                },
            ) if via == other => Some(How::Near {
                via,
                column,
                same,
                max,
            }),
            _ => {
                fields.wrong("of", "`of` and `same` must be columns of one sibling's row");
                None
            }
        }
    }

    fn time(self, fields: &mut Fields<'r, 'i>) -> Option<How> {
        let micros = |d: std::time::Duration| i64::try_from(d.as_micros()).ok();
        let oldest = fields.duration("oldest").map_or(Some(0), micros)?;
        let newest = fields.duration("newest").map_or(Some(0), micros)?;
        let after = if fields.has("after") {
            Some(self.path(fields, "after")?)
        } else {
            None
        };
        if oldest < newest && after.is_none() {
            fields.wrong("oldest", "`oldest` must be an age of at least `newest`");
            return None;
        }
        Some(How::Time {
            oldest,
            newest,
            recency: fields.count("recency", 1, 16).unwrap_or(1),
            after,
        })
    }

    fn subnetwork(self, fields: &mut Fields<'r, 'i>) -> Option<How> {
        let path = self.path(fields, "of")?;
        let bits = fields.count("bits", 1, 32).unwrap_or(8);
        match path {
            Path::Through { via, column } => Some(How::SubNetwork { via, column, bits }),
            Path::Own(_) => {
                fields.wrong("of", "must be `sibling.column` of the parent");
                None
            }
        }
    }

    fn object(self, fields: &mut Fields<'r, 'i>) -> Option<How> {
        fields.need("fields");
        let table = fields.table("fields")?;
        let chances = fields.table("chance");
        let mut read = Vec::new();
        for (name, _, value) in in_order(table) {
            let chance = chances
                .and_then(|c| c.iter().find(|(key, _)| &**key.get_ref() == name))
                .map_or(Some(1.0), |(_, chance)| number(chance.get_ref()));
            if let Some(value) = self.below(name).read(value) {
                read.push(Field {
                    name: name.to_owned(),
                    chance: chance.unwrap_or(1.0),
                    value,
                });
            }
        }
        for (name, span, chance) in chances.map(in_order).unwrap_or_default() {
            let known = number(chance.get_ref()).is_some_and(|c| (0.0..=1.0).contains(&c));
            if !known || !table.iter().any(|(key, _)| &**key.get_ref() == name) {
                self.log.at(
                    span.start,
                    format!(
                        "{}: `{name}` must be a field and its chance in 0 to 1",
                        self.what
                    ),
                );
            }
        }
        Some(How::Object(read))
    }

    fn array(self, fields: &mut Fields<'r, 'i>) -> Option<How> {
        fields.need("item");
        let item = self.below("item").read(fields.value("item")?)?;
        let min = fields.count("min", 0, 1_000).unwrap_or(0);
        let max = fields.count("max", 0, 1_000).unwrap_or(1);
        if min > max {
            fields.wrong("min", "`min` must not be above `max`");
            return None;
        }
        Some(How::Array {
            min,
            max,
            item: Box::new(item),
        })
    }

    fn switch(self, fields: &mut Fields<'r, 'i>) -> Option<How> {
        let on = self.path(fields, "on");
        fields.need("cases");
        let cases = fields
            .table("cases")
            .map(in_order)
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(name, _, value)| Some((name.to_owned(), self.below(name).read(value)?)))
            .collect();
        let otherwise = match fields.value("otherwise") {
            Some(value) => Some(Box::new(self.below("otherwise").read(value)?)),
            None => None,
        };
        Some(How::Switch {
            on: on?,
            cases,
            otherwise,
        })
    }

    /// `sibling` or `sibling.column`.
    fn path(self, fields: &mut Fields<'r, 'i>, name: &'static str) -> Option<Path> {
        let text = fields.need_text(name)?;
        self.resolve(text, |message| fields.wrong(name, message))
    }

    /// Resolves `sibling` or `sibling.column`.
    pub fn resolve(self, text: &str, wrong: impl FnOnce(String)) -> Option<Path> {
        let (sibling, column) = match text.split_once('.') {
            Some((sibling, column)) => (sibling, Some(column)),
            None => (text, None),
        };
        let names = &self.scope.names;
        let Some(index) = names.iter().position(|name| &**name == sibling) else {
            let hint = suggestion(sibling, names.iter().map(|name| &**name));
            wrong(format!("unknown name `{sibling}`{hint}"));
            return None;
        };
        let Some(column) = column else {
            return Some(Path::Own(index));
        };
        let Some(table) = self.scope.targets[index] else {
            wrong(format!(
                "`{sibling}` refers to no table, so it has no `.{column}`"
            ));
            return None;
        };
        let column = self.column_of(table, column, wrong)?;
        Some(Path::Through { via: index, column })
    }
}

fn bounds(fields: &mut Fields<'_, '_>) -> Option<(i64, i64)> {
    fields.need("min");
    fields.need("max");
    let min = fields.integer("min", i64::MIN, i64::MAX);
    let max = fields.integer("max", i64::MIN, i64::MAX);
    let (min, max) = (min?, max?);
    if min > max {
        fields.wrong("min", format_args!("`min` {min} is above `max` {max}"));
        return None;
    }
    Some((min, max))
}

fn network(fields: &mut Fields<'_, '_>) -> Option<How> {
    let base_text = fields.need_text("base")?;
    let Some((base, is_v6, base_prefix)) = crate::probes::network::parse(base_text) else {
        fields.wrong(
            "base",
            format_args!("`{base_text}` must be a network such as \"10.0.0.0/8\""),
        );
        return None;
    };
    fields.need("prefixes");
    let lengths = fields.array("prefixes")?;
    let weights = fields.array("weights");
    let width = if is_v6 { 128 } else { 32 };
    let mut prefixes = Vec::new();
    for (index, length) in lengths.iter().enumerate() {
        let weight = weights.map_or(Some(1.0), |w| {
            w.get(index).and_then(|weight| number(weight.get_ref()))
        });
        let length = integer(length.get_ref()).and_then(|n| u32::try_from(n).ok());
        match (length, weight) {
            (Some(length), Some(weight))
                if (base_prefix..=width).contains(&length) && weight >= 0.0 =>
            {
                prefixes.push((length, weight));
            }
            _ => {
                fields.wrong(
                    "prefixes",
                    format_args!(
                        "each must be from {base_prefix} to {width} and have a weight of at least 0"
                    ),
                );
                return None;
            }
        }
    }
    let prefixes = cumulative(prefixes);
    if prefixes.is_none() {
        fields.wrong("prefixes", "the weights must have a sum above 0");
    }
    Some(How::Network {
        base,
        is_v6,
        base_prefix,
        prefixes: prefixes?,
    })
}
