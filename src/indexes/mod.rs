//! # indexes
//! Purpose: versioned index definitions: one reviewed file a change.
//! Gives: checked definitions with their statements and checksums; all mistakes of a folder at once; new files; where each stands, what drifted, and the way there and back.
//! Pure files: all but folder.rs, ledger.rs, apply.rs, apply/
//! May import: model, config, sql, server
//! Reading order: definition, evidence, expression, fields, parse, print, files, folder, place, columns, facets, future, line, reconcile, likeness, estimate, steps, precheck, ledger, rules, status, lint, drift, adopt, apply

pub mod adopt;
pub mod apply;
pub mod columns;
pub mod definition;
pub mod drift;
pub mod estimate;
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
mod likeness;
mod line;
pub mod lint;
mod parse;
mod place;
pub mod precheck;
mod print;
pub mod reconcile;
pub mod rules;
pub mod status;
pub mod steps;
