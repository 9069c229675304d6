//! A folder of definitions as values: the names of its files, what is wrong with them together,
//! and which new ones are needed.

use std::collections::BTreeMap;

use super::definition::Definition;
use super::parse;
use crate::config::mistake::{Mistake, Place};
use crate::model::advice::Action;
use crate::model::schema::{KeyPart, Part};

/// Highest version.
pub const MAX_VERSION: u32 = 999_999_999;

/// Characters of a file's name, without its number, at most, where it is made here.
const MAX_NAME: usize = 60;

/// The same where it is read: the ledger has room for so many.
const MAX_READ_NAME: usize = 100;

/// A definition with its place in the order.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The number that its file begins with; changes are applied in this order.
    pub version: u32,
    /// The name behind the number.
    pub name: String,
    /// The file's name.
    pub file: String,
    /// What it says.
    pub definition: Definition,
    /// Where it applies, and what it is excused from.
    pub terms: Terms,
}

/// Under which terms a definition stands in its folder; no part of the change, and so of its
/// checksum.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    /// The profiles that it is for; empty for all.
    pub profiles: Vec<String>,
    /// The rules that it may break.
    pub allow: Vec<Allowed>,
}

/// A rule that a definition may break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The rule's code, such as `MYX020`.
    pub rule: String,
    /// Why it may.
    pub reason: String,
}

impl Entry {
    /// Whether the definition is for this profile.
    #[must_use]
    pub fn is_for(&self, profile: &str) -> bool {
        let profiles = &self.terms.profiles;
        profiles.is_empty() || profiles.iter().any(|own| own == profile)
    }
}

/// What becomes of a change that is to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Planned {
    /// A new file.
    New {
        /// Its name.
        file: String,
        /// Its content.
        content: String,
    },
    /// This file states the same already.
    Stated {
        /// Its name.
        file: String,
    },
}

/// A change that can't be written down beside what is there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The name of the index is taken.
    #[error(
        "`{file}` makes another index `{index}` on `{table}`; write a definition that drops it first, or give the new one another name"
    )]
    Taken {
        /// The file that has it.
        file: String,
        /// The name.
        index: String,
        /// The table.
        table: String,
    },
    /// There is no next number.
    #[error("the highest number of the folder is in use, so that there is no next one")]
    Full,
}

/// Number and name of a definition's file: `0003_orders_state.toml` is 3 and `orders_state`.
#[must_use]
pub fn parts_of(file: &str) -> Option<(u32, &str)> {
    let (digits, name) = file.strip_suffix(".toml")?.split_once('_')?;
    let is_number = (4..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let is_name = (1..=MAX_READ_NAME).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'));
    let version: u32 = digits.parse().ok().filter(|_| is_number && is_name)?;
    (version > 0).then_some((version, name))
}

/// Whether a file is none of ours by intent: hidden, or the folder's own description.
#[must_use]
pub fn is_ignored(file: &str) -> bool {
    file.starts_with('.') || file.eq_ignore_ascii_case("README.md")
}

/// Makes entries of files, in the order of their numbers, and notes everything that is wrong.
/// `folder` is put before the names in messages.
#[must_use]
pub fn entries(folder: &str, mut files: Vec<(String, String)>) -> (Vec<Entry>, Vec<Mistake>) {
    files.sort();
    let mut found = Vec::new();
    let mut mistakes = Vec::new();
    let mut taken: BTreeMap<u32, String> = BTreeMap::new();
    for (file, text) in files {
        let path = path_of(folder, &file);
        let Some((version, name)) = parts_of(&file) else {
            mistakes.push(whole_file(
                &path,
                NAME,
                format!("`{file}` is no name of a definition"),
                "name it like `0003_orders_state.toml`: four digits or more, an underscore, and a \
                 name of small letters, digits, `_` and `-`, 100 of them at most; or move it elsewhere"
                    .to_owned(),
            ));
            continue;
        };
        if let Some(other) = taken.get(&version) {
            mistakes.push(whole_file(
                &path,
                NUMBER,
                format!("number {version} is taken by `{other}`"),
                "rename the one that was not applied yet to the next free number".to_owned(),
            ));
        } else {
            taken.insert(version, file.clone());
        }
        match parse::definition(&path, &text) {
            Ok((definition, terms)) => found.push(Entry {
                version,
                name: name.to_owned(),
                definition,
                terms,
                file,
            }),
            Err(more) => mistakes.extend(more.all().iter().cloned()),
        }
    }
    found.sort_by_key(|entry| entry.version);
    (found, mistakes)
}

/// Key of a mistake about a file's name.
pub(super) const NAME: &str = "file";

/// Key of a mistake about a file's number.
pub(super) const NUMBER: &str = "number";

/// A mistake about a file as a whole.
pub(super) fn whole_file(path: &str, key: &str, problem: String, remedy: String) -> Mistake {
    Mistake {
        place: Place::File {
            file: path.to_owned(),
            line: 1,
            column: 1,
        },
        key: key.to_owned(),
        problem,
        remedy,
    }
}

/// The path of a file of the folder, as it is shown.
#[must_use]
pub fn path_of(folder: &str, file: &str) -> String {
    if folder.is_empty() {
        file.to_owned()
    } else {
        format!("{}/{file}", folder.trim_end_matches('/'))
    }
}

/// The files that are needed so that the folder states all of `wanted`, in their order. An index that
/// is stated under another name is stated.
///
/// # Errors
/// When the name of an index is taken by another one.
pub fn plan(entries: &[Entry], wanted: &[Definition]) -> Result<Vec<Planned>, Refused> {
    plan_unless(entries, wanted, &[], concerns_the_same)
}

/// The same for files of these profiles: what is stated for others alone is not stated for them.
///
/// # Errors
/// When the name of an index is taken by another one.
pub fn plan_for(
    entries: &[Entry],
    wanted: &[Definition],
    profiles: &[String],
) -> Result<Vec<Planned>, Refused> {
    plan_unless(entries, wanted, profiles, concerns_the_same)
}

/// The same for indexes that are there: two of the same structure are two, each by its own name.
///
/// # Errors
/// When the name of an index is taken by another one.
pub fn plan_by_name(entries: &[Entry], wanted: &[Definition]) -> Result<Vec<Planned>, Refused> {
    plan_unless(entries, wanted, &[], is_named_the_same)
}

fn plan_unless(
    entries: &[Entry],
    wanted: &[Definition],
    profiles: &[String],
    concerns: fn(&Definition, &Definition) -> bool,
) -> Result<Vec<Planned>, Refused> {
    let mut next = entries.iter().map(|entry| entry.version).max().unwrap_or(0);
    let meets = |entry: &&Entry| {
        profiles.is_empty()
            || entry.terms.profiles.is_empty()
            || profiles.iter().any(|profile| entry.is_for(profile))
    };
    let mut known: Vec<(String, Definition)> = entries
        .iter()
        .filter(meets)
        .map(|entry| (entry.file.clone(), entry.definition.clone()))
        .collect();
    let mut planned = Vec::new();
    for definition in wanted {
        let last = known
            .iter()
            .rev()
            .find(|(_, other)| concerns(other, definition));
        if let Some((file, other)) = last {
            let is_same = other.index.is_same_as(&definition.index);
            if other.action == definition.action && is_same {
                planned.push(Planned::Stated { file: file.clone() });
                continue;
            }
            if other.action == Action::Create && definition.action == Action::Create {
                return Err(Refused::Taken {
                    file: file.clone(),
                    index: definition.index.name.clone(),
                    table: definition.table.clone(),
                });
            }
        }
        next += 1;
        if next > MAX_VERSION {
            return Err(Refused::Full);
        }
        let file = format!("{next:04}_{}.toml", slug(definition));
        known.push((file.clone(), definition.clone()));
        planned.push(Planned::New {
            file,
            content: definition.to_toml_for(profiles),
        });
    }
    Ok(planned)
}

/// Whether both are about one index: by its name, or by what it is.
fn concerns_the_same(one: &Definition, other: &Definition) -> bool {
    is_named_the_same(one, other)
        || is_on_the_same(one, other) && one.index.is_same_as(&other.index)
}

fn is_named_the_same(one: &Definition, other: &Definition) -> bool {
    is_on_the_same(one, other) && one.index.name.eq_ignore_ascii_case(&other.index.name)
}

/// Whether both are about one table, as far as they say.
fn is_on_the_same(one: &Definition, other: &Definition) -> bool {
    let same_schema = match (&one.schema, &other.schema) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    };
    same_schema && one.table == other.table
}

/// A name for an index on these parts: `idx` and its columns in plain letters, with a number behind
/// it where it is taken.
#[must_use]
pub fn index_name(parts: &[KeyPart], is_taken: impl Fn(&str) -> bool) -> String {
    let mut raw = String::from("idx");
    for part in parts {
        raw.push('_');
        raw.push_str(match &part.what {
            Part::Column(name) | Part::Expression(name) => name,
        });
    }
    let stem = plain(&raw);
    let mut name = stem.clone();
    let mut number = 2_u32;
    while is_taken(&name) {
        name = format!("{stem}_{number}");
        number += 1;
    }
    name
}

/// A name for the file: action, where it is a drop, table and index, in plain letters.
fn slug(definition: &Definition) -> String {
    let (table, index) = (&definition.table, &definition.index.name);
    let mut raw = match definition.action {
        Action::Create => String::new(),
        Action::Drop => "drop_".to_owned(),
    };
    if !index.to_lowercase().starts_with(&table.to_lowercase()) {
        raw.push_str(table);
        raw.push('_');
    }
    raw.push_str(index);
    plain(&raw)
}

/// The text in small letters, digits and `_`, of a limited length.
fn plain(raw: &str) -> String {
    let mut name = String::new();
    for c in raw.chars() {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_lowercase() || c.is_ascii_digit() => name.push(c),
            _ if name.is_empty() || name.ends_with('_') => {}
            _ => name.push('_'),
        }
        if name.len() >= MAX_NAME {
            break;
        }
    }
    let name = name.trim_end_matches('_');
    if name.is_empty() {
        "index".to_owned()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests;
