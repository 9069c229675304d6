//! One server for many test processes, for runners that give each test a process of its own.
//!
//! The server belongs to a keeper, which is this test binary started once more. Every process that
//! uses the server holds a shared lock for as long as it lives; when the keeper gets the lock for
//! itself, nobody is left, and it ends the server. The kernel frees the lock of a killed process.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use mydex::sandbox::{Endpoint, Sandbox};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

/// Set for a process that is to be the keeper.
const KEEPER: &str = "MYDEX_TEST_KEEPER";

/// A lock file of the keeper's folder.
fn lock_file(name: &str) -> File {
    fs::create_dir_all(folder()).unwrap();
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder().join(name))
        .unwrap()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("shared-server")
}

/// The shared server, started when it does not run; used until the file is closed.
pub(crate) fn join() -> (Endpoint, File) {
    let users = lock_file("users.lock");
    // Waits while a keeper that nobody needed any more ends its server.
    users.lock_shared().unwrap();
    let starting = lock_file("start.lock");
    starting.lock().unwrap();
    let known = read().filter(is_server);
    let endpoint = known.unwrap_or_else(start_keeper);
    drop(starting);
    (endpoint, users)
}

fn start_keeper() -> Endpoint {
    let _ = fs::remove_file(folder().join("server.json"));
    let log = folder().join("keeper.log");
    #[expect(
        clippy::zombie_processes,
        reason = "it outlives this process by design"
    )]
    let mut keeper = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "keeper::keep", "--nocapture"])
        .env(KEEPER, "1")
        .stdin(Stdio::null())
        .stdout(File::create(&log).unwrap())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    loop {
        if let Some(endpoint) = read() {
            return endpoint;
        }
        if let Some(status) = keeper.try_wait().unwrap() {
            let said = fs::read_to_string(&log).unwrap_or_default();
            panic!("the keeper of the server ended, {status}: {said}");
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "under a lock, outside of any runtime"
        )]
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// No test of its own: what [`start_keeper`] runs in another process, which it marks. Everywhere
/// else there is nothing to do.
#[tokio::test]
async fn keep() {
    if std::env::var_os(KEEPER).is_none() {
        return;
    }
    let sandbox = Sandbox::start(&super::server::options(), &mut super::server::quiet)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    write(sandbox.endpoint());
    let users = lock_file("users.lock");
    loop {
        tokio::time::sleep(Duration::from_secs(2)).await;
        if users.try_lock().is_ok() {
            break;
        }
    }
    fs::remove_file(folder().join("server.json")).unwrap();
    sandbox.stop().await.unwrap();
}

fn is_server(endpoint: &Endpoint) -> bool {
    let mark = format!("--datadir={}", endpoint.datadir.display());
    fs::read(format!("/proc/{}/cmdline", endpoint.pid))
        .is_ok_and(|line| String::from_utf8_lossy(&line).contains(&mark))
}

fn write(endpoint: &Endpoint) {
    let text = json!({
        "port": endpoint.port,
        "pid": endpoint.pid,
        "socket": endpoint.socket,
        "datadir": endpoint.datadir,
        "password": endpoint.password.expose_secret(),
        "version": endpoint.version,
        "client": endpoint.client,
    })
    .to_string();
    let unfinished = folder().join("server.new");
    let _ = fs::remove_file(&unfinished);
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&unfinished)
        .unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    fs::rename(unfinished, folder().join("server.json")).unwrap();
}

fn read() -> Option<Endpoint> {
    let text = fs::read_to_string(folder().join("server.json")).ok()?;
    let value: Value = serde_json::from_str(&text).unwrap();
    let text = |name: &str| value[name].as_str().unwrap().to_owned();
    Some(Endpoint {
        host: "127.0.0.1",
        port: serde_json::from_value(value["port"].clone()).unwrap(),
        socket: text("socket").into(),
        user: "root",
        password: text("password").into(),
        version: text("version"),
        datadir: text("datadir").into(),
        pid: serde_json::from_value(value["pid"].clone()).unwrap(),
        client: serde_json::from_value(value["client"].clone()).unwrap(),
    })
}
