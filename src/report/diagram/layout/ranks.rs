//! The column of each table: right of all tables that it refers to.

/// Which table refers to which, by their places; both lists have an entry for each table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ranks {
    /// Column of each table, from the left.
    pub(super) rank: Vec<usize>,
    /// Number of columns.
    pub(super) count: usize,
}

/// Columns for tables of these heights with these `(parent, child)` links, so that no column is
/// much higher than `room`. Circles are broken where they are found.
pub(super) fn of(heights: &[f64], links: &[(usize, usize)], room: f64) -> Ranks {
    let links = acyclic(heights.len(), links);
    let order = topological(heights.len(), &links);
    let mut rank = vec![0_usize; heights.len()];
    for place in &order {
        for (_, child) in links.iter().filter(|(parent, _)| parent == place) {
            rank[*child] = rank[*child].max(rank[*place] + 1);
        }
    }
    tighten(&mut rank, &order, &links);
    let mut ranks = Ranks {
        count: rank.iter().max().map_or(0, |highest| highest + 1),
        rank,
    };
    split(&mut ranks, heights, &links, room);
    ranks
}

/// The links without those to themselves, and turned where they close a circle.
pub(super) fn acyclic(count: usize, links: &[(usize, usize)]) -> Vec<(usize, usize)> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done,
    }
    let mut children = vec![Vec::new(); count];
    let mut parents = vec![0_usize; count];
    for (parent, child) in links.iter().filter(|(parent, child)| parent != child) {
        children[*parent].push(*child);
        parents[*child] += 1;
    }
    let mut state = vec![State::New; count];
    let mut turned = std::collections::BTreeSet::new();
    let mut starts: Vec<usize> = (0..count).collect();
    // Tables that refer to nothing begin, so that as few links as possible are turned.
    starts.sort_by_key(|place| (parents[*place], *place));
    for start in starts {
        if state[start] != State::New {
            continue;
        }
        state[start] = State::Open;
        let mut path = vec![(start, 0_usize)];
        while let Some((place, next)) = path.last_mut() {
            let place = *place;
            let Some(child) = children[place].get(*next).copied() else {
                state[place] = State::Done;
                path.pop();
                continue;
            };
            *next += 1;
            match state[child] {
                State::New => {
                    state[child] = State::Open;
                    path.push((child, 0));
                }
                State::Open => {
                    turned.insert((place, child));
                }
                State::Done => {}
            }
        }
    }
    links
        .iter()
        .filter(|(parent, child)| parent != child)
        .map(|(parent, child)| {
            if turned.contains(&(*parent, *child)) {
                (*child, *parent)
            } else {
                (*parent, *child)
            }
        })
        .collect()
}

/// Every table behind all of its parents.
fn topological(count: usize, links: &[(usize, usize)]) -> Vec<usize> {
    let mut waits = vec![0_usize; count];
    for (_, child) in links {
        waits[*child] += 1;
    }
    let mut order: Vec<usize> = (0..count).filter(|place| waits[*place] == 0).collect();
    let mut next = 0;
    while let Some(place) = order.get(next).copied() {
        next += 1;
        for (_, child) in links.iter().filter(|(parent, _)| *parent == place) {
            waits[*child] -= 1;
            if waits[*child] == 0 {
                order.push(*child);
            }
        }
    }
    order
}

/// Moves tables with more children than parents to the right, next to their nearest child.
fn tighten(rank: &mut [usize], order: &[usize], links: &[(usize, usize)]) {
    for place in order.iter().rev() {
        let children = || links.iter().filter(|(parent, _)| parent == place);
        let parents = links.iter().filter(|(_, child)| child == place).count();
        let nearest = children().map(|(_, child)| rank[*child]).min();
        if let Some(nearest) = nearest
            && children().count() > parents
        {
            rank[*place] = rank[*place].max(nearest.saturating_sub(1));
        }
    }
}

/// Makes two columns of one that is too high, as often as needed. Tables without children stay at
/// the left, next to their parents; the others go on next to their children.
fn split(ranks: &mut Ranks, heights: &[f64], links: &[(usize, usize)], room: f64) {
    let mut children = vec![0_usize; heights.len()];
    for (parent, _) in links {
        children[*parent] += 1;
    }
    let mut column = 0;
    while column < ranks.count {
        let mut here: Vec<usize> = (0..heights.len())
            .filter(|place| ranks.rank[*place] == column)
            .collect();
        let total: f64 = here.iter().map(|place| heights[*place]).sum();
        if total > room && here.len() > 1 {
            here.sort_by_key(|place| (children[*place], *place));
            let columns = (total / room).ceil().max(2.0);
            let share = total / columns;
            let mut filled = 0.0;
            let stay = here
                .iter()
                .take_while(|place| {
                    let fits = filled < share - heights[**place] / 2.0;
                    filled += heights[**place];
                    fits
                })
                .count()
                .max(1);
            for rank in &mut ranks.rank {
                if *rank > column {
                    *rank += 1;
                }
            }
            for place in &here[stay..] {
                ranks.rank[*place] = column + 1;
            }
            ranks.count += 1;
        }
        column += 1;
    }
}
