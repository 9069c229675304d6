//! Rules that a definition breaks by itself, or beside the definitions before it.

use super::{Breach, File};
use crate::indexes::definition::Definition;
use crate::indexes::facets::{columns, is_same_structure};
use crate::indexes::files::Entry;
use crate::indexes::rules;
use crate::model::advice::{Action, LockLevel};
use crate::model::schema::{Index, IndexKind, KeyPart};
use crate::server::ddl::{Algorithm, Mode};

/// Parts of an index that need no proof.
const MANY_PARTS: usize = 5;

/// What the definition breaks, beside those before it.
/// Its lock is judged here only where no table is known to judge it by.
pub(super) fn check(file: &File, before: &[Entry], is_table_known: bool) -> Vec<Breach> {
    let mut found = Vec::new();
    let definition = &file.entry.definition;
    if definition.reason.trim().is_empty() {
        found.push(Breach::new(
            &rules::NO_REASON,
            file.places.key("reason"),
            "the definition has no reason",
            "say why in `reason = \"…\"`, for whoever reviews it",
        ));
    }
    if definition.action == Action::Create {
        found.extend(name(file));
        if !is_table_known {
            found.extend(blocking(file, Waits::of(&file.entry.definition)));
        }
        found.extend(unique_prefix(file));
        found.extend(many_parts(file));
    }
    found.extend(contradiction(file, before));
    found
}

fn name(file: &File) -> Option<Breach> {
    let name = &file.entry.definition.index.name;
    let is_plain = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if is_plain && name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return None;
    }
    Some(Breach::new(
        &rules::INDEX_NAME,
        file.places.key("index"),
        format!("`{name}` is not of small letters, digits and `_`, beginning with a letter"),
        format!("name it like `{}`", plain(name)),
    ))
}

/// The name in small letters, digits and `_`.
pub(in crate::indexes) fn plain(name: &str) -> String {
    let mut plain = String::new();
    for c in name.chars().map(|c| c.to_ascii_lowercase()) {
        if c.is_ascii_lowercase() || (c.is_ascii_digit() && !plain.is_empty()) {
            plain.push(c);
        } else if !plain.is_empty() && !plain.ends_with('_') {
            plain.push('_');
        }
    }
    let plain = plain.trim_end_matches('_');
    if plain.is_empty() { "idx" } else { plain }.to_owned()
}

/// How an index is built.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waits {
    /// The strongest lock.
    pub(super) lock: LockLevel,
    /// The whole table is copied.
    pub(super) copies: bool,
    /// A generated column can stand for the expression.
    pub(super) takes_column: bool,
}

impl Waits {
    /// On a usual table.
    pub(super) fn of(definition: &Definition) -> Self {
        let mode = Mode::to_build(&definition.index);
        Self {
            lock: mode.lock,
            copies: mode.algorithm == Algorithm::Copy,
            takes_column: true,
        }
    }
}

/// What writes wait for.
pub(super) fn blocking(file: &File, waits: Waits) -> Option<Breach> {
    if waits.lock == LockLevel::None {
        return None;
    }
    let index = &file.entry.definition.index;
    let (what, remedy) = match index.kind {
        IndexKind::FullText => ("a full-text index", "build it in a quiet hour"),
        IndexKind::Spatial => ("a spatial index", "build it in a quiet hour"),
        IndexKind::MultiValued => ("an index over an array", "build it in a quiet hour"),
        _ if !waits.takes_column => ("an index on an expression", "build it in a quiet hour"),
        _ => (
            "an index on an expression",
            "put the expression into a `generated_column`, and the column into `columns`: that is \
             built while writes go on",
        ),
    };
    Some(Breach::new(
        &rules::BLOCKS_WRITES,
        file.places.key("columns"),
        if waits.copies {
            format!("{what} is built by a copy of the whole table: writes wait until it is ready")
        } else {
            format!("{what} is built with `LOCK=SHARED`: writes wait until it is ready")
        },
        remedy,
    ))
}

fn unique_prefix(file: &File) -> Option<Breach> {
    let index = &file.entry.definition.index;
    let has_prefix = |part: &KeyPart| part.prefix.is_some();
    let at = index.parts.iter().position(has_prefix)?;
    let part = &index.parts[at];
    index.is_unique.then(|| {
        Breach::new(
            &rules::UNIQUE_PREFIX,
            file.places.item("columns", at),
            format!(
                "only the first {} characters of `{}` are kept unique",
                part.prefix.unwrap_or(0),
                part.column_name().unwrap_or_default()
            ),
            "leave `prefix` out, or `unique`",
        )
    })
}

fn many_parts(file: &File) -> Option<Breach> {
    let definition = &file.entry.definition;
    let count = definition.index.parts.len();
    (count > MANY_PARTS && !is_proven(definition)).then(|| {
        Breach::new(
            &rules::MANY_PARTS,
            file.places.key("columns"),
            format!("the index has {count} parts, and nothing proves that they pay"),
            format!(
                "keep the first {MANY_PARTS} or fewer, or let `mydex advise` prove it on the workload"
            ),
        )
    })
}

/// Whether its evidence was executed and measured.
pub(super) fn is_proven(definition: &Definition) -> bool {
    definition
        .evidence
        .as_ref()
        .is_some_and(|evidence| evidence.is_proven)
}

/// Whether both are about a table of the same name, as far as that is known.
fn same_table(one: &Definition, other: &Definition) -> bool {
    let same_schema = match (&one.schema, &other.schema) {
        (None, None) => true,
        (Some(one), Some(other)) => one == other,
        _ => false,
    };
    same_schema && one.table == other.table
}

/// The definition before this one that is about the same index by name.
fn last_of<'a>(definition: &Definition, before: &'a [Entry]) -> Option<&'a Entry> {
    before.iter().rev().find(|other| {
        same_table(&other.definition, definition)
            && other
                .definition
                .index
                .name
                .eq_ignore_ascii_case(&definition.index.name)
    })
}

fn contradiction(file: &File, before: &[Entry]) -> Option<Breach> {
    let definition = &file.entry.definition;
    let last = last_of(definition, before)?;
    let (name, other) = (&definition.index.name, &last.file);
    let (what, remedy) = match (last.definition.action, definition.action) {
        (Action::Create, Action::Create) => (
            format!("`{other}` makes an index `{name}` already, and nothing drops it in between"),
            "write a definition that drops it first, or give this one another name".to_owned(),
        ),
        (Action::Drop, Action::Drop) => (
            format!("`{other}` drops `{name}` already, and nothing makes it again in between"),
            "leave this one out".to_owned(),
        ),
        (Action::Create, Action::Drop)
            if !is_same_structure(&last.definition.index, &definition.index) =>
        {
            (
                format!(
                    "`{other}` makes `{name}` on `{}`, and this one drops it as `{}`",
                    columns(&last.definition.index.parts),
                    columns(&definition.index.parts)
                ),
                format!("state it as `{other}` does, so that taking the drop back brings the same"),
            )
        }
        _ => return None,
    };
    let spot = file.places.key("index");
    Some(Breach::new(&rules::CONTRADICTION, spot, what, remedy))
}

/// The indexes that the definitions leave behind, each with its file; without a server there is
/// nothing else to compare with.
pub(super) fn redundant(file: &File, before: &[Entry]) -> Vec<Breach> {
    let definition = &file.entry.definition;
    if definition.action == Action::Drop {
        return Vec::new();
    }
    let stays = |at: usize, entry: &Entry| {
        entry.definition.action == Action::Create
            && same_table(&entry.definition, definition)
            && !before[at + 1..].iter().any(|later| {
                later.definition.action == Action::Drop
                    && same_table(&later.definition, &entry.definition)
                    && later.definition.index.name == entry.definition.index.name
            })
    };
    let others = before.iter().enumerate();
    let others = others.filter(|(at, entry)| stays(*at, entry));
    let mut found = Vec::new();
    for (_, other) in others {
        let (own, old) = (&definition.index, &other.definition.index);
        let spot = file.places.key("columns");
        if own.name.eq_ignore_ascii_case(&old.name) {
            continue;
        }
        if is_same_structure(own, old) {
            found.push(Breach::new(
                &rules::DUPLICATE,
                spot,
                format!("`{}` of `{}` is the same", old.name, other.file),
                "leave this one out",
            ));
        } else if begins(old, own) {
            found.push(Breach::new(
                &rules::REDUNDANT,
                spot,
                format!(
                    "`{}` of `{}` begins with the same columns: `{}`",
                    old.name,
                    other.file,
                    columns(&old.parts)
                ),
                "leave this one out",
            ));
        }
    }
    found
}

/// Whether `longer` finds and orders whatever the plain `shorter` does.
fn begins(longer: &Index, shorter: &Index) -> bool {
    let is_plain = |index: &Index| index.kind == IndexKind::BTree;
    is_plain(longer)
        && is_plain(shorter)
        && !shorter.is_unique
        && longer.is_visible
        && longer.parts.starts_with(&shorter.parts)
}
