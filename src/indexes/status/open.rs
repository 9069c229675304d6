//! Definitions that are not in force, against what is there.

use super::{Book, Broken, Known, key};
use crate::indexes::facets::{self, is_same_structure};
use crate::indexes::files::Entry;
use crate::indexes::ledger::Row;
use crate::indexes::reconcile::Stage;
use crate::indexes::rules;
use crate::model::advice::Action;
use crate::model::ledger::{DefinitionState, State};
use crate::model::schema::Index;

impl Book<'_> {
    /// What is not in force, against what is there.
    pub(super) fn open(
        &self,
        one: &Known,
        state: &DefinitionState,
        found: Option<&Index>,
        broken: &mut Vec<Broken>,
    ) {
        let Some(entry) = one.entry else { return };
        if state.state == State::Unfinished {
            return;
        }
        let own = key(&state.table, &state.index);
        let is_taken_back = matches!(state.state, State::RolledBack | State::Rejected);
        // An index that another version made or dropped is that one's matter.
        let other_in_force = self.last.contains_key(&own);
        if is_taken_back {
            let is_hidden = one.row.is_some_and(Row::is_hidden_by_guard);
            if is_hidden && found.is_none_or(|found| !found.is_visible) {
                // The ledger says so, and so it is.
                return;
            }
            // What was there before the definition, or was not, was rightly left so.
            let was_so = one.row.is_some_and(|row| row.stage == Stage::Equal);
            let had_index = one.row.is_some_and(|row| row.before.is_some());
            if !other_in_force && !was_so {
                taken_back(entry, state, (found, had_index), broken);
            }
            return;
        }
        let before = self.known.iter().rev().find(|other| {
            other.version() < state.version
                && matches!(
                    other.state(),
                    State::Pending | State::Unfinished | State::Soaking
                )
                && other.entry.is_some_and(|earlier| {
                    let table = earlier.definition.table_name(self.default_schema);
                    key(&table, &earlier.definition.index.name) == own
                })
        });
        // What comes before it changes the index first; `lint` looks at that.
        if before.is_none() {
            pending(entry, state, found, broken);
        }
    }
}

fn taken_back(
    entry: &Entry,
    state: &DefinitionState,
    (found, had_index): (Option<&Index>, bool),
    broken: &mut Vec<Broken>,
) {
    let name = format!("`{}` on `{}`", state.index, state.table);
    let version = state.version;
    match (state.action, found) {
        // It was there before the definition, which made it visible or invisible only.
        (Action::Create, None) if had_index => broken.push(Broken::new(
            &rules::NOT_RESTORED,
            format!(
                "index {name} is gone, though it was there before version {version}, which was taken \
                 back"
            ),
            format!("`mydex index apply --only {version} --execute` makes it anew"),
        )),
        (Action::Create, Some(found))
            if !had_index && is_same_structure(&entry.definition.index, found) =>
        {
            broken.push(Broken::new(
                &rules::STILL_THERE,
                format!("index {name} is there, though version {version} was taken back"),
                format!("`mydex index apply --only {version} --execute` takes it over; or drop it"),
            ));
        }
        (Action::Drop, None) => broken.push(Broken::new(
            &rules::NOT_RESTORED,
            format!("index {name} is gone, though its drop, version {version}, was taken back"),
            format!(
                "`mydex index apply --only {version} --execute` records that; or make it again"
            ),
        )),
        _ => {}
    }
}

fn pending(
    entry: &Entry,
    state: &DefinitionState,
    found: Option<&Index>,
    broken: &mut Vec<Broken>,
) {
    let name = format!("`{}` on `{}`", state.index, state.table);
    let wanted = &entry.definition.index;
    match (state.action, found) {
        (Action::Create, Some(found)) if is_same_structure(wanted, found) => {
            broken.push(Broken::new(
                &rules::EXISTS,
                format!("index {name} is there already, and the ledger does not know it"),
                "`mydex index apply --execute` finds it and records it",
            ));
        }
        (Action::Create, Some(found)) => broken.push(Broken::new(
            &rules::NAME_TAKEN,
            format!(
                "index {name} is there with other columns: `{}`",
                facets::columns(&found.parts)
            ),
            "give the new one another name, or write a definition before it that drops the old one",
        )),
        (Action::Drop, None) => broken.push(Broken::new(
            &rules::NO_INDEX,
            format!("there is no index {name} to drop"),
            "correct `index` or `table`, or leave the definition out",
        )),
        _ => {}
    }
}
