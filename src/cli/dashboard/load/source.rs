//! A pack that can be driven against a server: what is offered, and how it begins.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::mysql::MySqlConnectOptions;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Begun;
use crate::cli::error::Error;
use crate::cli::probe;
use crate::config::settings::{Server, Settings};
use crate::model::feed::{LoadOffer, OfferedProbe};
use crate::probes::engine::{EngineConfig, spawn};
use crate::probes::generate::World;
use crate::probes::pack::{Kind, Pack};
use crate::probes::workload::{Choice, engine_probes, rates_of};
use crate::server;
use crate::sql::fingerprint::fingerprint;

/// Windows of the load that wait for the screen at most.
const TICKS: usize = 16;

/// A pack on a server.
pub(in crate::cli) struct Source {
    pub(in crate::cli) settings: Settings,
    pub(in crate::cli) server: Server,
    /// How to connect, without a schema.
    pub(in crate::cli) options: MySqlConnectOptions,
    pub(in crate::cli) pack: Arc<Pack>,
    pub(in crate::cli) database: String,
    /// The data, where it is known; else the server is asked which one it has.
    pub(in crate::cli) data: Option<(u64, f64)>,
    /// Of the arrival times.
    pub(in crate::cli) seed: u64,
    /// Operations per second of all together; without it the configuration's, or the pack's.
    pub(in crate::cli) rate: Option<f64>,
    /// Connections; without it the configuration's.
    pub(in crate::cli) connections: Option<u32>,
    /// Why it is not to be begun from the screen.
    pub(in crate::cli) refusal: Option<String>,
}

impl Source {
    /// A pack on the server of a dashboard, whose data was loaded before.
    pub(in crate::cli) fn of_server(
        settings: &Settings,
        server: &Server,
        pack: Pack,
        database: Option<String>,
        read_only: bool,
    ) -> Self {
        let refusal = read_only.then(|| {
            "read-only: mydex was told to change nothing on this server, so it drives no load"
                .to_owned()
        });
        Self {
            settings: settings.clone(),
            server: server.clone(),
            options: server::connect::options(server),
            database: database.unwrap_or_else(|| pack.name.to_string()),
            pack: Arc::new(pack),
            data: None,
            seed: 1,
            rate: None,
            connections: None,
            refusal,
        }
    }

    fn rate(&self) -> Option<f64> {
        self.rate.or(self.settings.load.rate)
    }

    fn connections(&self) -> u32 {
        self.connections.unwrap_or(self.settings.load.concurrency)
    }

    /// What the screen can say about it before it begins.
    pub(in crate::cli) fn offer(&self) -> LoadOffer {
        let rates = rates_of(&self.pack, self.rate());
        LoadOffer {
            pack: self.pack.name.to_string(),
            schema: self.database.clone(),
            place: server::connect::place(&self.server),
            connections: self.connections(),
            probes: self
                .pack
                .probes
                .iter()
                .zip(rates)
                .map(|(probe, rate)| OfferedProbe {
                    name: Arc::clone(&probe.name),
                    is_write: probe.kind == Kind::Write,
                    rate,
                    statements: probe
                        .statements
                        .iter()
                        .map(|statement| fingerprint(&*statement.sql).into())
                        .collect(),
                })
                .collect(),
            is_private: self.data.is_some(),
            refusal: self.refusal.clone(),
        }
    }

    /// Begins: reads which data is loaded, as `probe run` does, and starts the engine. It opens
    /// its connections by itself.
    pub(in crate::cli) async fn begin(&self, cancel: &CancellationToken) -> Result<Begun, Error> {
        if let Some(refusal) = &self.refusal {
            return Err(Error::new(refusal.clone()));
        }
        let place = server::connect::place(&self.server);
        let world = match self.data {
            Some((seed, scale)) => World::generated(Arc::clone(&self.pack), seed, scale)
                .map_err(|error| Error::from_chain(&error))?,
            None => probe::run::world(&self.options, &self.database, &self.pack, &place).await?,
        };
        let choice = Choice {
            names: Vec::new(),
            rate: self.rate(),
            run: u64::try_from(Timestamp::now().as_microsecond()).unwrap_or(1),
        };
        let probes = engine_probes(&Arc::new(world), &choice, &self.settings.slo)
            .map_err(|error| Error::from_chain(&error))?;
        probe::run::refuse_writes(&self.server, &probes)?;
        let load = &self.settings.load;
        let label = if self.data.is_some() {
            self.pack.name.to_string()
        } else {
            format!("{} on {place}", self.pack.name)
        };
        let config = EngineConfig {
            label: label.into(),
            seed: self.seed,
            duration: None,
            warmup: Duration::ZERO,
            concurrency: self.connections(),
            operation_timeout: load.operation_timeout,
            connect_timeout: self.settings.monitor.connect_timeout,
            max_rows: load.max_rows,
            ..EngineConfig::default()
        };
        let (sender, ticks) = mpsc::channel(TICKS);
        let options = self.options.clone().database(&self.database);
        let stop = cancel.child_token();
        Ok(Begun {
            engine: spawn(options, probes, config, sender, &stop),
            ticks,
            stop,
        })
    }
}
