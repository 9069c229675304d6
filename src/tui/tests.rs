//! Tests of the whole dashboard: pictures, keys, hostile and random input.

mod advice;
mod advisor;
mod desk;
mod driven;
pub(super) mod fixture;
mod index_changes;
mod indexes;
mod inventory;
mod keys;
mod manual;
mod pictures;
mod random;
mod stage;
mod whole;
mod writing;
