//! mydex watches a MySQL server live, finds the indexes it lacks or does not need, proves each
//! one, ships it as a reviewed versioned file, and guards it.
//!
//! The modules in reading order, which is also the direction of the data:
//!
//! 1. [`model`]: the values. Pure; imports nothing of ours.
//! 2. [`config`]: `monitor.toml`, environment and flags to checked settings.
//! 3. [`sql`]: statement texts: fingerprints, parameters, what may be explained. Pure.
//! 4. [`server`]: a guarded connection, what the server can do, the only way to change it.
//! 5. [`collect`]: rows of `performance_schema` to samples, samples to intervals, within a budget.
//! 6. [`slowlog`]: slow query logs to ranked digests.
//! 7. [`probes`]: workload packs, their data, and the open-loop engine that drives them.
//! 8. [`advisor`]: a workload to index recommendations, judged and measured on a twin.
//! 9. [`indexes`]: versioned index definitions.
//! 10. [`baseline`]: what a workload costs, recorded in a file and compared later.
//! 11. [`report`]: a document tree and its renderings.
//! 12. [`tui`]: the dashboard as a pure `update` and `view`, and the thin loop around them.
//! 13. [`sandbox`]: the private MySQL server: of the demo, of the twin, on request, in tests.
//! 14. [`cli`]: introduces the features to one another.
//!
//! A sample is read by `collect`, two samples make a `model::interval::Interval`, the interval
//! travels as a `model::feed::Feed` through a bounded channel, and `tui`, `report` or a command
//! shows it. Requests travel the other way. Features never import one another.

pub mod advisor;
pub mod baseline;
pub mod cli;
pub mod collect;
pub mod config;
pub mod indexes;
pub mod model;
pub mod probes;
pub mod report;
pub mod sandbox;
pub mod server;
pub mod slowlog;
pub mod sql;
pub mod tui;
