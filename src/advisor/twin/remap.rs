//! Scaling references down: where the foreign keys of sampled rows point.
//!
//! A sample of a child table refers to nearly all parents, each with fewer children than in truth.
//! Here references to parents that were not kept are moved, in the order of their values, onto
//! parents that were, so that the sample has as many distinct values as its share of rows allows:
//! the average number of children is the target's, values stay ordered, heavy ones stay heavy.

use std::collections::{BTreeMap, BTreeSet};

/// A key of one or more values, comparable as the server compares it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(pub(super) Vec<KeyValue>);

/// One value of a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum KeyValue {
    /// An integer.
    Number(i128),
    /// Anything else, by its bytes.
    Bytes(Box<[u8]>),
}

impl KeyValue {
    /// A value as the server sent it.
    pub(super) fn of(value: &[u8]) -> Self {
        std::str::from_utf8(value)
            .ok()
            // Only the canonical form: `007` and `7` are different texts.
            .filter(|text| text.len() < 38 && (*text == "0" || !text.starts_with(['0', '+'])))
            .filter(|text| !text.starts_with("-0"))
            .and_then(|text| text.parse().ok())
            .map_or_else(|| Self::Bytes(value.into()), Self::Number)
    }

    /// The bytes that the server sent.
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Number(number) => number.to_string().into_bytes(),
            Self::Bytes(bytes) => bytes.to_vec(),
        }
    }
}

/// What a remapping goes by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale<'a> {
    /// Keys of the parents that were kept.
    pub(super) kept: &'a BTreeSet<Key>,
    /// Keys that keep their children and get no others: those of constants in use.
    pub(super) pinned: &'a BTreeSet<Key>,
    /// Distinct values that the sample should have.
    pub(super) distinct: usize,
}

/// Where each of the observed values goes that does not stay; `observed` has rows by value.
pub(super) fn remap(observed: &BTreeMap<Key, u64>, scale: Scale<'_>) -> BTreeMap<Key, Key> {
    let free: Vec<&Key> = scale
        .kept
        .iter()
        .filter(|key| !scale.pinned.contains(*key))
        .collect();
    if free.is_empty() {
        return BTreeMap::new();
    }
    let (staying, moving): (Vec<&Key>, Vec<&Key>) = observed
        .keys()
        .filter(|key| !scale.pinned.contains(*key))
        .partition(|key| scale.kept.contains(*key));
    if staying.len() + moving.len() <= scale.distinct && moving.is_empty() {
        return BTreeMap::new();
    }
    let image = image(&free, &staying, scale.distinct);
    let mut moved = BTreeMap::new();
    // Those that stay beyond the wanted number of values move as well.
    let stays: BTreeSet<&Key> = image.iter().copied().collect();
    let is_moving = |key: &&&Key| !stays.contains(**key);
    let surplus: Vec<&Key> = staying.iter().filter(is_moving).copied().collect();
    let mut all: Vec<&Key> = moving.into_iter().chain(surplus).collect();
    all.sort();
    for (place, key) in all.iter().enumerate() {
        if let Some(to) = image.get(place * image.len() / all.len()) {
            moved.insert((*key).clone(), (*to).clone());
        }
    }
    moved
}

/// The values that the sample will have: those that stay, filled up or thinned out evenly.
fn image<'a>(free: &[&'a Key], staying: &[&'a Key], distinct: usize) -> Vec<&'a Key> {
    let wanted = distinct.clamp(1, free.len());
    if staying.len() >= wanted {
        return evenly(staying, wanted);
    }
    let mut image: BTreeSet<&Key> = staying.iter().copied().collect();
    let others: Vec<&Key> = free
        .iter()
        .copied()
        .filter(|key| !image.contains(key))
        .collect();
    image.extend(evenly(&others, wanted - image.len()));
    image.into_iter().collect()
}

fn evenly<'a>(all: &[&'a Key], wanted: usize) -> Vec<&'a Key> {
    (0..wanted.min(all.len()))
        .filter_map(|i| all.get(i * all.len() / wanted.max(1)).copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: i128) -> Key {
        Key(vec![KeyValue::Number(number)])
    }

    #[test]
    fn references_scale_down_with_the_rows() {
        // 1,000 parents, of which every tenth chunk of ten is kept; one child row of each parent.
        let kept: BTreeSet<Key> = (0..1000).filter(|i| i / 10 % 10 == 3).map(key).collect();
        let observed: BTreeMap<Key, u64> = (0..1000).map(|i| (key(i), 1)).collect();
        let pinned = BTreeSet::from([key(30)]);
        let moved = remap(
            &observed,
            Scale {
                kept: &kept,
                pinned: &pinned,
                distinct: 100,
            },
        );
        let mut counts: BTreeMap<Key, u64> = BTreeMap::new();
        for (value, rows) in &observed {
            *counts
                .entry(moved.get(value).unwrap_or(value).clone())
                .or_default() += rows;
        }
        assert!(counts.keys().all(|key| kept.contains(key)));
        assert_eq!(counts.len(), 100);
        assert_eq!(
            counts[&key(30)],
            1,
            "a pinned key keeps its children and gets no others"
        );
        assert!(counts.values().all(|rows| *rows <= 12), "{counts:?}");
        let images: Vec<_> = moved.values().collect();
        assert!(images.is_sorted(), "the order of values is kept");
    }

    #[test]
    fn heavy_values_stay_heavy() {
        let kept: BTreeSet<Key> = (0..100).filter(|i| i % 10 == 0).map(key).collect();
        let mut observed: BTreeMap<Key, u64> = (0..100).map(|i| (key(i), 1)).collect();
        observed.insert(key(55), 300);
        let moved = remap(
            &observed,
            Scale {
                kept: &kept,
                pinned: &BTreeSet::new(),
                distinct: 10,
            },
        );
        let mut counts: BTreeMap<Key, u64> = BTreeMap::new();
        for (value, rows) in &observed {
            *counts
                .entry(moved.get(value).unwrap_or(value).clone())
                .or_default() += rows;
        }
        assert!(counts.values().any(|rows| *rows >= 300));
        assert_eq!(counts.values().sum::<u64>(), 399);
    }

    #[test]
    fn values_keep_their_bytes() {
        for text in [
            "7",
            "007",
            "-0",
            "-12",
            "+5",
            "abc",
            "",
            "340282366920938463463374607431768211456",
        ] {
            assert_eq!(KeyValue::of(text.as_bytes()).bytes(), text.as_bytes());
        }
    }
}
