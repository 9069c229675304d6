//! Which plans can be asked for with the same indexes visible: showing and hiding costs more than
//! a plan.

use super::graph::Set;

/// One set of indexes of one query to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ask {
    /// Which query.
    pub(super) query: usize,
    /// What it may use and is to be there.
    pub(super) shown: Set,
    /// What it might use and is to be hidden.
    pub(super) hidden: Set,
}

/// Asks that do not contradict one another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Group {
    /// What is to be there for any of them.
    pub(super) shown: Set,
    /// What is to be hidden for any of them.
    pub(super) hidden: Set,
    /// The asks, in their order.
    pub(super) asks: Vec<Ask>,
}

impl Group {
    fn admits(&self, ask: &Ask) -> bool {
        self.hidden.is_disjoint(&ask.shown) && self.shown.is_disjoint(&ask.hidden)
    }

    fn add(&mut self, ask: Ask) {
        self.shown.extend(&ask.shown);
        self.hidden.extend(&ask.hidden);
        self.asks.push(ask);
    }
}

/// Puts each ask into the first group that it does not contradict.
#[must_use]
pub(super) fn groups(asks: impl IntoIterator<Item = Ask>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for ask in asks {
        if let Some(group) = groups.iter_mut().find(|group| group.admits(&ask)) {
            group.add(ask);
        } else {
            let mut group = Group::default();
            group.add(ask);
            groups.push(group);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ask(query: usize, shown: &[usize], hidden: &[usize]) -> Ask {
        Ask {
            query,
            shown: shown.iter().copied().collect(),
            hidden: hidden.iter().copied().collect(),
        }
    }

    #[test]
    fn strangers_and_the_like_minded_go_together() {
        let all = [
            ask(0, &[1, 2], &[3]),
            ask(1, &[7], &[8]),
            ask(2, &[3], &[]),
            ask(3, &[2], &[3]),
        ];
        let groups: Vec<Vec<usize>> = groups(all)
            .iter()
            .map(|group| group.asks.iter().map(|ask| ask.query).collect())
            .collect();
        assert_eq!(groups, [vec![0, 1, 3], vec![2]]);
    }

    proptest! {
        #[test]
        fn every_ask_is_in_one_group_that_grants_it(
            all in proptest::collection::vec((0_usize..20, proptest::collection::btree_map(0_usize..12, proptest::bool::ANY, 0..8)), 0..40)
        ) {
            let asks: Vec<Ask> = all
                .iter()
                .map(|(query, wanted)| Ask {
                    query: *query,
                    shown: wanted.iter().filter(|(_, shown)| **shown).map(|(at, _)| *at).collect(),
                    hidden: wanted.iter().filter(|(_, shown)| !**shown).map(|(at, _)| *at).collect(),
                })
                .collect();
            let groups = groups(asks.clone());
            prop_assert_eq!(groups.iter().map(|group| group.asks.len()).sum::<usize>(), asks.len());
            for group in &groups {
                prop_assert!(group.shown.is_disjoint(&group.hidden));
                for ask in &group.asks {
                    prop_assert!(ask.shown.is_subset(&group.shown));
                    prop_assert!(ask.hidden.is_subset(&group.hidden));
                }
            }
        }
    }
}
