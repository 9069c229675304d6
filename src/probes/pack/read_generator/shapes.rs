//! Generators that are made of others, and the paths between them.

use super::super::fields::{Fields, in_order, integer, number, suggestion};
use super::super::generator::{Field, How, Path};
use super::{Reader, cumulative};

impl<'r, 'i> Reader<'r, 'i> {
    pub(super) fn near(self, fields: &mut Fields<'r, 'i>) -> Option<How> {
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

    pub(super) fn time(self, fields: &mut Fields<'r, 'i>) -> Option<How> {
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

    pub(super) fn subnetwork(self, fields: &mut Fields<'r, 'i>) -> Option<How> {
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

    pub(super) fn object(self, fields: &mut Fields<'r, 'i>) -> Option<How> {
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

    pub(super) fn array(self, fields: &mut Fields<'r, 'i>) -> Option<How> {
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

    pub(super) fn switch(self, fields: &mut Fields<'r, 'i>) -> Option<How> {
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
    pub(super) fn path(self, fields: &mut Fields<'r, 'i>, name: &'static str) -> Option<Path> {
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

pub(super) fn bounds(fields: &mut Fields<'_, '_>) -> Option<(i64, i64)> {
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

pub(super) fn network(fields: &mut Fields<'_, '_>) -> Option<How> {
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
