//! View 7 of the built binary on a real terminal: a load is begun on a real server after the typed
//! word and no other way, steered while it runs, and ended with its connections.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::pty::Terminal;
use crate::server;

const SOON: Duration = Duration::from_mins(1);

const PACK: &str = "name = \"market\"\ndescription = \"Stalls of a market\"\nversion = 1\n";

const TABLES: &str = "CREATE TABLE stalls (id INT UNSIGNED NOT NULL PRIMARY KEY, \
                      street INT UNSIGNED NOT NULL, state VARCHAR(12) NOT NULL, \
                      KEY of_street (street));\n";

const DATA: &str = r#"
now = 2026-11-01T00:00:00Z

[[table]]
name = "stalls"
rows = 1000
[table.columns]
id = { kind = "sequence" }
street = { kind = "uniform", min = 1, max = 50 }
state = { kind = "choice", values = ["open", "shut"], weights = [1, 9] }
"#;

const PROBES: &str = r#"
[[probe]]
name = "of-street"
description = "The stalls of a street"
kind = "read"
rate = 10
weight = 1
sql = "SELECT id, state FROM stalls WHERE street = :street ORDER BY id"
[probe.params]
street = { kind = "uniform", min = 1, max = 50 }

[[probe]]
name = "shut-down"
description = "A street shuts"
kind = "write"
rate = 1
weight = 1
sql = "UPDATE stalls SET state = 'shut' WHERE street = :street AND state = 'open'"
[probe.params]
street = { kind = "uniform", min = 1, max = 50 }
"#;

/// Connections of the dashboard itself.
const OWN: i64 = 2;

struct Market {
    schema: server::Schema,
    folder: tempfile::TempDir,
}

impl Market {
    async fn new(name: &str) -> Self {
        let market = Self {
            schema: server::schema(name).await,
            folder: tempfile::tempdir().unwrap(),
        };
        let pack = market.folder.path().join("market");
        fs::create_dir_all(pack.join("probes")).unwrap();
        for (name, text) in [
            ("pack.toml", PACK),
            ("schema.sql", TABLES),
            ("data.toml", DATA),
            ("probes/all.toml", PROBES),
        ] {
            fs::write(pack.join(name), text).unwrap();
        }
        market
    }

    fn state(&self) -> std::path::PathBuf {
        self.folder.path().join("state")
    }

    fn run(&self, arguments: &[&str]) {
        let output = Command::new(env!("CARGO_BIN_EXE_mydex"))
            .args(arguments)
            .args(["--database", self.schema.name()])
            .current_dir(self.folder.path())
            .env("MYDEX_URL", self.schema.url())
            .env("MYDEX_STATE_DIR", self.state())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{errors}");
    }

    fn top(&self, arguments: &[&str]) -> Terminal {
        let (url, state) = (self.schema.url(), self.state());
        let environment = [
            ("MYDEX_URL", url.as_str()),
            ("MYDEX_STATE_DIR", state.to_str().unwrap()),
        ];
        let database = ["--database", self.schema.name()];
        let arguments = [&["top", "--pack", "market"], &database[..], arguments].concat();
        let program = OsStr::new(env!("CARGO_BIN_EXE_mydex"));
        let mut terminal = Terminal::start_in(
            self.folder.path(),
            40,
            150,
            program,
            &arguments,
            &environment,
        );
        terminal.wait_for("data", SOON, |screen| {
            screen.contains("live") && screen.contains("connected")
        });
        terminal.send("7");
        terminal.wait_for("view 7", SOON, |screen| screen.contains("[7 Pool"));
        terminal
    }

    /// Connections into the schema; two of them are the dashboard's own while it is open.
    async fn connections(&self) -> i64 {
        sqlx::query_scalar("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = ?")
            .bind(self.schema.name())
            .fetch_one(&mut server::connect(&server::shared().await.url()).await)
            .await
            .unwrap()
    }
}

/// The line of a probe in the table.
fn line<'a>(screen: &'a str, probe: &str) -> &'a str {
    let is_row = |line: &&str| line.contains(probe) && !line.contains("filter:");
    screen.lines().find(is_row).unwrap_or_default()
}

#[track_caller]
fn wait_for_row(terminal: &mut Terminal, what: &str, probe: &str, sign: &str) {
    terminal.wait_for(what, SOON, |screen| line(screen, probe).contains(sign));
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_load_is_begun_steered_and_ended_from_the_screen() {
    let market = Market::new("view7").await;
    market.run(&["probe", "load", "market"]);
    market.run(&[
        "baseline", "record", "market", "--timed", "2s", "-o", "was.json",
    ]);
    let before = files(market.folder.path());
    let mut terminal = market.top(&["--baseline", "was.json"]);
    terminal.wait_for("the offer", SOON, |screen| {
        screen.contains("S runs pack market here: 2 probes, 11/s")
    });
    // Another word begins nothing.
    for answer in ["y\r", "\x1b"] {
        terminal.send("S");
        terminal.wait_for("the question", SOON, |screen| {
            screen.contains("1 of them change rows: shut-down") && screen.contains("and Enter:")
        });
        terminal.send(answer);
        terminal.wait_for("a refusal", SOON, |screen| {
            screen.contains("no load was begun")
        });
    }
    assert!(market.connections().await <= OWN);
    terminal.send("Srun\r");
    wait_for_row(
        &mut terminal,
        "the load beside its baseline",
        "of-street",
        "10",
    );
    let screen = terminal.wait_for("the baseline", SOON, |screen| {
        screen.contains("was: was.json, timed for 2.00s")
    });
    assert!(screen.contains("was p95"), "{screen}");
    // What an operation examines, by the digests: 20 stalls of 1,000 in one of 50 streets.
    terminal.wait_for("rows examined", SOON, |screen| {
        let line = line(screen, "of-street").trim_end_matches(['│', ' ']);
        let figures: Vec<&str> = line.split_whitespace().collect();
        let of = |back: usize| figures[figures.len() - back].parse::<f64>();
        figures.len() > 10 && of(1).is_ok() && of(2).is_ok_and(|now| (10.0..40.0).contains(&now))
    });
    terminal.send("/of-street\r");
    terminal.wait_for("one row", SOON, |screen| !screen.contains("w shut-down"));
    terminal.send("s");
    wait_for_row(&mut terminal, "a stopped probe", "of-street", "off");
    terminal.send("s");
    wait_for_row(&mut terminal, "a started probe", "of-street", "10");
    terminal.send("e25\r");
    wait_for_row(&mut terminal, "another rate", "of-street", "▴25");
    terminal.send("u");
    terminal.wait_for("the rate before", SOON, |screen| {
        !line(screen, "of-street").contains("▴25")
    });
    assert_eq!(market.connections().await, 16 + OWN);
    terminal.send("S");
    terminal.wait_for("its end", SOON, |screen| {
        screen.contains("asks first; ended") && screen.contains("completed, 0 not")
    });
    assert!(market.connections().await <= OWN);
    // Leaving the dashboard ends a load as well.
    terminal.send("Srun\r");
    wait_for_row(&mut terminal, "a second load", "of-street", "10");
    terminal.send("q");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(0));
    assert_eq!(market.connections().await, 0);
    assert_eq!(files(market.folder.path()), before);
}

#[tokio::test]
async fn without_its_data_or_with_read_only_nothing_begins() {
    let market = Market::new("view7_empty").await;
    let mut terminal = market.top(&["--baseline", "gone.json"]);
    terminal.wait_for("what is wrong with the file", SOON, |screen| {
        screen.contains("no baseline from gone.json: cannot read `gone.json`")
    });
    terminal.send("Srun\r");
    terminal.wait_for("a refusal", SOON, |screen| {
        screen.contains("pack `market` is not loaded in schema")
    });
    terminal.send("q");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(0));
    market.run(&["probe", "load", "market"]);
    let mut terminal = market.top(&["--read-only"]);
    terminal.send("Srun\r");
    terminal.wait_for("a refusal", SOON, |screen| {
        screen.contains("read-only: none can be begun")
    });
    assert!(market.connections().await <= OWN);
    terminal.send("q");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(0));
}
