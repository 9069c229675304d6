//! # slowlog
//! Purpose: slow query logs of MySQL, Percona and MariaDB, plain or compressed, to a ranked profile.
//! Gives: a `Profile` of classes with their figures and samples; malformed entries are counted, never fatal.
//! Pure files: all but read.rs, source.rs, tests.rs
//! May import: model, sql
//! Reading order: stamp, entry, split, histogram, profile, part, tally, source, read

pub mod entry;
pub mod histogram;
mod part;
pub mod profile;
pub mod read;
pub mod source;
pub mod split;
pub mod stamp;
mod tally;
#[cfg(test)]
mod tests;

pub use profile::{Class, Fault, Profile, Tally};
pub use read::{Options, Progress, read};
pub use source::{Error, Source};
