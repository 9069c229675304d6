//! The private server, for real: starting, reaching, ending it in every way.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mydex::sandbox::{Error, Options, Sandbox};
use sqlx::{Connection, Executor, Row};

use crate::server;

/// Waits until `condition` holds, at most 20 s.
async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn runs(pid: u32) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

fn folder_of(sandbox: &Sandbox) -> PathBuf {
    sandbox.endpoint().datadir.parent().unwrap().to_path_buf()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn is_private_encrypted_and_has_a_password() {
    let sandbox = server::shared().await;
    let mut connection = server::connect(&sandbox.url()).await;
    let row = connection
        .fetch_one(
            "SELECT @@version, @@bind_address, @@performance_schema, @@max_connections, \
             (SELECT VARIABLE_VALUE FROM performance_schema.session_status \
               WHERE VARIABLE_NAME = 'Ssl_cipher') AS cipher",
        )
        .await
        .unwrap();
    assert_eq!(row.get::<String, _>(0), sandbox.endpoint().version);
    assert_eq!(row.get::<String, _>(1), "127.0.0.1");
    assert!(row.get::<bool, _>(2));
    assert!(row.get::<u64, _>(3) >= 1100);
    assert_ne!(row.get::<String, _>("cipher"), "");

    let folder = folder_of(sandbox);
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&sandbox.endpoint().datadir), 0o700);
    assert_eq!(mode(&folder.join("client.cnf")), 0o600);
    assert!(!folder.join("init.sql").exists());
}

#[tokio::test]
async fn the_password_is_nowhere_to_be_seen() {
    let sandbox = server::shared().await;
    let url = sandbox.url();
    let password = url.split([':', '@']).nth(2).unwrap();
    assert!(password.len() >= 24);
    let line = std::fs::read(format!("/proc/{}/cmdline", sandbox.pid())).unwrap();
    let log = std::fs::read(folder_of(sandbox).join("error.log")).unwrap();
    for bytes in [line, log, format!("{sandbox:?}").into_bytes()] {
        assert!(!String::from_utf8_lossy(&bytes).contains(password));
    }
    let refused = sqlx::MySqlConnection::connect(&url.replace(password, "")).await;
    let refused = refused.unwrap_err().into_database_error().unwrap();
    assert!(refused.message().contains("Access denied"), "{refused}");
}

#[tokio::test]
async fn a_schema_is_dropped_at_its_end() {
    let schema = server::schema("dropped").await;
    let name = schema.name().to_owned();
    let pool = schema.pool().await;
    pool.execute("CREATE TABLE t (a INT PRIMARY KEY)")
        .await
        .unwrap();
    pool.close().await;
    drop(schema);
    let mut connection = server::connect(&server::shared().await.url()).await;
    let left = sqlx::query("SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?")
        .bind(&name)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert!(left.is_empty());
}

#[tokio::test]
async fn stopping_leaves_nothing() {
    let sandbox = Sandbox::start(&Options::default(), &mut server::quiet)
        .await
        .unwrap();
    let (pid, folder) = (sandbox.pid(), folder_of(&sandbox));
    assert!(sandbox.is_running() && runs(pid));
    sandbox.stop().await.unwrap();
    assert!(!runs(pid));
    assert!(!folder.exists());
}

#[tokio::test]
async fn dropping_ends_the_server_too() {
    let sandbox = Sandbox::start(&Options::default(), &mut server::quiet)
        .await
        .unwrap();
    let (pid, folder) = (sandbox.pid(), folder_of(&sandbox));
    drop(sandbox);
    eventually("the end of the server", || !runs(pid)).await;
    eventually("the removal of its folder", || !folder.exists()).await;
}

#[tokio::test]
async fn a_busy_port_is_named() {
    let port = server::shared().await.port();
    let options = Options {
        port: Some(port),
        ..Options::default()
    };
    let error = Sandbox::start(&options, &mut server::quiet)
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::PortBusy { port: busy } if busy == port),
        "{error}"
    );
    assert!(error.remedy().is_some());
}

#[tokio::test]
async fn a_server_that_dies_shows_its_log() {
    let options = Options {
        extra: vec!["--no-such-setting=1".to_owned()],
        ..Options::default()
    };
    let error = Sandbox::start(&options, &mut server::quiet)
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::Died { .. }), "{text}");
    assert!(
        text.contains("unknown variable 'no-such-setting=1'"),
        "{text}"
    );
}
