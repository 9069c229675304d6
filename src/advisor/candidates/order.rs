//! Orders of key parts that are not decided yet: what may go in any order stays a set, so that one
//! index can serve several queries. After the partial orders of AIM (field notes).

use std::collections::BTreeSet;

use crate::model::schema::KeyPart;

/// Sets of key parts: those of the first set come first, in any order, then the second's.
pub(super) type Steps = Vec<BTreeSet<KeyPart>>;

/// The steps from their sets, without empty ones.
pub(super) fn steps(sets: impl IntoIterator<Item = BTreeSet<KeyPart>>) -> Steps {
    sets.into_iter().filter(|set| !set.is_empty()).collect()
}

/// The number of key parts.
pub(super) fn width(steps: &Steps) -> usize {
    steps.iter().map(BTreeSet::len).sum()
}

/// The order that serves both: every total order of it begins with a total order of the shorter
/// and with one of the longer. `None` where there is none.
pub(super) fn merge(one: &Steps, other: &Steps) -> Option<Steps> {
    let mut merged = Steps::new();
    let (mut left, mut right) = (one.iter().cloned(), other.iter().cloned());
    let (mut here, mut there) = (left.next(), right.next());
    loop {
        match (here, there) {
            (None, None) => return Some(merged),
            (Some(rest), None) => {
                merged.push(rest);
                merged.extend(left);
                return Some(merged);
            }
            (None, Some(rest)) => {
                merged.push(rest);
                merged.extend(right);
                return Some(merged);
            }
            (Some(a), Some(b)) if a.is_subset(&b) => {
                let rest: BTreeSet<_> = b.difference(&a).cloned().collect();
                merged.push(a);
                here = left.next();
                there = if rest.is_empty() {
                    right.next()
                } else {
                    Some(rest)
                };
            }
            (Some(a), Some(b)) if b.is_subset(&a) => {
                let rest: BTreeSet<_> = a.difference(&b).cloned().collect();
                merged.push(b);
                there = right.next();
                here = Some(rest);
            }
            _ => return None,
        }
    }
}

/// Variants of one order at most; each more would be one more way to begin.
const MAX_VARIANTS: usize = 3;

/// All refinements of `order` in which it also serves as many of `others` as it can: taken in
/// their order, until nothing changes. One that contradicts the first refinement begins another.
/// Each comes with the places of the others that it serves.
pub(super) fn refine(order: &Steps, others: &[Steps]) -> Vec<(Steps, Vec<usize>)> {
    let wide = width(order);
    let serve: Vec<usize> = (0..others.len())
        .filter(|place| width(&others[*place]) <= wide)
        .filter(|place| others[*place] != *order && merge(order, &others[*place]).is_some())
        .collect();
    let mut variants: Vec<(Steps, Vec<usize>)> = Vec::new();
    let mut unserved: Option<usize> = None;
    loop {
        let mut refined = order.clone();
        let mut served = Vec::new();
        let first = unserved.into_iter();
        for place in first.chain(serve.iter().copied()) {
            if served.contains(&place) {
                continue;
            }
            if let Some(merged) = merge(&refined, &others[place]) {
                refined = merged;
                served.push(place);
            }
        }
        served.sort_unstable();
        variants.push((refined, served));
        unserved = serve
            .iter()
            .copied()
            .find(|place| variants.iter().all(|(_, served)| !served.contains(place)));
        if unserved.is_none() || variants.len() >= MAX_VARIANTS {
            return variants;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `"ab,c"` is `{a, b}` then `{c}`.
    fn of(text: &str) -> Steps {
        steps(text.split(',').map(|set| {
            set.chars()
                .map(|name| KeyPart::column(name.to_string()))
                .collect()
        }))
    }

    fn show(steps: &Steps) -> String {
        let sets: Vec<String> = steps
            .iter()
            .map(|set| set.iter().filter_map(KeyPart::column_name).collect())
            .collect();
        sets.join(",")
    }

    #[test]
    fn two_orders_merge_when_one_total_order_serves_both() {
        for (one, other, expected) in [
            ("ab", "a", Some("a,b")),
            ("ab", "b", Some("b,a")),
            ("ab", "c", None),
            ("ab", "ab", Some("ab")),
            ("abc", "ab,c", Some("ab,c")),
            ("abc,d", "b,ac,d,e", Some("b,ac,d,e")),
            ("a,b", "b,a", None),
            ("ab", "bc", None),
            ("a", "a,b,c", Some("a,b,c")),
            ("ab,c", "a,b,c", Some("a,b,c")),
            ("ab,c", "a,c", None),
        ] {
            let merged = merge(&of(one), &of(other));
            assert_eq!(
                merged.as_ref().map(show).as_deref(),
                expected,
                "{one} + {other}"
            );
            let turned = merge(&of(other), &of(one));
            assert_eq!(
                turned.as_ref().map(show).as_deref(),
                expected,
                "{other} + {one}"
            );
        }
    }

    #[test]
    fn refining_serves_what_it_can_and_begins_anew_for_the_rest() {
        let others = [of("a"), of("b"), of("ab"), of("x")];
        let found: Vec<_> = refine(&of("abc"), &others)
            .into_iter()
            .map(|(steps, served)| (show(&steps), served))
            .collect();
        assert_eq!(
            found,
            [
                ("a,b,c".to_owned(), vec![0, 2]),
                ("b,a,c".to_owned(), vec![1, 2])
            ]
        );
    }

    fn any_order() -> impl Strategy<Value = Steps> {
        (
            Just(vec!['a', 'b', 'c', 'd', 'e']).prop_shuffle(),
            proptest::collection::vec(1_usize..3, 1..4),
        )
            .prop_map(|(names, sizes)| {
                let mut names = names.into_iter();
                steps(sizes.into_iter().map(|size| {
                    names
                        .by_ref()
                        .take(size)
                        .map(|name| KeyPart::column(name.to_string()))
                        .collect()
                }))
            })
    }

    /// Whether a total order satisfies a partial one as far as that goes.
    fn satisfies(total: &[KeyPart], order: &Steps) -> bool {
        let mut at = 0;
        order.iter().all(|set| {
            let here: BTreeSet<_> = total.iter().skip(at).take(set.len()).cloned().collect();
            at += set.len();
            here == *set
        })
    }

    proptest! {
        #[test]
        fn every_total_order_of_a_merge_satisfies_both(one in any_order(), other in any_order()) {
            if let Some(merged) = merge(&one, &other) {
                let total: Vec<KeyPart> = merged.iter().flatten().cloned().collect();
                let turned: Vec<KeyPart> =
                    merged.iter().flat_map(|set| set.iter().rev()).cloned().collect();
                for total in [total, turned] {
                    prop_assert!(satisfies(&total, &one));
                    prop_assert!(satisfies(&total, &other));
                }
            }
        }

        #[test]
        fn refining_keeps_the_columns(one in any_order(), others in proptest::collection::vec(any_order(), 0..5)) {
            let all: BTreeSet<_> = one.iter().flatten().cloned().collect();
            for (refined, _) in refine(&one, &others) {
                let now: BTreeSet<_> = refined.iter().flatten().cloned().collect();
                prop_assert_eq!(&now, &all);
                let total: Vec<KeyPart> = refined.iter().flatten().cloned().collect();
                prop_assert!(satisfies(&total, &one));
            }
        }
    }
}
