//! How a generator that is made of others, or of parts, comes to its value.

use super::super::network;
use super::super::pack::generator::{Field, Generator, How, Part, Path};
use super::super::random::{Draw, Zipf, floor};
use super::super::value::Value;
use super::{Place, World, pick};

impl World {
    /// The generators that read a network or make JSON.
    pub(super) fn structured(&self, how: &How, place: Place<'_>, draw: &mut Draw) -> Value {
        match how {
            How::Network {
                base,
                is_v6,
                base_prefix,
                prefixes,
            } => {
                let prefix = pick(prefixes, draw.unit()).copied().unwrap_or(*base_prefix);
                let free =
                    network::host_mask(*is_v6, *base_prefix) & !network::host_mask(*is_v6, prefix);
                Value::Text(network::block(base | (wide(draw) & free), *is_v6, prefix))
            }
            How::SubNetwork { via, column, bits } => self.sub_network(*via, *column, *bits, place),
            How::FreeAddresses(path) => self.network_at(*path, place, |_, is_v6, prefix| {
                let size = network::host_mask(is_v6, prefix).saturating_sub(4);
                let share = draw.unit();
                let size = u64::try_from(size).unwrap_or(u64::MAX);
                Value::UInt(floor(size as f64 * share * share))
            }),
            How::Address(path) => self.network_at(*path, place, |base, is_v6, prefix| {
                let mut out = String::new();
                let host = wide(draw) & network::host_mask(is_v6, prefix);
                network::push_address(base | host, is_v6, &mut out);
                Value::Text(out)
            }),
            How::Near {
                via,
                column,
                same,
                max,
            } => self.near(
                *via,
                (*column, *same),
                draw.below(u64::from(*max)) + 1,
                place,
            ),
            How::Object(fields) => Value::Json(self.object(fields, place, draw)),
            How::Array { min, max, item } => {
                let length = u64::from(*min) + draw.below(u64::from(max - min) + 1);
                let mut out = String::from("[");
                for index in 0..length {
                    let position = place.position.wrapping_mul(1_024).wrapping_add(index);
                    if index > 0 {
                        out.push_str(", ");
                    }
                    self.push_json(item, Place { position, ..place }, &mut out);
                }
                out.push(']');
                Value::Json(out)
            }
            How::Switch {
                on,
                cases,
                otherwise,
            } => {
                let found = self.at(*on, place).to_text();
                cases
                    .iter()
                    .find(|(case, _)| *case == found)
                    .map(|(_, generator)| generator)
                    .or(otherwise.as_deref())
                    .map_or(Value::Null, |generator| self.eval(generator, place))
            }
            _ => Value::Null,
        }
    }

    /// Pools that scale grow like the square root: ten times the cloud has three times the teams.
    pub(super) fn pool_size(&self, size: u64, scales: bool) -> u64 {
        if scales {
            floor((size as f64 * self.scale.sqrt()).round()).max(1)
        } else {
            size
        }
    }

    pub(super) fn pool(
        &self,
        size: u64,
        exponent: f64,
        item: &Generator,
        place: Place<'_>,
        draw: &mut Draw,
    ) -> Value {
        let position = if exponent > 0.0 {
            Zipf::new(size, exponent).rank(draw)
        } else {
            draw.below(size)
        };
        self.eval(item, Place { position, ..place })
    }

    pub(super) fn template(&self, parts: &[Part], place: Place<'_>, draw: &mut Draw) -> String {
        use std::fmt::Write as _;
        let mut out = String::with_capacity(32);
        for part in parts {
            // Writing to a String cannot fail.
            let _ = match part {
                Part::Text(text) => out.write_str(text),
                Part::Path(path) => {
                    self.at(*path, place).push_text(&mut out);
                    Ok(())
                }
                Part::Number(width) => write!(out, "{:0width$}", place.position.saturating_add(1)),
                Part::Hex(length) => {
                    (0..*length).try_for_each(|_| write!(out, "{:x}", draw.below(16)))
                }
                Part::Int(low, high) => {
                    write!(out, "{}", low.saturating_add(draw.below(high - low + 1)))
                }
            };
        }
        out
    }

    pub(super) fn time(
        &self,
        (oldest, newest): (i64, i64),
        recency: u32,
        after: Option<Path>,
        place: Place<'_>,
        draw: &mut Draw,
    ) -> Value {
        let now = self.pack.now;
        let high = now.saturating_sub(newest);
        let mut low = now.saturating_sub(oldest);
        if let Some(path) = after {
            match self.at(path, place) {
                Value::Time(after) if oldest == 0 => low = after,
                Value::Time(after) => low = low.max(after),
                _ => return Value::Null,
            }
        }
        let span = high.saturating_sub(low).max(0);
        let share = draw.unit();
        let share = (1..recency).fold(share, |product, _| product * share);
        let age = i64::try_from(floor(span as f64 * share)).unwrap_or(span);
        Value::Time(high.max(low).saturating_sub(age))
    }

    pub(super) fn sub_network(
        &self,
        via: usize,
        column: usize,
        bits: u32,
        place: Place<'_>,
    ) -> Value {
        let Some((table, row, ordinal)) = self.parent(via, place) else {
            return Value::Null;
        };
        let parent = self.cell(table, column, row);
        let Value::Text(text) = &parent else {
            return Value::Null;
        };
        let Some((base, is_v6, prefix)) = network::parse(text) else {
            return Value::Null;
        };
        let prefix = (prefix + bits).min(network::width(is_v6));
        let shift = network::width(is_v6) - prefix;
        Value::Text(network::block(
            base | (u128::from(ordinal) << shift),
            is_v6,
            prefix,
        ))
    }

    /// Column `column` of the row that `via` refers to and of those after it that have the same
    /// value in `same`, up to `count`.
    pub(super) fn near(
        &self,
        via: usize,
        (column, same): (usize, usize),
        count: u64,
        place: Place<'_>,
    ) -> Value {
        let Some((table, row, _)) = self.parent(via, place) else {
            return Value::Null;
        };
        let shared = self.cell(table, same, row);
        let mut out = String::from("[");
        let end = row.saturating_add(count).min(self.rows(table));
        for near in row..end {
            if near > row {
                if self.cell(table, same, near) != shared {
                    break;
                }
                out.push_str(", ");
            }
            push_json_string(&self.cell(table, column, near).to_text(), &mut out);
        }
        out.push(']');
        Value::Json(out)
    }

    pub(super) fn network_at(
        &self,
        path: Path,
        place: Place<'_>,
        make: impl FnOnce(u128, bool, u32) -> Value,
    ) -> Value {
        match self.at(path, place) {
            Value::Text(text) => network::parse(&text)
                .map_or(Value::Null, |(base, is_v6, prefix)| {
                    make(base, is_v6, prefix)
                }),
            _ => Value::Null,
        }
    }

    pub(super) fn object(&self, fields: &[Field], place: Place<'_>, draw: &mut Draw) -> String {
        let mut out = String::with_capacity(16 + fields.len() * 24);
        out.push('{');
        for field in fields {
            if draw.unit() >= field.chance {
                continue;
            }
            if out.len() > 1 {
                out.push_str(", ");
            }
            push_json_string(&field.name, &mut out);
            out.push_str(": ");
            self.push_json(&field.value, place, &mut out);
        }
        out.push('}');
        out
    }

    pub(super) fn push_json(&self, generator: &Generator, place: Place<'_>, out: &mut String) {
        let is_bool = matches!(generator.how, How::Bool(_));
        match self.eval(generator, place) {
            Value::Null => out.push_str("null"),
            Value::Int(flag) if is_bool => out.push_str(if flag == 0 { "false" } else { "true" }),
            value @ (Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Json(_)) => {
                value.push_text(out);
            }
            value => push_json_string(&value.to_text(), out),
        }
    }
}

pub(super) fn between(min: i64, max: i64, draw: &mut Draw) -> i64 {
    let offset = match max.abs_diff(min).checked_add(1) {
        Some(n) => draw.below(n),
        None => draw.bits(),
    };
    min.wrapping_add_unsigned(offset)
}

pub(super) fn wide(draw: &mut Draw) -> u128 {
    (u128::from(draw.bits()) << 64) | u128::from(draw.bits())
}

pub(super) fn decimal(units: i64, decimals: u32) -> String {
    if decimals == 0 {
        return units.to_string();
    }
    let unit = 10_u64.pow(decimals);
    let sign = if units < 0 { "-" } else { "" };
    let size = units.unsigned_abs();
    let width = decimals as usize;
    format!("{sign}{}.{:0width$}", size / unit, size % unit)
}

/// RFC 9562 version 4 layout: 122 free bits, of which `unique` takes the first 64.
pub(super) fn uuid(unique: u64, random: u64) -> String {
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        unique >> 32,
        (unique >> 16) & 0xffff,
        (unique >> 4) & 0xfff,
        0x8000 | ((unique & 0xf) << 10) | (random >> 54),
        random & 0xffff_ffff_ffff
    )
}

pub(super) fn hex(prefix: &str, length: u32, unique: u64, draw: &mut Draw) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(prefix.len() + length as usize);
    out.push_str(prefix);
    let random = if length >= 16 { length - 16 } else { length };
    for _ in 0..random {
        let _ = write!(out, "{:x}", draw.below(16));
    }
    if length >= 16 {
        let _ = write!(out, "{unique:016x}");
    }
    out
}

pub(super) fn digits(length: u32, draw: &mut Draw) -> String {
    let low = 10_u64.pow(length - 1);
    (low + draw.below(low * 9)).to_string()
}

pub(super) fn push_json_string(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}
