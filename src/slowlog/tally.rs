//! Entries to classes: part by part, then all parts together in their order.
//!
//! The result does not depend on where the log was cut into parts: sums are whole numbers, names
//! and classes keep the order in which they came, and samples are picked by a hash of their place.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::entry::{Carried, Entries, Entry, Item};
use super::profile::{Class, Fault, Profile, Sample};
use super::read::Options;
use crate::sql::fingerprint::Fingerprinter;

/// Malformed places that are kept to be shown.
const FAULTS: usize = 10;
/// Length of the text that shows one.
const FAULT_TEXT: usize = 120;
/// Classes that keep several samples; the ones that come later keep one, so that memory is bounded.
const RICH: usize = 500;
/// Longest sample of a class, by whether it is one of the first; longer ones are cut.
const SAMPLE: (usize, usize) = (64 * 1024, 4 * 1024);

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
    classes: Vec<PartClass>,
    entries: u64,
    filtered: u64,
    malformed: u64,
    faults: Vec<(usize, &'static str)>,
    window: Option<(i64, i64)>,
}

/// A class within one part.
#[derive(Debug, Default)]
struct PartClass {
    figures: Class,
    is_command: bool,
    worst: Option<Picked>,
    /// Those with the lowest lots, which is a fair drawing.
    low: Vec<Picked>,
    /// Schemas, users and hosts.
    names: [Vec<(Range, u64)>; 3],
}

/// A text in the part.
type Range = (usize, usize);

#[derive(Debug, Clone, Copy)]
struct Picked {
    text: Range,
    time: u64,
    lot: u64,
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

fn text(part: &Part, range: Range) -> &[u8] {
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

fn widened(window: Option<(i64, i64)>, at: Option<i64>) -> Option<(i64, i64)> {
    match (window, at) {
        (Some((first, last)), Some(at)) => Some((first.min(at), last.max(at))),
        (None, Some(at)) => Some((at, at)),
        (window, None) => window,
    }
}

impl PartClass {
    fn new(hash: u64, is_command: bool) -> Self {
        Self {
            figures: Class {
                hash,
                time_min: u64::MAX,
                ..Class::default()
            },
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
fn pick<T>(kept: &mut Vec<T>, new: T, limit: usize, lot: impl Fn(&T) -> u64) {
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

/// All parts together.
#[derive(Debug)]
pub(super) struct Merger<'a> {
    options: &'a Options,
    profile: Profile,
    classes: Vec<Whole>,
    rest: Option<Whole>,
    by_hash: ByHash,
    folded: ByHash,
    prints: Fingerprinter,
}

/// A class with the samples that may still be thrown out.
#[derive(Debug, Default)]
struct Whole {
    class: Class,
    worst: Option<Sample>,
    low: Vec<Sample>,
}

/// Folded classes that are told apart, to say how many there are.
const FOLDED: usize = 200_000;

impl<'a> Merger<'a> {
    pub(super) fn new(options: &'a Options, sources: Vec<String>) -> Self {
        Self {
            options,
            profile: Profile {
                sources,
                ..Profile::default()
            },
            classes: Vec::new(),
            rest: None,
            by_hash: ByHash::default(),
            folded: ByHash::default(),
            prints: Fingerprinter::new(),
        }
    }

    /// Adds what was counted in `part`, the next one in order.
    pub(super) fn add(&mut self, part: &Part, counted: &Counted) {
        let profile = &mut self.profile;
        profile.bytes += part.text.len() as u64;
        profile.entries += counted.entries;
        profile.filtered += counted.filtered;
        profile.malformed += counted.malformed;
        if let Some((first, last)) = counted.window {
            profile.window = widened(widened(profile.window, Some(first)), Some(last));
        }
        for (at, reason) in &counted.faults {
            if profile.faults.len() < FAULTS {
                profile
                    .faults
                    .push(fault(part, *at, reason, &profile.sources));
            }
        }
        for class in &counted.classes {
            self.add_class(part, class);
        }
    }

    fn add_class(&mut self, part: &Part, from: &PartClass) {
        let hash = from.figures.hash;
        let known = self.by_hash.get(&hash).copied();
        let index = match known {
            Some(index) => Some(index),
            None if self.classes.len() < self.options.max_classes => {
                let class = Class {
                    fingerprint: self.text_of(part, from),
                    hash,
                    time_min: u64::MAX,
                    ..Class::default()
                };
                self.classes.push(Whole {
                    class,
                    ..Whole::default()
                });
                self.by_hash.insert(hash, self.classes.len() - 1);
                Some(self.classes.len() - 1)
            }
            None => None,
        };
        let whole = if let Some(whole) = index.and_then(|index| self.classes.get_mut(index)) {
            whole
        } else {
            if self.folded.len() < FOLDED {
                self.folded.insert(hash, 0);
            }
            self.rest.get_or_insert_with(|| Whole {
                class: Class {
                    fingerprint: "everything else".to_owned(),
                    time_min: u64::MAX,
                    ..Class::default()
                },
                ..Whole::default()
            })
        };
        merge(&mut whole.class, &from.figures);
        whole.names(part, from);
        if let Some(index) = index {
            whole.sample(part, from, index < RICH, self.options.samples);
        }
    }

    fn text_of(&mut self, part: &Part, from: &PartClass) -> String {
        let Some(worst) = from.worst else {
            return String::new();
        };
        let statement = text(part, worst.text);
        if from.is_command {
            return format!(
                "administrator command: {}",
                String::from_utf8_lossy(statement)
            );
        }
        self.prints.text(statement)
    }

    /// The profile, ranked.
    pub(super) fn finish(mut self, is_interrupted: bool) -> Profile {
        let samples = self.options.samples;
        self.profile.classes = self
            .classes
            .into_iter()
            .map(|whole| whole.finish(samples))
            .collect();
        // A stable sort: classes of the same time stay in the order in which they came.
        self.profile
            .classes
            .sort_by_key(|class| std::cmp::Reverse(class.time));
        self.profile.rest = self.rest.map(|whole| whole.finish(samples));
        self.profile.folded = self.folded.len() as u64;
        self.profile.is_interrupted = is_interrupted;
        self.profile
    }
}

fn merge(into: &mut Class, from: &Class) {
    into.calls += from.calls;
    into.time += from.time;
    into.time_min = into.time_min.min(from.time_min);
    into.time_max = into.time_max.max(from.time_max);
    into.squares += from.squares;
    into.lock_time += from.lock_time;
    into.rows_sent += from.rows_sent;
    into.rows_examined += from.rows_examined;
    into.rows_affected += from.rows_affected;
    into.bytes_sent += from.bytes_sent;
    into.errors += from.errors;
    into.histogram.merge(&from.histogram);
    if let Some((first, last)) = from.seen {
        into.seen = widened(widened(into.seen, Some(first)), Some(last));
    }
}

impl Whole {
    fn names(&mut self, part: &Part, from: &PartClass) {
        let class = &mut self.class;
        let tallies = [&mut class.schemas, &mut class.users, &mut class.hosts];
        for (tally, names) in tallies.into_iter().zip(&from.names) {
            for (range, count) in names {
                tally.add(&String::from_utf8_lossy(text(part, *range)), *count);
            }
        }
    }

    fn sample(&mut self, part: &Part, from: &PartClass, is_rich: bool, limit: usize) {
        let longest = if is_rich { SAMPLE.0 } else { SAMPLE.1 };
        let make = |picked: &Picked| {
            let whole = text(part, picked.text);
            let kept = whole.get(..longest).unwrap_or(whole);
            Sample {
                sql: String::from_utf8_lossy(kept).into_owned(),
                time: picked.time,
                is_cut: kept.len() < whole.len(),
                lot: picked.lot,
            }
        };
        if let Some(new) = &from.worst {
            let rank = |time: u64, lot: u64| (time, lot);
            let is_worse = self
                .worst
                .as_ref()
                .is_none_or(|worst| rank(new.time, new.lot) > rank(worst.time, worst.lot));
            if is_worse {
                self.worst = Some(make(new));
            }
        }
        if is_rich {
            for new in &from.low {
                let is_out = self.low.len() >= limit
                    && self.low.last().is_some_and(|last| last.lot <= new.lot);
                if !is_out {
                    pick(&mut self.low, make(new), limit, |sample| sample.lot);
                }
            }
        }
    }

    fn finish(self, limit: usize) -> Class {
        let mut class = self.class;
        for sample in self.worst.into_iter().chain(self.low) {
            let is_new = class.samples.iter().all(|known| known.sql != sample.sql);
            if is_new && class.samples.len() < limit.max(1) {
                class.samples.push(sample);
            }
        }
        class
    }
}

fn fault(part: &Part, at: usize, reason: &'static str, sources: &[String]) -> Fault {
    let before = part.text.get(..at).unwrap_or(&[]);
    let rest = part.text.get(at..).unwrap_or(&[]);
    let line = memchr::memchr(b'\n', rest).map_or(rest, |end| &rest[..end]);
    let shown = line.get(..FAULT_TEXT).unwrap_or(line);
    Fault {
        source: sources.get(part.source).cloned().unwrap_or_default(),
        line: part.line + memchr::memchr_iter(b'\n', before).count() as u64,
        reason,
        text: String::from_utf8_lossy(shown).into_owned(),
    }
}
