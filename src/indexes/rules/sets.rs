//! Which rules are applied where.

use super::{
    BLOCKS_WRITES, CONTRADICTION, DIFFERS, DUPLICATE, EDITED, EXISTS, FILE_NAME, GAP, GONE,
    INDEX_NAME, MANY_PARTS, NAME_TAKEN, NO_FILE, NO_INDEX, NO_REASON, NO_TABLE, NOT_RESTORED,
    NUMBER_TAKEN, OTHER_PROFILE, OUT_OF_ORDER, REDUNDANT, STILL_THERE, UNFINISHED, UNIQUE_PREFIX,
    UNMANAGED, UNREADABLE, USELESS_ALLOW,
};
use crate::model::check::Rule;

/// Those that a definition alone can break, and those of the folder.
pub static OF_FILES: [&Rule; 13] = [
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
    &REDUNDANT,
    &DUPLICATE,
];

/// Those that compare the folder, the ledger and the database.
pub static OF_DRIFT: [&Rule; 14] = [
    &NO_TABLE,
    &NO_INDEX,
    &NAME_TAKEN,
    &EXISTS,
    &EDITED,
    &OUT_OF_ORDER,
    &NO_FILE,
    &UNFINISHED,
    &OTHER_PROFILE,
    &UNMANAGED,
    &GONE,
    &DIFFERS,
    &STILL_THERE,
    &NOT_RESTORED,
];
