//! # sandbox
//! Purpose: a private MySQL server: found or installed without root, started on loopback, removed whatever happens.
//! Gives: a URL to a running server and a guard that ends it.
//! Pure files: sources.rs, apt.rs
//! May import: model, config
//! Reading order: error, place, program, sources, apt, install, template, process, watchdog, launch, instance, named

pub mod apt;
pub mod error;
pub mod install;
pub mod instance;
mod launch;
pub mod named;
pub mod place;
mod process;
pub mod program;
pub mod sources;
mod template;
mod watchdog;

use std::path::PathBuf;

pub use error::Error;
pub use instance::{Endpoint, Sandbox};

/// What server to start, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// Use this `mysqld` and no other.
    pub mysqld: Option<PathBuf>,
    /// TCP port on 127.0.0.1; a free one when `None`.
    pub port: Option<u16>,
    /// `max_connections` of the server.
    pub max_connections: u32,
    /// `innodb_buffer_pool_size` in MiB.
    pub buffer_pool_mib: u32,
    /// `local_infile` of the server, off as in MySQL itself unless asked for.
    pub local_infile: bool,
    /// Further arguments for `mysqld`, such as `--performance-schema=OFF`; they win over ours.
    pub extra: Vec<String>,
}

impl Default for Options {
    /// A small server for tests: 256 MiB of buffer pool, 1,200 connections.
    fn default() -> Self {
        Self {
            mysqld: None,
            port: None,
            max_connections: 1200,
            buffer_pool_mib: 256,
            local_infile: false,
            extra: Vec::new(),
        }
    }
}

/// A step on the way to a running server, for whoever shows progress.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// Something worth saying, one sentence without a final period.
    Note(String),
    /// Another process holds the named work; this one waits for it.
    Waiting(&'static str),
    /// The package index is being read.
    Index,
    /// Packages are being downloaded.
    Download {
        /// How far, 0 to 100.
        percent: f64,
    },
    /// Packages are being unpacked.
    Unpack {
        /// Packages done.
        done: usize,
        /// Packages in all.
        total: usize,
    },
    /// The empty data directory of this version is being made, once for all later starts.
    Initialise,
    /// The server is starting.
    Starting {
        /// Its version.
        version: String,
    },
    /// The server takes connections.
    Ready {
        /// Its TCP port on 127.0.0.1.
        port: u16,
    },
}

/// Who is told about progress.
pub type Report<'a> = &'a mut (dyn FnMut(Progress) + Send);
