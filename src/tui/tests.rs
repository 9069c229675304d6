//! Tests of the whole dashboard.

pub(super) mod fixture;
mod play;
