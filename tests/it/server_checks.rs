//! Connections, capabilities, findings and kills against real servers.
//!
//! Each test has a server of its own where it changes what others would see.

use std::time::Duration;

use mydex::config::settings::{Monitor, Server, Tls, TlsMode};
use mydex::sandbox::{Endpoint, Options, Sandbox};
use secrecy::ExposeSecret as _;

/// Settings that reach a sandbox over TCP and TLS as its administrator.
pub(crate) fn settings(endpoint: &Endpoint) -> Server {
    Server {
        name: "test".into(),
        host: endpoint.host.into(),
        port: endpoint.port,
        socket: None,
        user: endpoint.user.into(),
        password: Some(endpoint.password.expose_secret().into()),
        database: None,
        tls: Tls {
            mode: TlsMode::Required,
            ca: None,
        },
        read_only: false,
    }
}

/// Limits as they are by default, with short waits.
pub(crate) fn limits() -> Monitor {
    Monitor {
        interval: Duration::from_secs(1),
        overhead_budget: 0.01,
        statement_timeout: Duration::from_secs(5),
        lock_wait_timeout: Duration::from_secs(2),
        connect_timeout: Duration::from_secs(5),
    }
}

/// A server of the calling test alone, with these arguments.
pub(crate) async fn own_server(extra: &[&str]) -> Sandbox {
    let options = Options {
        buffer_pool_mib: 64,
        extra: extra.iter().map(|&argument| argument.to_owned()).collect(),
        ..Options::default()
    };
    Sandbox::start(&options, &mut crate::server::quiet)
        .await
        .unwrap()
}
