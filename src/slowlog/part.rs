//! The entries of one part of a log, counted; texts stay places in it.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::entry::{Carried, Entries, Entry, Item};
use super::profile::{Class, widened};
use super::read::Options;
use crate::sql::fingerprint::Fingerprinter;

/// Malformed places that are kept to be shown.
pub(super) const FAULTS: usize = 10;

/// A hash that is already one.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Ready(u64);

impl Hasher for Ready {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

pub(super) type ByHash = HashMap<u64, usize, BuildHasherDefault<Ready>>;

/// A part of a log with what stands before it.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) text: Vec<u8>,
    /// Place of its first byte in the log.
    pub(super) offset: u64,
    /// Line of its first byte, from 1.
    pub(super) line: u64,
    /// Number of the log.
    pub(super) source: usize,
    pub(super) carried: Carried,
}

/// The classes of one part; texts are places in it.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) classes: Vec<PartClass>,
    pub(super) entries: u64,
    pub(super) filtered: u64,
    pub(super) malformed: u64,
    /// Where, and why.
    pub(super) faults: Vec<(usize, &'static str)>,
    pub(super) window: Option<(i64, i64)>,
}

/// A class within one part.
#[derive(Debug, Default)]
pub(super) struct PartClass {
    pub(super) figures: Class,
    pub(super) is_command: bool,
    pub(super) worst: Option<Picked>,
    /// Those with the lowest lots, which is a fair drawing.
    pub(super) low: Vec<Picked>,
    /// Schemas, users and hosts.
    pub(super) names: [Vec<(Range, u64)>; 3],
}

/// A text in the part.
pub(super) type Range = (usize, usize);

#[derive(Debug, Clone, Copy)]
pub(super) struct Picked {
    pub(super) text: Range,
    pub(super) time: u64,
    pub(super) lot: u64,
}

/// Stands for the schema that the part took over, which is no text in it.
const CARRIED: Range = (usize::MAX, 0);

fn range_of(text: &[u8], part: &Part) -> Range {
    // The place of a slice in the text from which it was cut.
    let start = (text.as_ptr().addr()).wrapping_sub(part.text.as_ptr().addr());
    if text.is_empty() {
        (0, 0)
    } else if start < part.text.len() {
        (start, text.len())
    } else {
        CARRIED
    }
}

pub(super) fn text(part: &Part, range: Range) -> &[u8] {
    if range == CARRIED {
        return &part.carried.schema;
    }
    part.text.get(range.0..range.0 + range.1).unwrap_or(&[])
}

/// Mixes a place in the log to a number that decides which samples are kept.
fn lot(source: usize, offset: u64) -> u64 {
    let mut lot = offset ^ (source as u64).rotate_left(48);
    lot = (lot ^ lot >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    lot = (lot ^ lot >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    lot ^ lot >> 31
}

/// Counts the entries of `part`.
pub(super) fn count(part: &Part, options: &Options, prints: &mut Fingerprinter) -> Counted {
    let mut counted = Counted::default();
    let mut by_hash = ByHash::default();
    for item in Entries::new(&part.text, &part.carried) {
        match item {
            Item::Malformed(at, reason) => {
                counted.malformed += 1;
                if counted.faults.len() < FAULTS {
                    counted.faults.push((at, reason));
                }
            }
            Item::Entry(entry) if !wanted(&entry, options) => counted.filtered += 1,
            Item::Entry(entry) => {
                counted.entries += 1;
                counted.window = widened(counted.window, entry.at);
                let hash = prints.hash(entry.statement);
                let hash = if entry.is_command { !hash } else { hash };
                let index = *by_hash.entry(hash).or_insert_with(|| {
                    counted.classes.push(PartClass::new(hash, entry.is_command));
                    counted.classes.len() - 1
                });
                if let Some(class) = counted.classes.get_mut(index) {
                    class.add(&entry, part, options);
                }
            }
        }
    }
    counted
}

fn wanted(entry: &Entry<'_>, options: &Options) -> bool {
    let in_window = (options.since.is_none() && options.until.is_none())
        || entry.at.is_some_and(|at| {
            options.since.is_none_or(|since| at >= since)
                && options.until.is_none_or(|until| at < until)
        });
    in_window
        && options
            .user
            .as_ref()
            .is_none_or(|user| entry.user == user.as_bytes())
        && options
            .schema
            .as_ref()
            .is_none_or(|schema| entry.schema == schema.as_bytes())
}

impl PartClass {
    fn new(hash: u64, is_command: bool) -> Self {
        Self {
            figures: Class::new(String::new(), hash),
            is_command,
            ..Self::default()
        }
    }

    fn add(&mut self, entry: &Entry<'_>, part: &Part, options: &Options) {
        let time = entry.query_time;
        let class = &mut self.figures;
        class.calls += 1;
        class.time += time;
        class.time_min = class.time_min.min(time);
        class.time_max = class.time_max.max(time);
        class.squares += u128::from(time) * u128::from(time);
        class.lock_time += entry.lock_time;
        class.rows_sent += entry.rows_sent;
        class.rows_examined += entry.rows_examined;
        class.rows_affected += entry.rows_affected;
        class.bytes_sent += entry.bytes_sent;
        class.errors += u64::from(entry.is_error);
        class.histogram.add(time);
        class.seen = widened(class.seen, entry.at);
        for (names, name) in self
            .names
            .iter_mut()
            .zip([entry.schema, entry.user, entry.host])
        {
            tally(names, name, part);
        }
        let picked = Picked {
            text: range_of(entry.statement, part),
            time,
            lot: lot(part.source, part.offset + entry.offset as u64),
        };
        if self
            .worst
            .is_none_or(|worst| (picked.time, picked.lot) > (worst.time, worst.lot))
        {
            self.worst = Some(picked);
        }
        pick(&mut self.low, picked, options.samples, |picked| picked.lot);
    }
}

/// Keeps the `limit` smallest of all that come by, in order.
pub(super) fn pick<T>(kept: &mut Vec<T>, new: T, limit: usize, lot: impl Fn(&T) -> u64) {
    let is_last = kept.last().is_some_and(|last| lot(last) <= lot(&new));
    if is_last && kept.len() >= limit {
        return;
    }
    let at = kept.partition_point(|known| lot(known) <= lot(&new));
    kept.insert(at, new);
    kept.truncate(limit);
}

fn tally(names: &mut Vec<(Range, u64)>, name: &[u8], part: &Part) {
    let known = names
        .iter_mut()
        .find(|(range, _)| text(part, *range) == name);
    match known {
        Some((_, count)) => *count += 1,
        None => names.push((range_of(name, part), 1)),
    }
}
