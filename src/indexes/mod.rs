//! # indexes
//! Purpose: versioned index definitions: one reviewed file a change.
//! Gives: checked definitions with their statements and checksums; all mistakes of a folder at once; new files.
//! Pure files: all but folder.rs, shadow.rs, verify/ask.rs, verify/run.rs, verify/judge.rs, verify/guard.rs
//! May import: model, config, sql, server
//! Reading order: definition, evidence, expression, fields, parse, print, files, folder, verify, shadow

pub mod definition;
pub mod evidence;
mod expression;
mod fields;
pub mod files;
pub mod folder;
mod parse;
mod print;
pub mod shadow;
pub mod verify;
