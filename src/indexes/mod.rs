//! # indexes
//! Purpose: versioned index definitions: one reviewed file a change.
//! Gives: checked definitions and their statements; all mistakes of a folder at once.
//! Pure files: all
//! May import: model, config, sql, server
//! Reading order: none yet
