//! The rules for definitions, folders and databases, each with its code for ever.

mod sets;

pub use sets::{OF_DRIFT, OF_FILES};

use crate::model::check::Rule;
use crate::model::finding::Severity::{self, Note, Problem, Warning};

const fn rule(
    code: &'static str,
    name: &'static str,
    severity: Severity,
    summary: &'static str,
) -> Rule {
    Rule {
        code,
        name,
        severity,
        summary,
    }
}

/// A file is a definition: TOML, known keys, values that MySQL takes.
pub static UNREADABLE: Rule = rule(
    "MYX001",
    "unreadable",
    Problem,
    "a file is a definition: TOML, known keys, values that MySQL takes",
);

/// A file of the folder is named `NNNN_name.toml` and is a text file.
pub static FILE_NAME: Rule = rule(
    "MYX002",
    "file-name",
    Problem,
    "a file of the folder is named `NNNN_name.toml` and is a text file",
);

/// A number belongs to one definition.
pub static NUMBER_TAKEN: Rule = rule(
    "MYX003",
    "number-taken",
    Problem,
    "a number belongs to one definition",
);

/// Numbers follow one another.
pub static GAP: Rule = rule("MYX004", "gap", Note, "numbers follow one another");

/// A definition says why.
pub static NO_REASON: Rule = rule("MYX005", "no-reason", Warning, "a definition says why");

/// The name of an index has small letters, digits and `_` only, and begins with a letter.
pub static INDEX_NAME: Rule = rule(
    "MYX006",
    "index-name",
    Warning,
    "the name of an index has small letters, digits and `_` only, and begins with a letter",
);

/// A definition goes on from what the definitions before it leave behind.
pub static CONTRADICTION: Rule = rule(
    "MYX007",
    "contradiction",
    Problem,
    "a definition goes on from what the definitions before it leave behind",
);

/// `allow` names a rule that the definition breaks and may break.
pub static USELESS_ALLOW: Rule = rule(
    "MYX008",
    "useless-allow",
    Warning,
    "`allow` names a rule that the definition breaks and may break",
);

/// An index is built while writes go on.
pub static BLOCKS_WRITES: Rule = rule(
    "MYX010",
    "blocks-writes",
    Warning,
    "an index is built while writes go on",
);

/// A unique index has whole columns, since a prefix keeps only beginnings unique.
pub static UNIQUE_PREFIX: Rule = rule(
    "MYX011",
    "unique-prefix",
    Warning,
    "a unique index has whole columns, since a prefix keeps only beginnings unique",
);

/// An index has at most 5 parts, unless more were proven to pay.
pub static MANY_PARTS: Rule = rule(
    "MYX012",
    "many-parts",
    Warning,
    "an index has at most 5 parts, unless more were proven to pay",
);

/// A key fits into the bytes that the engine has for it.
pub static TOO_WIDE: Rule = rule(
    "MYX013",
    "too-wide",
    Problem,
    "a key fits into the bytes that the engine has for it",
);

/// A column is of a type that this kind of index takes, with a prefix where it needs one.
pub static UNFIT_PART: Rule = rule(
    "MYX014",
    "unfit-part",
    Problem,
    "a column is of a type that this kind of index takes, with a prefix where it needs one",
);

/// An index on an expression sorts by name behind the table's other ones, and no generated column comes to a table that has one: the server builds neither in place.
pub static IN_PLACE: Rule = rule(
    "MYX015",
    "in-place",
    Problem,
    "an index on an expression sorts by name behind the table's other ones, and no generated column comes to a table that has one: the server builds neither in place",
);

/// A new index does something that no other does.
pub static REDUNDANT: Rule = rule(
    "MYX020",
    "redundant",
    Warning,
    "a new index does something that no other does",
);

/// No two indexes are the same.
pub static DUPLICATE: Rule = rule(
    "MYX021",
    "duplicate",
    Problem,
    "no two indexes are the same",
);

/// An index that a new one replaces is dropped as well.
pub static MAKES_REDUNDANT: Rule = rule(
    "MYX022",
    "makes-redundant",
    Warning,
    "an index that a new one replaces is dropped as well",
);

/// An index leaves out the primary key's columns at its end, which the engine appends by itself.
pub static PRIMARY_SUFFIX: Rule = rule(
    "MYX023",
    "primary-suffix",
    Warning,
    "an index leaves out the primary key's columns at its end, which the engine appends by itself",
);

/// The table is there.
pub static NO_TABLE: Rule = rule("MYX030", "no-table", Problem, "the table is there");

/// The columns are there.
pub static NO_COLUMN: Rule = rule("MYX031", "no-column", Problem, "the columns are there");

/// An index that is to be dropped is there.
pub static NO_INDEX: Rule = rule(
    "MYX032",
    "no-index",
    Problem,
    "an index that is to be dropped is there",
);

/// The name of a new index is free on its table.
pub static NAME_TAKEN: Rule = rule(
    "MYX033",
    "name-taken",
    Problem,
    "the name of a new index is free on its table",
);

/// A table has at most 64 secondary indexes.
pub static TOO_MANY: Rule = rule(
    "MYX034",
    "too-many",
    Problem,
    "a table has at most 64 secondary indexes",
);

/// No foreign key, counting column or implicit primary key loses its index.
pub static NEEDED: Rule = rule(
    "MYX035",
    "needed",
    Problem,
    "no foreign key, counting column or implicit primary key loses its index",
);

/// A drop gives up no uniqueness.
pub static LAST_UNIQUE: Rule = rule(
    "MYX036",
    "last-unique",
    Warning,
    "a drop gives up no uniqueness",
);

/// A drop states the index as it is, so that taking it back brings the same.
pub static OTHER_INDEX: Rule = rule(
    "MYX037",
    "other-index",
    Problem,
    "a drop states the index as it is, so that taking it back brings the same",
);

/// The table's engine builds indexes online.
pub static ENGINE: Rule = rule(
    "MYX038",
    "engine",
    Problem,
    "the table's engine builds indexes online",
);

/// An index that is to be made is not there yet.
pub static EXISTS: Rule = rule(
    "MYX039",
    "exists",
    Note,
    "an index that is to be made is not there yet",
);

/// One key of an index finds few of the table's rows, unless the index was proven to pay.
pub static LOW_SELECTIVITY: Rule = rule(
    "MYX040",
    "low-selectivity",
    Warning,
    "one key of an index finds few of the table's rows, unless the index was proven to pay",
);

/// The server's disk has room for the index and for sorting it.
pub static DISK: Rule = rule(
    "MYX041",
    "disk",
    Problem,
    "the server's disk has room for the index and for sorting it",
);

/// A definition stays as it was when it was applied.
pub static EDITED: Rule = rule(
    "MYX050",
    "edited",
    Problem,
    "a definition stays as it was when it was applied",
);

/// Definitions are applied in the order of their numbers.
pub static OUT_OF_ORDER: Rule = rule(
    "MYX051",
    "out-of-order",
    Warning,
    "definitions are applied in the order of their numbers",
);

/// What the ledger knows has its file.
pub static NO_FILE: Rule = rule(
    "MYX052",
    "no-file",
    Problem,
    "what the ledger knows has its file",
);

/// What was begun was ended.
pub static UNFINISHED: Rule = rule("MYX053", "unfinished", Warning, "what was begun was ended");

/// A definition is applied where its profiles say.
pub static OTHER_PROFILE: Rule = rule(
    "MYX054",
    "other-profile",
    Warning,
    "a definition is applied where its profiles say",
);

/// With `--check`, every definition is applied.
pub static PENDING: Rule = rule(
    "MYX055",
    "pending",
    Problem,
    "with `--check`, every definition is applied",
);

/// Nothing: it announces the statements of a pending definition.
pub static PLANNED: Rule = rule(
    "MYX056",
    "planned",
    Note,
    "nothing: it announces the statements of a pending definition",
);

/// Nothing stands against a pending definition.
pub static REFUSED: Rule = rule(
    "MYX057",
    "refused",
    Problem,
    "nothing stands against a pending definition",
);

/// An index of the database has a definition.
pub static UNMANAGED: Rule = rule(
    "MYX060",
    "unmanaged",
    Warning,
    "an index of the database has a definition",
);

/// An index that was applied is there.
pub static GONE: Rule = rule(
    "MYX061",
    "gone",
    Problem,
    "an index that was applied is there",
);

/// An index that was applied is as its definition says.
pub static DIFFERS: Rule = rule(
    "MYX062",
    "differs",
    Problem,
    "an index that was applied is as its definition says",
);

/// An index that was dropped or taken back is not there.
pub static STILL_THERE: Rule = rule(
    "MYX063",
    "still-there",
    Problem,
    "an index that was dropped or taken back is not there",
);

/// An index whose drop was taken back is there.
pub static NOT_RESTORED: Rule = rule(
    "MYX064",
    "not-restored",
    Problem,
    "an index whose drop was taken back is there",
);

/// All of them, by code.
pub static ALL: [&Rule; 43] = [
    &UNREADABLE,
    &FILE_NAME,
    &NUMBER_TAKEN,
    &GAP,
    &NO_REASON,
    &INDEX_NAME,
    &CONTRADICTION,
    &USELESS_ALLOW,
    &BLOCKS_WRITES,
    &UNIQUE_PREFIX,
    &MANY_PARTS,
    &TOO_WIDE,
    &UNFIT_PART,
    &IN_PLACE,
    &REDUNDANT,
    &DUPLICATE,
    &MAKES_REDUNDANT,
    &PRIMARY_SUFFIX,
    &NO_TABLE,
    &NO_COLUMN,
    &NO_INDEX,
    &NAME_TAKEN,
    &TOO_MANY,
    &NEEDED,
    &LAST_UNIQUE,
    &OTHER_INDEX,
    &ENGINE,
    &EXISTS,
    &LOW_SELECTIVITY,
    &DISK,
    &EDITED,
    &OUT_OF_ORDER,
    &NO_FILE,
    &UNFINISHED,
    &OTHER_PROFILE,
    &PENDING,
    &PLANNED,
    &REFUSED,
    &UNMANAGED,
    &GONE,
    &DIFFERS,
    &STILL_THERE,
    &NOT_RESTORED,
];

/// The rule of a code or a name.
#[must_use]
pub fn of(code: &str) -> Option<&'static Rule> {
    ALL.into_iter()
        .find(|rule| rule.code == code || rule.name == code)
}

#[cfg(test)]
mod tests;
