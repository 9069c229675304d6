//! # probes
//! Purpose: workload packs: their data generator, loader, open-loop engine and pool gauge.
//! Gives: rows that depend on the seed alone; histograms of response, service and pool wait that conserve counts.
//! Pure files: pack.rs, params.rs, generate.rs, schedule.rs, recorder.rs, queue.rs, hlog.rs
//! May import: model, config, server
//! Reading order: pack, params, generate, load, schedule, recorder, queue, hlog, pacer, operation, pool, seat, outcome, engine, workload

pub mod engine;
pub mod generate;
pub mod hlog;
pub mod literal;
pub mod load;
pub mod network;
pub mod open;
pub mod operation;
pub mod outcome;
pub mod pacer;
pub mod pack;
pub mod params;
pub mod pool;
pub mod queue;
pub mod random;
pub mod recorder;
pub mod schedule;
mod seat;
pub mod value;
pub mod workload;
