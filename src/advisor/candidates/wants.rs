//! What one query block wants of the indexes of one table, as orders of sets of key parts.

use std::collections::BTreeSet;

use super::conditions::{Conditions, MAX_RANGES, Parts};
use super::order::{Steps, steps};
use super::table::Ground;
use crate::advisor::candidate::Role;
use crate::advisor::shape::{Block, Join, Op, TableUse};
use crate::model::schema::KeyPart;

/// Subsets of join columns tried for each table of a block.
const MAX_JOINS: usize = 6;

/// An order that is wanted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Want {
    /// What comes first, next, and so on.
    pub(super) steps: Steps,
    /// What for.
    pub(super) role: Role,
}

/// All that `used` wants, the most promising first, each once.
pub(super) fn wants(ground: &mut Ground<'_>, block: &Block, used: &TableUse) -> Vec<Want> {
    let mut conditions = Conditions::of(ground, &used.predicates);
    let (outer, inner): (Vec<&Join>, Vec<&Join>) = used
        .joins
        .iter()
        .partition(|join| !block.tables.iter().any(|other| other.alias == join.other));
    let mut list = List {
        weak: weak(ground, used),
        ..List::default()
    };
    let alone = conditions.clone();
    // A column of an outer block is one value at each run of this one.
    for join in outer {
        add_single(ground, &mut conditions, join);
    }
    filter(ground, &mut list, &conditions, Role::Filter);
    if alone.single != conditions.single {
        filter(ground, &mut list, &alone, Role::Filter);
    }
    joins(ground, &mut list, &conditions, &inner);
    ordering(ground, &mut list, &conditions, used);
    branches(ground, &mut list, &conditions, used);
    covering(ground, &mut list, used);
    list.wants
}

fn add_single(ground: &mut Ground<'_>, conditions: &mut Conditions, join: &Join) {
    let Some(part) = ground.part(&join.what, Op::Equal, &[]) else {
        return;
    };
    if part.prefix.is_some() {
        conditions.prefixes.push(part);
    } else {
        conditions.many.remove(&part);
        conditions.ranges.retain(|other| *other != part);
        conditions.single.insert(part);
    }
}

/// Columns that are asked to be NULL and mostly are: they tell next to nothing apart, so that an
/// index that begins with one is a detour over most of the table.
fn weak(ground: &mut Ground<'_>, used: &TableUse) -> Parts {
    let nulls = used.predicates.iter().filter(|one| one.op == Op::IsNull);
    let parts: Vec<KeyPart> = nulls
        .filter_map(|one| ground.part(&one.what, Op::IsNull, &[]))
        .collect();
    parts
        .into_iter()
        .filter(|part| ground.is_mostly_null(part))
        .collect()
}

#[derive(Default)]
struct List {
    wants: Vec<Want>,
    weak: Parts,
}

impl List {
    fn add(&mut self, sets: impl IntoIterator<Item = Parts>, role: Role) {
        let steps = steps(self.led(sets));
        if steps.is_empty() || repeats(&steps) {
            return;
        }
        let want = Want { steps, role };
        if !self.wants.contains(&want) {
            self.wants.push(want);
        }
    }
}

impl List {
    /// The sets with weak columns behind selective ones, where they narrow a little and keep the
    /// order; nothing when there are no others.
    fn led(&self, sets: impl IntoIterator<Item = Parts>) -> Vec<Parts> {
        let mut led: Vec<Parts> = Vec::new();
        let mut late = Parts::new();
        for set in sets {
            let (weak, strong): (Parts, Parts) =
                set.into_iter().partition(|part| self.weak.contains(part));
            if !strong.is_empty() {
                led.push(strong);
            }
            if led.is_empty() {
                late.extend(weak);
            } else if !weak.is_empty() {
                led.push(weak);
            }
        }
        if !led.is_empty() && !late.is_empty() {
            led.push(late);
        }
        led
    }
}

/// Whether a column stands in it twice.
fn repeats(steps: &Steps) -> bool {
    let mut seen = BTreeSet::new();
    steps.iter().flatten().any(|part| !seen.insert(&part.what))
}

fn one(part: &KeyPart) -> Parts {
    BTreeSet::from([part.clone()])
}

/// Equalities, then one range.
fn filter(ground: &Ground<'_>, list: &mut List, conditions: &Conditions, role: Role) {
    let points = conditions.points();
    if ground.is_unique(&conditions.single) {
        return;
    }
    list.add([points.clone()], role);
    for last in conditions
        .ranges
        .iter()
        .chain(&conditions.prefixes)
        .chain(&conditions.arrays)
    {
        list.add([points.clone(), one(last)], role);
    }
    // An array or a long string by itself, for when the equalities are not selective.
    for last in conditions.arrays.iter().chain(&conditions.prefixes) {
        list.add([one(last)], role);
    }
    if conditions.many.is_empty() || conditions.single.is_empty() {
        return;
    }
    list.add([conditions.single.clone()], role);
}

/// Each join by itself and all with one table, each with and without the equalities.
fn joins(ground: &mut Ground<'_>, list: &mut List, conditions: &Conditions, inner: &[&Join]) {
    let mut subsets: Vec<Parts> = Vec::new();
    let mut prefixes = Vec::new();
    let mut others: Vec<&str> = inner.iter().map(|join| join.other.as_str()).collect();
    others.sort_unstable();
    others.dedup();
    let mut by_other = vec![Parts::new(); others.len()];
    for join in inner {
        match ground.part(&join.what, Op::Equal, &[]) {
            Some(part) if part.prefix.is_some() => prefixes.push(part),
            Some(part) => {
                let at = others.iter().position(|other| *other == join.other);
                if let Some(set) = at.and_then(|at| by_other.get_mut(at)) {
                    set.insert(part.clone());
                }
                subsets.push(one(&part));
            }
            None => {}
        }
    }
    let all: Parts = subsets.iter().flatten().cloned().collect();
    // What all columns of one join find together is the most selective.
    let mut ordered = by_other;
    ordered.push(all);
    ordered.extend(subsets);
    let mut seen = BTreeSet::new();
    ordered.retain(|set| !set.is_empty() && seen.insert(set.clone()));
    ordered.truncate(MAX_JOINS);
    for set in ordered {
        if ground.is_unique(&set) {
            continue;
        }
        list.add([set.clone()], Role::Join);
        let mut with = conditions.clone();
        with.single.extend(set);
        with.many = with.many.difference(&with.single).cloned().collect();
        filter(ground, list, &with, Role::Join);
    }
    for part in prefixes.iter().take(MAX_RANGES) {
        list.add([conditions.points(), one(part)], Role::Join);
        list.add([one(part)], Role::Join);
    }
}

/// `GROUP BY`, `ORDER BY`, `MIN` and `MAX` behind the equalities that keep the order.
fn ordering(ground: &mut Ground<'_>, list: &mut List, conditions: &Conditions, used: &TableUse) {
    let single = &conditions.single;
    if ground.is_unique(single) {
        return;
    }
    let order = sequence(ground, &used.order, single);
    let group = sequence(ground, &used.group, single)
        .map(|parts| parts.into_iter().map(ascending).collect::<Parts>());
    let rest: Parts = conditions
        .many
        .iter()
        .chain(&conditions.ranges)
        .cloned()
        .collect();
    if let Some(order) = &order {
        let order: Vec<Parts> = one_way(order).iter().map(one).collect();
        behind(list, single, &order, &rest, Role::Order);
    }
    if let Some(group) = &group {
        behind(
            list,
            single,
            std::slice::from_ref(group),
            &rest,
            Role::Group,
        );
        // Sorted the same way, the groups come in the order that is asked for.
        let named: Vec<KeyPart> = order.iter().flatten().cloned().map(ascending).collect();
        let is_same_way = order.as_ref().is_some_and(|order| !is_mixed(order));
        if is_same_way && named.iter().all(|part| group.contains(part)) {
            let mut sets: Vec<Parts> = named.iter().map(one).collect();
            sets.push(
                group
                    .iter()
                    .filter(|part| !named.contains(part))
                    .cloned()
                    .collect(),
            );
            behind(list, single, &sets, &rest, Role::Group);
        }
    }
    for extreme in used.extremes.iter().take(MAX_RANGES) {
        let Some(extreme) = ground.sorted(extreme).map(ascending) else {
            continue;
        };
        if single.contains(&extreme) {
            continue;
        }
        list.add([single.clone(), one(&extreme)], Role::Order);
        if let Some(group) = &group
            && !group.contains(&extreme)
        {
            list.add([single.clone(), group.clone(), one(&extreme)], Role::Group);
        }
    }
}

/// The sequence behind the equalities, by itself, and with what else is filtered at its end.
fn behind(list: &mut List, single: &Parts, sequence: &[Parts], rest: &Parts, role: Role) {
    let with = |first: &Parts, last: Parts| {
        let mut sets = vec![first.clone()];
        sets.extend(sequence.iter().cloned());
        sets.push(last);
        sets
    };
    let ordered: BTreeSet<_> = sequence.iter().flatten().map(|part| &part.what).collect();
    let rest: Parts = rest
        .iter()
        .filter(|part| !ordered.contains(&part.what))
        .cloned()
        .collect();
    list.add(with(single, Parts::new()), role);
    if !rest.is_empty() {
        list.add(with(single, rest), role);
    }
    if !single.is_empty() {
        list.add(with(&Parts::new(), Parts::new()), role);
    }
}

/// The parts to sort by without those that have one value; `None` when an index can't give the
/// order, or when nothing is left.
fn sequence(ground: &mut Ground<'_>, wanted: &[KeyPart], single: &Parts) -> Option<Vec<KeyPart>> {
    let mut found: Vec<KeyPart> = Vec::new();
    for part in wanted {
        let part = ground.sorted(part)?;
        let is_constant = single.iter().any(|one| one.what == part.what);
        let is_repeated = found.iter().any(|other| other.what == part.what);
        if !is_constant && !is_repeated {
            found.push(part);
        }
    }
    (!found.is_empty()).then_some(found)
}

fn ascending(part: KeyPart) -> KeyPart {
    KeyPart {
        is_descending: false,
        ..part
    }
}

fn is_mixed(parts: &[KeyPart]) -> bool {
    parts.iter().any(|part| part.is_descending) && parts.iter().any(|part| !part.is_descending)
}

/// The same order with as few descending parts as can be: an index is read backward as well.
fn one_way(parts: &[KeyPart]) -> Vec<KeyPart> {
    let descending = parts.iter().filter(|part| part.is_descending).count();
    let turns = descending * 2 > parts.len()
        || (descending * 2 == parts.len() && parts.first().is_some_and(|part| part.is_descending));
    parts
        .iter()
        .map(|part| KeyPart {
            is_descending: part.is_descending != turns,
            ..part.clone()
        })
        .collect()
}

/// One index for each branch of an OR, with and without the conditions that hold for all.
fn branches(ground: &mut Ground<'_>, list: &mut List, conditions: &Conditions, used: &TableUse) {
    for branches in &used.ors {
        for branch in branches {
            let own = Conditions::of(ground, branch);
            filter(ground, list, &own, Role::Branch);
            let points = conditions.points();
            if !points.is_empty() {
                let mut both = own.clone();
                both.single.extend(conditions.single.iter().cloned());
                both.many.extend(conditions.many.iter().cloned());
                both.many = both.many.difference(&both.single).cloned().collect();
                filter(ground, list, &both, Role::Branch);
            }
        }
    }
}

/// Each of the wants again, with the other columns that the block reads at its end.
fn covering(ground: &Ground<'_>, list: &mut List, used: &TableUse) {
    let Some(all) = ground.whole_columns(&used.columns) else {
        return;
    };
    let plain: Vec<Want> = list.wants.clone();
    for want in plain {
        if want.role == Role::Branch || !Ground::may_cover(&want.steps) {
            continue;
        }
        let has: BTreeSet<_> = want.steps.iter().flatten().map(|part| &part.what).collect();
        let rest: Parts = all
            .iter()
            .filter(|part| !has.contains(&part.what) && !ground.is_in_primary_key(part))
            .cloned()
            .collect();
        if rest.is_empty() {
            continue;
        }
        let mut steps = want.steps.clone();
        steps.push(rest);
        if ground.is_worth_covering(&steps) {
            list.add(steps, Role::Covering);
        }
    }
    // Reading an index instead of the table where nothing is filtered or sorted.
    if list.wants.is_empty() && ground.is_worth_covering(&vec![all.clone()]) {
        list.add([all], Role::Covering);
    }
}
