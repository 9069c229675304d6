//! The server that stands for the target: a private one, or the replica that the user named.

use super::Args;
use super::TierName;
use crate::advisor::advise::Step;
use crate::cli::error::Error;
use crate::config::settings::{Server, Settings};
use crate::sandbox::{Options, Progress, Sandbox};

/// Buffer pool of a private server: the sample and its indexes stay in memory.
const BUFFER_POOL_MIB: u32 = 512;

/// A twin, running.
pub(super) struct Twin {
    /// How it is reached.
    pub(super) server: Server,
    sandbox: Option<Sandbox>,
}

impl Twin {
    /// Starts a private server, or finds the replica in the configuration.
    pub(super) async fn start(
        settings: &Settings,
        args: &Args,
        report: &mut (dyn FnMut(Step) + Send),
    ) -> Result<Self, Error> {
        if args.tier == TierName::T2 {
            let server = settings
                .resolve(args.replica.as_deref())
                .map_err(|error| Error::from_chain(&error))?;
            if server.read_only {
                return Err(Error::new(format!(
                    "server `{}` is configured read-only, and tier t2 creates and drops indexes",
                    server.name
                ))
                .hint("name a replica or clone that may be changed, or use `--tier t1`"));
            }
            return Ok(Self {
                server: server.clone(),
                sandbox: None,
            });
        }
        report(Step::new("starting the twin"));
        let options = Options {
            mysqld: args.mysqld.clone(),
            max_connections: 50,
            buffer_pool_mib: BUFFER_POOL_MIB,
            ..Options::default()
        };
        let sandbox = Sandbox::start(&options, &mut |progress| match progress {
            Progress::Download { percent } => report(Step {
                what: "downloading MySQL for the twin".to_owned(),
                share: Some(percent / 100.0),
            }),
            Progress::Note(note) => report(Step::new(&note)),
            _ => {}
        })
        .await
        .map_err(|error| {
            Error::from_chain(&error).hint(
                "the twin is a private MySQL server; `mydex sandbox install` says what it needs",
            )
        })?;
        Ok(Self {
            server: sandbox.endpoint().server("twin"),
            sandbox: Some(sandbox),
        })
    }

    /// Ends a private server.
    pub(super) async fn stop(self) -> Result<(), Error> {
        match self.sandbox {
            Some(sandbox) => sandbox
                .stop()
                .await
                .map_err(|error| Error::from_chain(&error)),
            None => Ok(()),
        }
    }
}
