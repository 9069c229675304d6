//! # probes
//! Purpose: workload packs: their data generator, loader, open-loop engine and pool gauge.
//! Gives: rows that depend on the seed alone; histograms of response, service and pool wait that conserve counts.
//! Pure files: value.rs, random.rs, network.rs, literal.rs, pack.rs, pack/, params.rs, generate.rs, generate/, profile.rs, schedule.rs, recorder.rs, stages.rs, think.rs, level.rs, queue.rs, capacity.rs, sizing.rs, hlog.rs, load/segment.rs, load/decision.rs
//! May import: model, config, server
//! Reading order: value, pack, random, generate, params, open, literal, load, sample, profile, schedule, recorder, stages, think, level, queue, hlog, pacer, operation, pool, shard, seat, outcome, engine, workload, capacity, sizing

pub mod capacity;
pub mod engine;
pub mod generate;
#[cfg(test)]
mod generate_tests;
pub mod hlog;
pub mod level;
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
pub mod profile;
pub mod queue;
pub mod random;
pub mod recorder;
pub mod sample;
pub mod schedule;
mod seat;
mod shard;
pub mod sizing;
pub mod stages;
pub mod think;
pub mod value;
pub mod workload;
