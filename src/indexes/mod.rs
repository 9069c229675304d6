//! # indexes
//! Purpose: versioned index definitions: one reviewed file a change.
//! Gives: checked definitions with their statements and checksums; all mistakes of a folder at once; new files.
//! Pure files: all but folder.rs, ledger.rs
//! May import: model, config, sql, server
//! Reading order: definition, evidence, expression, fields, parse, print, files, folder, place, facets, future, reconcile, columns, ledger, rules, status, lint, drift, adopt

pub mod adopt;
pub mod columns;
pub mod definition;
pub mod drift;
pub mod evidence;
mod expression;
pub mod facets;
mod fields;
pub mod files;
#[cfg(test)]
mod fixture;
pub mod folder;
pub mod future;
pub mod ledger;
pub mod lint;
mod parse;
mod place;
mod print;
pub mod reconcile;
pub mod rules;
pub mod status;
