//! # indexes
//! Purpose: versioned index definitions: one reviewed file a change.
//! Gives: checked definitions with their statements and checksums; all mistakes of a folder at once; new files.
//! Pure files: all but folder.rs, ledger.rs, apply.rs, apply/
//! May import: model, config, sql, server
//! Reading order: definition, evidence, expression, fields, parse, print, files, folder, line, reconcile, likeness, estimate, steps, precheck, ledger, apply

pub mod apply;
pub mod definition;
pub mod estimate;
pub mod evidence;
mod expression;
mod fields;
pub mod files;
pub mod folder;
pub mod ledger;
mod likeness;
mod line;
mod parse;
pub mod precheck;
mod print;
pub mod reconcile;
pub mod steps;
