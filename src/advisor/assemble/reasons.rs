//! Why an index is recommended, and why others were not, in words.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Judged;
use crate::advisor::candidate::{Candidate, Role};
use crate::advisor::effects::{self, Contribution};
use crate::model::units;

/// Queries that are named in a reason.
const NAMED: usize = 3;

impl Judged<'_> {
    /// The amount of the objective as it is written.
    pub(super) fn amount(&self, value: f64) -> String {
        if self.is_measured {
            units::duration(Duration::try_from_secs_f64(value.max(0.0)).unwrap_or(Duration::MAX))
        } else {
            format!("{} cost units", units::count(value))
        }
    }

    pub(super) fn why_replaced(
        &self,
        stand_ins: &[usize],
        chosen: &BTreeSet<usize>,
    ) -> Option<String> {
        let new = stand_ins.iter().find(|place| chosen.contains(place))?;
        Some(format!(
            "`{}`, which is created before, begins with the same parts and finds, sorts and covers \
             what it does",
            self.entries.get(*new)?.index().name
        ))
    }

    pub(super) fn why_create(&self, candidate: &Candidate, contribution: &Contribution) -> String {
        let roles: BTreeSet<Role> = candidate.origins.iter().map(|origin| origin.role).collect();
        let does: Vec<&str> = roles.iter().map(|role| role_phrase(*role)).collect();
        let mut does = match does.as_slice() {
            [] => "serves the workload".to_owned(),
            [one] => (*one).to_owned(),
            [first @ .., last] => format!("{} and {last}", first.join(", ")),
        };
        if let Some(first) = does.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let helped: Vec<&str> = contribution
            .effects
            .iter()
            .filter(|(_, factor)| *factor < 1.0)
            .filter_map(|(query, _)| self.workload.queries.get(*query))
            .map(|query| query.name.as_str())
            .collect();
        let named = helped
            .iter()
            .take(NAMED)
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ");
        let reason = match helped.len() {
            0 => format!("{does}."),
            n if n > NAMED => format!("{does} for {named} and {} more.", n - NAMED),
            _ => format!("{does} for {named}."),
        };
        reason + &self.why_together(&contribution.beside)
    }

    /// Which others are of no use without it, as a sentence that follows another.
    fn why_together(&self, beside: &[usize]) -> String {
        let entries = beside.iter().filter_map(|place| self.entries.get(*place));
        let names: Vec<String> = entries
            .map(|entry| format!("`{}` on {}", entry.index().name, entry.table().name))
            .collect();
        match names.as_slice() {
            [] => String::new(),
            [one] => format!(" Without it, the change of {one} does not pay either."),
            [first @ .., last] => format!(
                " Without it, the changes of {} and {last} do not pay either.",
                first.join(", ")
            ),
        }
    }

    pub(super) fn why_not(&self, place: usize, rival: &effects::Rival) -> String {
        let bytes = |place: usize| self.facts.get(place).map_or(0, |facts| facts.bytes);
        let (ours, theirs) = (bytes(place), bytes(rival.place));
        if rival.breaks_budget {
            return format!("{} would not fit the budget", units::bytes(theirs));
        }
        let size = match ours.cmp(&theirs) {
            std::cmp::Ordering::Less => format!(", and takes {} more", units::bytes(theirs - ours)),
            std::cmp::Ordering::Greater => {
                format!(", though it takes {} less", units::bytes(ours - theirs))
            }
            std::cmp::Ordering::Equal => String::new(),
        };
        if rival.worse > 0.0 {
            format!("leaves {} more{size}", self.amount(rival.worse))
        } else {
            format!("gains nothing over it{size}")
        }
    }
}

fn role_phrase(role: Role) -> &'static str {
    match role {
        Role::Filter => "finds rows",
        Role::Join => "finds the rows of a join",
        Role::Order => "gives rows in order",
        Role::Group => "puts groups next to one another",
        Role::Covering => "answers without the table",
        Role::Branch => "serves one branch of an OR",
        Role::Merged => "serves several queries at once",
        Role::ForeignKey => "supports a foreign key",
    }
}
