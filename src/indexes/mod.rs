//! # indexes
//! Purpose: versioned index definitions: one reviewed file a change.
//! Gives: checked definitions with their statements and checksums; all mistakes of a folder at once; new files; where each stands, what drifted, and the way there and back.
//! Pure files: all but folder.rs, shadow.rs, verify/ask.rs, verify/run.rs, verify/judge.rs, verify/guard.rs, verify/hide.rs, shadow/, ledger.rs, apply.rs, apply/
//! May import: model, config, sql, server
//! Reading order: definition, evidence, expression, fields, parse, print, files, folder, place, columns, facets, future, line, reconcile, likeness, estimate, steps, course, grants, precheck, ledger, rules, status, lint, drift, adopt, verify, shadow, apply

pub mod adopt;
pub mod apply;
pub mod columns;
pub mod course;
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
mod grants;
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
pub mod shadow;
pub mod status;
pub mod steps;
pub mod verify;
