//! The private server, for real: starting, reaching, ending it in every way.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mydex::sandbox::{Endpoint, Error, Options, Sandbox};
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

fn folder_of(endpoint: &Endpoint) -> PathBuf {
    endpoint.datadir.parent().unwrap().to_path_buf()
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

    let folder = folder_of(sandbox.endpoint());
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
    let line = std::fs::read(format!("/proc/{}/cmdline", sandbox.endpoint().pid)).unwrap();
    let log = std::fs::read(folder_of(sandbox.endpoint()).join("error.log")).unwrap();
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
    let (pid, folder) = (sandbox.pid(), folder_of(sandbox.endpoint()));
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
    let (pid, folder) = (sandbox.pid(), folder_of(sandbox.endpoint()));
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

/// Set for a process that is to own a server.
const OWNER: &str = "MYDEX_TEST_OWNER";

/// Another process that owns a server.
struct Owner {
    process: Child,
    server: u32,
    folder: PathBuf,
    socket: PathBuf,
}

impl Owner {
    /// Starts this test binary again as an owner, with folders of its own.
    fn start(environment: &[(&str, &Path)]) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "sandbox::owner", "--nocapture"])
            .env(OWNER, "1")
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let line = output
            .lines()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("READY ")?.1.to_owned()))
            .expect("the owner starts a server");
        let words: Vec<&str> = line.split(' ').collect();
        Self {
            process,
            server: words[0].parse().unwrap(),
            folder: words[1].into(),
            socket: words[2].into(),
        }
    }

    /// Its watchdog: the parent of the server.
    fn watchdog(&self) -> u32 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server)).unwrap();
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
        parent.unwrap().trim().parse().unwrap()
    }

    fn kill(mut self) -> (u32, PathBuf, PathBuf) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        (self.server, self.folder, self.socket)
    }
}

/// No test of its own: what [`Owner`] runs in another process, which it marks. Everywhere else
/// there is nothing to do.
#[tokio::test]
async fn owner() {
    if std::env::var_os(OWNER).is_none() {
        return;
    }
    let sandbox = Sandbox::start(&Options::default(), &mut server::quiet)
        .await
        .unwrap();
    println!(
        "READY {} {} {}",
        sandbox.pid(),
        folder_of(sandbox.endpoint()).display(),
        sandbox.socket().display()
    );
    std::io::stdin().lines().for_each(drop);
}

#[tokio::test]
async fn a_killed_owner_leaves_nothing() {
    let state = tempfile::tempdir().unwrap();
    let owner = Owner::start(&[("MYDEX_STATE_DIR", state.path())]);
    let watchdog = owner.watchdog();
    let (server, folder, _) = owner.kill();
    eventually("the end of the server", || !runs(server)).await;
    eventually("the removal of its folder", || !folder.exists()).await;
    eventually("the end of the watchdog", || !runs(watchdog)).await;
}

#[tokio::test]
async fn what_a_killed_watchdog_leaves_is_swept_by_the_next_start() {
    let state = tempfile::tempdir().unwrap();
    // Long enough that the socket has a folder of its own, which must go too.
    let state = state.path().join("x".repeat(100));
    let environment = [("MYDEX_STATE_DIR", state.as_path())];
    let owner = Owner::start(&environment);
    let alive = Owner::start(&environment);
    let watchdog = owner.watchdog().to_string();
    assert!(
        Command::new("kill")
            .args(["-KILL", &watchdog])
            .status()
            .unwrap()
            .success()
    );
    let (server, folder, socket) = owner.kill();
    let sockets = socket.parent().unwrap();
    assert!(!socket.starts_with(&folder));
    assert!(runs(server) && folder.exists() && sockets.exists());

    let next = Owner::start(&environment);
    assert!(!runs(server) && !folder.exists() && !sockets.exists());
    assert!(runs(alive.server) && alive.folder.exists());
    for owner in [alive, next] {
        let (server, folder, socket) = owner.kill();
        eventually("the end of the server", || !runs(server)).await;
        eventually("the removal of its folder", || !folder.exists()).await;
        eventually("the removal of its socket", || !socket.exists()).await;
    }
}

#[tokio::test]
async fn two_processes_make_the_data_directory_once() {
    // The installed server of the real cache, and no data directory yet.
    server::shared().await;
    let cache = tempfile::tempdir().unwrap();
    let installed = mydex::sandbox::place::cache_dir().unwrap().join("mysql");
    std::os::unix::fs::symlink(installed, cache.path().join("mysql")).unwrap();
    let state = tempfile::tempdir().unwrap();
    let environment = [
        ("MYDEX_STATE_DIR", state.path()),
        ("MYDEX_CACHE_DIR", cache.path()),
    ];
    let owners = std::thread::scope(|scope| {
        let starts = [0, 1].map(|_| scope.spawn(|| Owner::start(&environment)));
        starts.map(|start| start.join().unwrap())
    });
    let templates: Vec<String> = std::fs::read_dir(cache.path().join("template"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "lock")
        .collect();
    assert_eq!(templates.len(), 1, "{templates:?}");
    let certificates = owners
        .each_ref()
        .map(|owner| std::fs::read(owner.folder.join("data/ca.pem")).unwrap());
    assert_ne!(certificates[0], certificates[1]);
    for owner in owners {
        let (server, ..) = owner.kill();
        eventually("the end of the server", || !runs(server)).await;
    }
}
