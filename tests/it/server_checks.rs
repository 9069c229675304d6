//! Connections, capabilities and findings against real servers.
//!
//! Each test has a server of its own where it changes what others would see.

use std::time::Duration;

use mydex::cli::check::{self, Report};
use mydex::cli::error::Outcome;
use mydex::collect::{self, Once};
use mydex::config::settings::{Monitor, Server, Tls, TlsMode};
use mydex::model::status::Var;
use mydex::sandbox::{Endpoint, Options, Sandbox};
use mydex::server::cells::Cells as _;
use mydex::server::{self, Error, account};
use secrecy::ExposeSecret as _;
use sqlx::AssertSqlSafe;
use sqlx::mysql::MySqlConnection;

/// Of the accounts that the tests make.
const PASSWORD: &str = "only-for-this-test";

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

/// One connection of an administrator to a sandbox.
pub(crate) async fn admin(server: &Sandbox) -> MySqlConnection {
    crate::server::connect(&server.url()).await
}

/// Runs one statement.
pub(crate) async fn run(connection: &mut MySqlConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// The settings of a sandbox for another account, whose password is [`PASSWORD`].
fn as_user(endpoint: &Endpoint, user: &str) -> Server {
    Server {
        user: user.into(),
        password: Some(PASSWORD.into()),
        ..settings(endpoint)
    }
}

/// Figures of a short interval.
async fn glance(server: &Server) -> Once {
    let interval = tokio::time::sleep(Duration::from_millis(300));
    collect::once(server, &limits(), interval).await.unwrap()
}

fn codes(report: &Report) -> Vec<(&'static str, &'static str)> {
    let worth = report.findings.iter().filter(|f| f.severity != "ok");
    worth.map(|f| (f.severity, f.code)).collect()
}

async fn judged(server: &Server) -> Report {
    let (document, report) = check::check(server, &limits(), &check::Args::default())
        .await
        .unwrap();
    assert!(!document.blocks.is_empty());
    report
}

#[tokio::test]
async fn failures_to_connect_say_what_to_do() {
    let server = crate::server::shared().await;
    let good = settings(server.endpoint());

    let mut wrong = good.clone();
    wrong.password = Some("not-the-s3cret".into());
    let error = server::open(&wrong, &limits()).await.unwrap_err();
    assert!(matches!(error, Error::WrongPassword { .. }), "{error}");
    assert!(!format!("{error} {error:?} {}", error.hint()).contains("s3cret"));

    let mut wrong = good.clone();
    wrong.host = "no-such-host.invalid".into();
    let error = server::open(&wrong, &limits()).await.unwrap_err();
    assert!(matches!(error, Error::UnknownHost { .. }), "{error}");

    let mut wrong = good.clone();
    // Port 1 of the loopback has nobody who listens.
    wrong.port = 1;
    let error = server::open(&wrong, &limits()).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");

    let mut wrong = good.clone();
    wrong.tls.mode = TlsMode::VerifyCa;
    let error = server::open(&wrong, &limits()).await.unwrap_err();
    assert!(matches!(error, Error::TlsFailed { .. }), "{error}");

    let mut wrong = good.clone();
    wrong.socket = Some("/nonexistent/mysql.sock".into());
    let error = server::open(&wrong, &limits()).await.unwrap_err();
    assert!(matches!(error, Error::Socket { .. }), "{error}");

    let mut wrong = good.clone();
    wrong.database = Some("no_such_schema".into());
    let error = server::open(&wrong, &limits()).await.unwrap_err();
    assert!(matches!(error, Error::UnknownDatabase { .. }), "{error}");
}

#[tokio::test]
async fn services_that_are_not_mysql_are_recognised() {
    use tokio::io::AsyncWriteExt as _;
    let mut short = limits();
    short.connect_timeout = Duration::from_millis(300);
    for greeting in [
        &b""[..],
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x05\x00\x00\x00\x0b\x08\x05\x1a\x00",
        b"\x01\x00\x00\x00\x00",
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let service = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(greeting).await.unwrap();
            tokio::time::sleep(Duration::from_secs(5)).await;
        });
        let mut odd = settings(crate::server::shared().await.endpoint());
        odd.port = port;
        let error = server::open(&odd, &short).await.unwrap_err();
        assert!(
            matches!(error, Error::NotMySql { .. } | Error::ConnectTimeout { .. }),
            "{greeting:?}: {error}"
        );
        service.abort();
    }
}

#[tokio::test]
async fn the_account_that_check_prints_is_enough_for_everything() {
    let server = own_server(&[]).await;
    let mut root = admin(&server).await;
    for statement in account::monitoring_account("mydex@%") {
        run(&mut root, &statement.replace("<password>", PASSWORD)).await;
    }
    let watched = as_user(server.endpoint(), "mydex");

    let report = judged(&watched).await;
    assert!(
        codes(&report)
            .iter()
            .all(|(severity, _)| *severity == "note"),
        "{:?}",
        codes(&report)
    );
    assert!(!codes(&report).contains(&("note", "account-too-powerful")));
    assert_eq!(check::outcome(&report), Outcome::Fine);

    let once = glance(&watched).await;
    assert_eq!(once.interval.missing, [""; 0]);
    assert!(once.interval.latency.is_some());
    assert!(once.digests.is_some());
    assert_eq!(once.facts.account, "mydex@%");
}

#[tokio::test]
async fn an_account_without_grants_is_told_the_exact_grants() {
    let server = own_server(&[]).await;
    let mut root = admin(&server).await;
    let account = format!("CREATE USER nobody@'%' IDENTIFIED BY '{PASSWORD}'");
    run(&mut root, &account).await;
    let watched = as_user(server.endpoint(), "nobody");

    let report = judged(&watched).await;
    assert_eq!(check::outcome(&report), Outcome::Problem);
    assert_eq!(report.findings[0].code, "grant-performance-schema");
    let once = glance(&watched).await;
    assert_eq!(once.interval.growth(Var::Questions), Some(0));
    assert!(!once.interval.missing.is_empty());
    assert!(once.digests.is_none());

    // The remedies are statements: following them ends the complaints.
    for finding in report
        .findings
        .iter()
        .filter(|f| f.code.starts_with("grant"))
    {
        run(&mut root, &finding.remedy).await;
    }
    let report = judged(&watched).await;
    assert_eq!(check::outcome(&report), Outcome::Fine);
    assert!(
        codes(&report)
            .iter()
            .all(|(_, code)| !code.starts_with("grant"))
    );
}

#[tokio::test]
async fn a_server_without_performance_schema_is_watched_as_far_as_possible() {
    let server = own_server(&["--performance-schema=OFF"]).await;
    let watched = settings(server.endpoint());
    let report = judged(&watched).await;
    assert_eq!(report.findings[0].code, "performance-schema");
    assert_eq!(check::outcome(&report), Outcome::Problem);

    let mut other = admin(&server).await;
    let busy = tokio::spawn(async move {
        let _ = sqlx::raw_sql("SELECT SLEEP(3)").execute(&mut other).await;
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let once = glance(&watched).await;
    assert_eq!(once.interval.sessions_total, 1);
    let statement = once.interval.sessions[0].statement.as_deref();
    assert_eq!(statement, Some("SELECT SLEEP(3)"));
    assert!(once.interval.latency.is_none());
    busy.abort();
}

#[tokio::test]
async fn a_server_without_tls_is_refused_when_tls_is_required() {
    let server = own_server(&["--tls-version="]).await;
    let mut watched = settings(server.endpoint());
    let error = server::open(&watched, &limits()).await.unwrap_err();
    assert!(matches!(error, Error::TlsNotOffered { .. }), "{error}");

    // Without encryption the password travels under the server's public key.
    watched.tls.mode = TlsMode::Preferred;
    let report = judged(&watched).await;
    assert!(
        codes(&report).contains(&("warning", "tls")),
        "{:?}",
        codes(&report)
    );
}

#[tokio::test]
async fn a_full_server_says_so() {
    let server = own_server(&[]).await;
    let mut root = admin(&server).await;
    let account = format!("CREATE USER app@'%' IDENTIFIED BY '{PASSWORD}'");
    run(&mut root, &account).await;
    run(&mut root, "SET GLOBAL max_connections = 1").await;
    let watched = as_user(server.endpoint(), "app");
    let error = server::open(&watched, &limits()).await.unwrap_err();
    assert!(matches!(error, Error::TooManyConnections { .. }), "{error}");
}

#[tokio::test]
async fn consumers_and_text_lengths_are_judged() {
    let server = own_server(&[
        "--performance-schema-consumer-statements-digest=OFF",
        "--performance-schema-consumer-events-statements-history=OFF",
        "--performance-schema-max-sql-text-length=256",
    ])
    .await;
    let report = judged(&settings(server.endpoint())).await;
    let found = codes(&report);
    assert_eq!(found[0], ("problem", "consumer"));
    assert!(found.contains(&("warning", "consumer")), "{found:?}");
    assert!(found.contains(&("warning", "text-length")), "{found:?}");
}

#[tokio::test]
async fn a_connection_that_was_left_without_an_answer_is_not_used_again() {
    let watched = settings(crate::server::shared().await.endpoint());
    let mut connection = server::open(&watched, &limits()).await.unwrap();
    connection.set_patience(Duration::from_millis(200));
    let error = connection.run("a nap", "DO SLEEP(2)").await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
    assert!(connection.is_broken());
    let error = connection.run("another", "DO 1").await.unwrap_err();
    assert!(error.is_fatal(), "{error}");
}

#[tokio::test]
async fn the_session_has_its_limits_and_leaves_the_sql_mode_alone() {
    let shared = crate::server::shared().await;
    let watched = settings(shared.endpoint());
    let mut connection = server::open(&watched, &limits()).await.unwrap();
    let row = connection
        .first(
            "the session",
            "SELECT @@lock_wait_timeout, @@max_execution_time, @@transaction_isolation, \
             @@transaction_read_only, @@sql_mode = @@global.sql_mode, @@time_zone = @@global.time_zone",
        )
        .await
        .unwrap()
        .unwrap();
    let values: Vec<_> = (0..6).map(|i| row.text(i).unwrap()).collect();
    assert_eq!(values[..4], ["2", "5000", "READ-COMMITTED", "1"]);
    assert_eq!(values[5], "1");
    let long = connection
        .rows("a long one", "SELECT COUNT(*) FROM information_schema.COLUMNS a, information_schema.COLUMNS b, information_schema.COLUMNS c")
        .await
        .unwrap_err();
    assert!(matches!(long, Error::Ended { number: 3024, .. }), "{long}");
    connection.run("still usable", "DO 1").await.unwrap();
}
