//! `mydex sandbox` as a person or a script uses it: the real binary, with a state folder of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::server;

/// A state folder whose sandboxes are ended with it, also when the test fails.
struct Bench {
    state: tempfile::TempDir,
}

impl Bench {
    /// The cache is filled first, so that no test downloads while another waits for it.
    async fn new() -> Self {
        server::shared().await;
        Self {
            state: tempfile::tempdir().unwrap(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mydex"));
        command
            .arg("sandbox")
            .args(arguments)
            .env("MYDEX_STATE_DIR", self.state.path())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = self.run(&["down", "--all"]);
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned()
}

/// A folder with one program in it, to stand first on PATH.
fn folder_with(name: &str, script: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

#[tokio::test]
async fn servers_live_side_by_side_until_down() {
    let bench = Bench::new().await;
    let one = bench.json(&["up", "--name", "one", "--format", "json"]);
    let two = bench.json(&["up", "--name", "two", "--format", "json"]);
    assert_ne!(one["port"], two["port"]);
    assert_ne!(one["password"], two["password"]);
    for sandbox in [&one, &two] {
        server::connect(sandbox["url"].as_str().unwrap()).await;
    }

    let again = bench.run(&["up", "--name", "one"]);
    assert_eq!(printed(&again), one["url"].as_str().unwrap());
    assert!(
        said(&again).contains("was already running"),
        "{}",
        said(&again)
    );
    assert_eq!(
        printed(&bench.run(&["url", "--name", "one"])),
        printed(&again)
    );

    let status = bench.run(&["status", "--format", "json"]);
    for sandbox in [&one, &two] {
        assert!(!printed(&status).contains(sandbox["password"].as_str().unwrap()));
    }
    let listed: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(listed[0]["name"], "one");
    assert_eq!(listed[0]["state"], "running");
    assert_eq!(listed[1]["pid"], two["pid"]);

    let ended = bench.run(&["down", "--name", "one"]);
    assert_eq!(ended.status.code(), Some(0));
    let gone = bench.run(&["url", "--name", "one"]);
    assert_eq!(gone.status.code(), Some(2));
    assert!(
        said(&gone).contains("no sandbox `one` is running"),
        "{}",
        said(&gone)
    );
    server::connect(two["url"].as_str().unwrap()).await;
    bench.run(&["down", "--all"]);
    assert_eq!(
        bench.json(&["status", "--format", "json"]),
        Value::Array(Vec::new())
    );
}

#[tokio::test]
async fn the_shell_logs_in_without_a_password_in_sight() {
    let bench = Bench::new().await;
    bench.json(&["up", "--format", "json", "--", "--max-allowed-packet=5M"]);
    let query = "SELECT CONCAT(CURRENT_USER(), ' ', @@max_allowed_packet)";
    let answer = bench.run(&["shell", "--", "--batch", "--skip-column-names", "-e", query]);
    assert_eq!(
        printed(&answer),
        "root@localhost 5242880",
        "{}",
        said(&answer)
    );
}

#[tokio::test]
async fn data_is_kept_when_only_the_server_ended() {
    let bench = Bench::new().await;
    let before = bench.json(&["up", "--format", "json"]);
    bench.run(&["shell", "--", "-e", "CREATE DATABASE kept"]);
    let pid = before["pid"].to_string();
    let killed = Command::new("kill").args(["-KILL", &pid]).status().unwrap();
    assert!(killed.success());
    let deadline = Instant::now() + Duration::from_secs(10);
    while bench.json(&["status", "--format", "json"])[0]["state"] != "stopped" {
        assert!(Instant::now() < deadline, "the server did not end");
    }
    let after = bench.json(&["up", "--format", "json"]);
    assert_eq!(after["was_running"], false);
    assert_eq!(after["password"], before["password"]);
    let found = bench.run(&[
        "shell",
        "--",
        "-N",
        "-B",
        "-e",
        "SHOW DATABASES LIKE 'kept'",
    ]);
    assert_eq!(printed(&found), "kept");
}

#[tokio::test]
async fn an_interrupted_start_leaves_nothing() {
    let bench = Bench::new().await;
    let mut starting = bench
        .command(&["up"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let folder = bench.state.path().join("sandbox/named/default");
    let deadline = Instant::now() + Duration::from_secs(20);
    // The server's process id is written down when it has been started and is not ready yet.
    while !folder.join("server").exists() {
        assert!(Instant::now() < deadline, "the server did not start");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let server = fs::read_to_string(folder.join("server")).unwrap();
    let pid = starting.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(starting.wait().unwrap().code(), Some(130));
    let process = Path::new("/proc").join(server.trim());
    while folder.exists() || process.exists() {
        assert!(Instant::now() < deadline, "something was left");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_maria_db_is_passed_over_and_refused_when_named() {
    let bench = Bench::new().await;
    let maria = folder_with(
        "mysqld",
        "#!/bin/sh\necho 'mysqld  Ver 10.11.6-MariaDB for debian-linux-gnu on x86_64'\n",
    );
    let path = format!(
        "{}:{}",
        maria.path().display(),
        std::env::var("PATH").unwrap()
    );
    let passed = bench.command(&["up"]).env("PATH", path).output().unwrap();
    assert_eq!(passed.status.code(), Some(0), "{}", said(&passed));
    assert!(
        said(&passed).contains("it is MariaDB `10.11.6-MariaDB`"),
        "{}",
        said(&passed)
    );

    let named = maria.path().join("mysqld");
    let refused = bench.run(&["up", "--name", "m", "--mysqld", named.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(said(&refused).contains("not MySQL"), "{}", said(&refused));
}

#[tokio::test]
async fn what_cannot_work_says_what_to_do() {
    let bench = Bench::new().await;
    let nothing = tempfile::tempdir().unwrap();
    let has_mysqld = ["/usr/sbin/mysqld", "/usr/local/sbin/mysqld"]
        .iter()
        .any(|path| Path::new(path).exists());
    if !has_mysqld {
        let bare = bench
            .command(&["up"])
            .env("PATH", nothing.path())
            .env("MYDEX_CACHE_DIR", nothing.path())
            .output()
            .unwrap();
        assert_eq!(bare.status.code(), Some(2));
        let text = said(&bare);
        assert!(
            text.contains("no `apt-get` here") && text.contains("--mysqld PATH"),
            "{text}"
        );
    }

    let cache = bench
        .command(&["install"])
        .env("MYDEX_CACHE_DIR", "/dev/null/cache")
        .output()
        .unwrap();
    assert_eq!(cache.status.code(), Some(2));
    assert!(said(&cache).contains("can't create the folder `/dev/null/cache/mysql`"));

    let name = bench.run(&["up", "--name", "../up"]);
    assert_eq!(name.status.code(), Some(2));
    assert!(
        said(&name).contains("`../up` is not a name"),
        "{}",
        said(&name)
    );

    let dying = bench.run(&["up", "--", "--no-such-setting=1"]);
    assert_eq!(dying.status.code(), Some(2));
    assert!(
        said(&dying).contains("unknown variable 'no-such-setting=1'"),
        "{}",
        said(&dying)
    );
    assert!(!bench.state.path().join("sandbox/named/default").exists());
}
