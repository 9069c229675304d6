//! # indexes
//! Purpose: versioned index definitions: one reviewed file a change, applied, verified and taken back.
//! Gives: checked definitions with their statements and checksums; where each stands, what drifted, and the way there and back, verified before and after.
//! Pure files: all but folder.rs, shadow.rs, verify/ask.rs, verify/run.rs, verify/judge.rs, verify/guard.rs, verify/hide.rs, shadow/, ledger.rs, ledger/, apply.rs, apply/
//! May import: model, config, sql, server
//! Reading order: definition, evidence, expression, fields, parse, print, files, folder, place, columns, formula, facets, future, line, reconcile, likeness, estimate, steps, precheck, ledger, rules, status, lint, drift, adopt, grants, course, ways, apply, verify, shadow

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
mod formula;
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
pub mod ways;
