//! The built-in defaults. `monitor.toml` at the top of the repository shows the same values with
//! their explanation; a test compares the two.

use std::collections::BTreeMap;
use std::time::Duration;

use super::settings::{
    Dashboard, Load, Monitor, Profile, ServiceLevels, Settings, Theme, Tls, TlsMode,
};
use crate::model::probe::Slo;

/// MySQL's own port.
pub const PORT: u16 = 3306;

/// Where a server is when nothing says so.
pub const HOST: &str = "127.0.0.1";

impl Settings {
    /// What holds when no file, variable or flag says otherwise: no server, and the values of
    /// `monitor.toml` as it is shipped.
    #[must_use]
    pub fn built_in(profile: Profile) -> Self {
        Self {
            profile,
            servers: BTreeMap::new(),
            default_server: None,
            monitor: Monitor {
                interval: Duration::from_secs(1),
                overhead_budget: 0.01,
                statement_timeout: Duration::from_secs(5),
                lock_wait_timeout: Duration::from_secs(2),
                connect_timeout: Duration::from_secs(5),
            },
            dashboard: Dashboard {
                theme: Theme::Dark,
                ascii: false,
                mouse: true,
                read_only: false,
                max_fps: 10,
                keys: BTreeMap::new(),
            },
            load: Load {
                concurrency: 16,
                rate: None,
                stages: Vec::new(),
                operation_timeout: Duration::from_secs(10),
                max_rows: 10_000,
            },
            slo: ServiceLevels {
                response: Slo {
                    quantile: 0.95,
                    limit: Duration::from_millis(100),
                },
                analytics: Slo {
                    quantile: 0.95,
                    limit: Duration::from_secs(1),
                },
                concurrent_operations: 1_000,
                events_per_minute: 10_000,
                hit_ratio: 0.99,
                growth_per_month: 0.10,
                availability: 0.999,
            },
            unavailable: BTreeMap::new(),
        }
    }
}

impl Profile {
    /// Encryption that a server of this profile must have unless it says otherwise. Production
    /// fails without encryption; it does not verify the certificate, because the certificates
    /// that MySQL makes for itself cannot be verified without their authority file.
    #[must_use]
    pub fn default_tls(self) -> Tls {
        let mode = match self {
            Self::Production => TlsMode::Required,
            Self::Development | Self::Test => TlsMode::Preferred,
        };
        Tls { mode, ca: None }
    }

    /// Whether servers of this profile refuse changes unless they say otherwise.
    #[must_use]
    pub fn default_read_only(self) -> bool {
        self == Self::Production
    }
}
