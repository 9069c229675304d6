//! Files against ledger against database, in both directions, table by table.

use std::collections::BTreeSet;

use super::facets::columns;
use super::files::{self, Entry};
use super::ledger::{self, Row};
use super::rules;
use super::status::{is_in_force, stands};
use crate::model::check::{Checked, Found, Spot};
use crate::model::ledger::State;
use crate::model::schema::{Catalog, Index, Table};

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// The definitions.
    pub entries: &'a [Entry],
    /// The ledgers of all schemas that they are about.
    pub ledger: &'a [Row],
    /// The database.
    pub catalog: &'a Catalog,
    /// Schema of definitions that name none.
    pub default_schema: &'a str,
    /// The active profile.
    pub profile: &'a str,
}

/// Everything in which files, ledger and database differ. `folder` is put before the names of
/// files; `with_unmanaged`: indexes that nobody wrote down count as well.
#[must_use]
pub fn drift(sides: &Sides, folder: &str, with_unmanaged: bool) -> Checked {
    let mut subjects = BTreeSet::new();
    let mut found = Vec::new();
    for stand in stands(
        sides.entries,
        sides.ledger,
        sides.catalog,
        sides.default_schema,
    ) {
        let table = stand.state.table.to_string();
        let path = stand.state.file.as_ref();
        let path = path.map(|file| files::path_of(folder, file));
        let new = |rule, message, remedy| Found {
            rule,
            subject: table.clone(),
            spot: path.clone().map(|file| Spot {
                file,
                line: 1,
                column: 1,
            }),
            object: Some(format!("{table}.{}", stand.state.index)),
            message,
            remedy,
        };
        let entry = sides
            .entries
            .iter()
            .find(|entry| Some(&entry.file) == stand.state.file.as_ref());
        if let Some(entry) = entry
            && !entry.is_for(sides.profile)
            && is_in_force(stand.state.state)
        {
            found.push(new(
                &rules::OTHER_PROFILE,
                format!(
                    "version {} is for {}, and is applied in profile `{}`",
                    entry.version,
                    crate::config::mistake::listed(entry.terms.profiles.iter().map(String::as_str)),
                    sides.profile
                ),
                format!(
                    "`mydex index rollback --only {} --execute` takes it back",
                    entry.version
                ),
            ));
        }
        for broken in stand.broken {
            found.push(new(broken.rule, broken.message, broken.remedy));
        }
        subjects.insert(table);
    }
    for (table, index) in unmanaged(sides) {
        subjects.insert(table.name.to_string());
        if with_unmanaged {
            found.push(unknown(table, index));
        }
    }
    found.sort_by(|one, other| {
        let place = |found: &Found| (found.subject.clone(), found.object.clone());
        place(one)
            .cmp(&place(other))
            .then(one.rule.code.cmp(other.rule.code))
    });
    Checked {
        name: "index drift".to_owned(),
        rules: rules::OF_DRIFT.to_vec(),
        subjects: subjects.into_iter().collect(),
        found,
        notes: Vec::new(),
    }
}

/// The secondary indexes that neither a definition nor the ledger knows, in the order of tables.
#[must_use]
pub fn unmanaged<'a>(sides: &Sides<'a>) -> Vec<(&'a Table, &'a Index)> {
    let known: BTreeSet<(String, String, String)> = sides
        .entries
        .iter()
        .map(|entry| {
            let table = entry.definition.table_name(sides.default_schema);
            (table, &entry.definition.index.name)
        })
        .chain(
            sides
                .ledger
                .iter()
                .filter(|row| row.state != State::Pending)
                .map(|row| (row.table.clone(), &row.index)),
        )
        .map(|(table, index)| (table.schema, table.name, index.to_lowercase()))
        .collect();
    let is_ours = |name: &str| name == ledger::TABLE || name == ledger::STEPS;
    sides
        .catalog
        .tables
        .values()
        .filter(|table| !is_ours(&table.name.name))
        .flat_map(|table| table.indexes.iter().map(move |index| (table, index)))
        .filter(|(table, index)| {
            let key = (
                table.name.schema.clone(),
                table.name.name.clone(),
                index.name.to_lowercase(),
            );
            !index.is_primary() && !known.contains(&key)
        })
        .collect()
}

fn unknown(table: &Table, index: &Index) -> Found {
    let name = &table.name;
    Found {
        rule: &rules::UNMANAGED,
        subject: name.to_string(),
        spot: None,
        object: Some(format!("{name}.{}", index.name)),
        message: format!(
            "index `{}` on `{name}` has no definition: `{}`",
            index.name,
            columns(&index.parts)
        ),
        remedy: format!(
            "`mydex index adopt --table {} --execute` writes one",
            name.name
        ),
    }
}

#[cfg(test)]
mod tests;
