//! The rules for definitions, folders and databases, each with its code for ever.

mod sets;

pub use sets::{OF_DRIFT, OF_FILES};

use crate::model::check::Rule;
use crate::model::finding::Severity::{Note, Problem, Warning};

/// Writes each rule once: what it wants is its documentation as well.
macro_rules! rules {
    ($($name:ident $code:literal $word:literal $severity:ident $summary:literal;)*) => {
        $(
            #[doc = $summary]
            pub static $name: Rule = Rule {
                code: $code,
                name: $word,
                severity: $severity,
                summary: $summary,
            };
        )*

        /// All of them, by code.
        pub static ALL: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    UNREADABLE "MYX001" "unreadable" Problem
        "a file is a definition: TOML, known keys, values that MySQL takes";
    FILE_NAME "MYX002" "file-name" Problem
        "a file of the folder is named `NNNN_name.toml` and is a text file";
    NUMBER_TAKEN "MYX003" "number-taken" Problem
        "a number belongs to one definition";
    GAP "MYX004" "gap" Note
        "numbers follow one another";
    NO_REASON "MYX005" "no-reason" Warning
        "a definition says why";
    INDEX_NAME "MYX006" "index-name" Warning
        "the name of an index has small letters, digits and `_` only, and begins with a letter";
    CONTRADICTION "MYX007" "contradiction" Problem
        "a definition goes on from what the definitions before it leave behind";
    USELESS_ALLOW "MYX008" "useless-allow" Warning
        "`allow` names a rule that the definition breaks and may break";
    BLOCKS_WRITES "MYX010" "blocks-writes" Warning
        "an index is built while writes go on";
    UNIQUE_PREFIX "MYX011" "unique-prefix" Warning
        "a unique index has whole columns, since a prefix keeps only beginnings unique";
    MANY_PARTS "MYX012" "many-parts" Warning
        "an index has at most 5 parts, unless more were proven to pay";
    TOO_WIDE "MYX013" "too-wide" Problem
        "a key fits into the bytes that the engine has for it";
    UNFIT_PART "MYX014" "unfit-part" Problem
        "a column is of a type that this kind of index takes, with a prefix where it needs one";
    IN_PLACE "MYX015" "in-place" Problem
        "an index on an expression sorts by name behind the table's other ones, and no generated column comes to a table that has one: the server builds neither in place";
    REDUNDANT "MYX020" "redundant" Warning
        "a new index does something that no other does";
    DUPLICATE "MYX021" "duplicate" Problem
        "no two indexes are the same";
    MAKES_REDUNDANT "MYX022" "makes-redundant" Warning
        "an index that a new one replaces is dropped as well";
    PRIMARY_SUFFIX "MYX023" "primary-suffix" Warning
        "an index leaves out the primary key's columns at its end, which the engine appends by itself";
    NO_TABLE "MYX030" "no-table" Problem
        "the table is there";
    NO_COLUMN "MYX031" "no-column" Problem
        "the columns are there";
    NO_INDEX "MYX032" "no-index" Problem
        "an index that is to be dropped is there";
    NAME_TAKEN "MYX033" "name-taken" Problem
        "the name of a new index is free on its table";
    TOO_MANY "MYX034" "too-many" Problem
        "a table has at most 64 secondary indexes";
    NEEDED "MYX035" "needed" Problem
        "no foreign key, counting column or implicit primary key loses its index";
    LAST_UNIQUE "MYX036" "last-unique" Warning
        "a drop gives up no uniqueness";
    OTHER_INDEX "MYX037" "other-index" Problem
        "a drop states the index as it is, so that taking it back brings the same";
    ENGINE "MYX038" "engine" Problem
        "the table's engine builds indexes online";
    EXISTS "MYX039" "exists" Note
        "an index that is to be made is not there yet";
    LOW_SELECTIVITY "MYX040" "low-selectivity" Warning
        "one key of an index finds few of the table's rows, unless the index was proven to pay";
    DISK "MYX041" "disk" Problem
        "the server's disk has room for the index and for sorting it";
    EDITED "MYX050" "edited" Problem
        "a definition stays as it was when it was applied";
    OUT_OF_ORDER "MYX051" "out-of-order" Warning
        "definitions are applied in the order of their numbers";
    NO_FILE "MYX052" "no-file" Problem
        "what the ledger knows has its file";
    UNFINISHED "MYX053" "unfinished" Warning
        "what was begun was ended";
    OTHER_PROFILE "MYX054" "other-profile" Warning
        "a definition is applied where its profiles say";
    PENDING "MYX055" "pending" Problem
        "with `--check`, every definition is applied";
    PLANNED "MYX056" "planned" Note
        "nothing: it announces the statements of a pending definition";
    REFUSED "MYX057" "refused" Problem
        "nothing stands against a pending definition";
    UNMANAGED "MYX060" "unmanaged" Warning
        "an index of the database has a definition";
    GONE "MYX061" "gone" Problem
        "an index that was applied is there";
    DIFFERS "MYX062" "differs" Problem
        "an index that was applied is as its definition says";
    STILL_THERE "MYX063" "still-there" Problem
        "an index that was dropped or taken back is not there";
    NOT_RESTORED "MYX064" "not-restored" Problem
        "an index whose drop was taken back is there";
}

/// The rule of a code or a name.
#[must_use]
pub fn of(code: &str) -> Option<&'static Rule> {
    ALL.iter()
        .copied()
        .find(|rule| rule.code == code || rule.name == code)
}

#[cfg(test)]
mod tests;
