//! All parts of a log together, in their order, as one profile.
//!
//! The result does not depend on where the log was cut into parts: sums are whole numbers, names
//! and classes keep the order in which they came, and samples are picked by a hash of their place.

use super::part::{ByHash, Counted, FAULTS, Part, PartClass, Picked, pick, text};
use super::profile::{Class, Fault, Profile, Sample, widened};
use super::read::Options;
use crate::sql::fingerprint::Fingerprinter;

/// Length of the text that shows a malformed place.
const FAULT_TEXT: usize = 120;
/// Classes that keep several samples; the ones that come later keep one, so that memory is bounded.
const RICH: usize = 500;
/// Longest sample of a class, by whether it is one of the first; longer ones are cut.
const SAMPLE: (usize, usize) = (64 * 1024, 4 * 1024);

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
                let class = Class::new(self.text_of(part, from), hash);
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
                class: Class::new("everything else".to_owned(), 0),
                ..Whole::default()
            })
        };
        whole.class.merge(&from.figures);
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
