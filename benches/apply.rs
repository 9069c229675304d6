//! `index apply` and `index rollback` under everything that can happen to them.
//!
//! `cargo bench --bench apply [-- PART…]` starts a private server and runs the parts `kills`,
//! `boundaries`, `forms`, `races`, `bystander` and `undo`, or those that are named:
//!
//! - `kills`: `mydex index apply --execute` and `mydex index rollback --execute` as processes that
//!   are ended by SIGKILL at 200 random moments; then the next run, in a random direction, has to
//!   come to exactly one side or the other.
//! - `boundaries`: a process of its own ends itself by SIGKILL at every boundary between two steps,
//!   in both directions; `boundaries-back` takes the way back alone.
//! - `forms`: every form of an index there, back, and there again; indexes that somebody wrote,
//!   dropped and brought back.
//! - `races`: 100 times four appliers at once.
//! - `bystander`: how long others wait while a change waits behind an open transaction.
//! - `undo`: how long it takes to undo a drop that soaks.
//!
//! `MYDEX_BENCH_WORKERS` (4) trials run at once in `kills`, `boundaries` and `forms`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench ends loudly at what it did not expect"
)]

#[path = "apply/boundaries.rs"]
mod boundaries;
#[path = "../tests/it/apply/forms.rs"]
mod forms;
#[path = "apply/kills.rs"]
mod kills;
#[path = "../tests/it/apply/stage.rs"]
mod stage;
#[path = "apply/there_and_back.rs"]
mod there_and_back;
#[path = "apply/timed.rs"]
mod timed;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use boundaries::{boundaries, child};
use kills::kills;
use mydex::config::load::Loaded;
use mydex::config::settings::{Server, Tls, TlsMode};
use mydex::indexes::apply::{self, Change, End, Event, Options, Outcome, Range, Unjudged};
use mydex::indexes::files::{self, Entry};
use mydex::indexes::ledger;
use mydex::indexes::reconcile::Direction;
use mydex::model::ledger::State;
use mydex::sandbox::{self, Sandbox};
use mydex::server::audit::Audit;
use sqlx::ConnectOptions as _;
use sqlx::mysql::MySqlConnection;
use there_and_back::{all_forms, races};
use timed::{bystander, undo};
use tokio_util::sync::CancellationToken;

/// Random moments.
const KILLS: usize = 200;

/// Races of four.
const RACES: usize = 100;

/// Rows of the stage's table.
const ROWS: u32 = 8_000;

fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|one| one != "--bench")
        .collect();
    if let Some(("child", rest)) = arguments
        .split_first()
        .map(|(one, rest)| (one.as_str(), rest))
    {
        runtime.block_on(child(rest));
        return ExitCode::SUCCESS;
    }
    runtime.block_on(async {
        let sandbox = Sandbox::start(&sandbox::Options::default(), &mut |_| {})
            .await
            .unwrap();
        let endpoint = sandbox.endpoint();
        let place = Place {
            port: endpoint.port,
            password: secret(&endpoint.url()),
        };
        let is_asked =
            |part: &str| arguments.is_empty() || arguments.iter().any(|asked| asked == part);
        if is_asked("forms") {
            all_forms(&place).await;
        }
        if is_asked("undo") {
            undo(&place).await;
        }
        if is_asked("bystander") {
            bystander(&place).await;
        }
        if is_asked("races") {
            Box::pin(races(&place)).await;
        }
        if is_asked("boundaries") {
            boundaries(&place, &[Direction::Up, Direction::Down]).await;
        }
        if arguments.iter().any(|asked| asked == "boundaries-back") {
            boundaries(&place, &[Direction::Down]).await;
        }
        if is_asked("kills") {
            kills(&place).await;
        }
        sandbox.stop().await.unwrap();
    });
    ExitCode::SUCCESS
}

/// The throwaway password of the private server.
fn secret(url: &str) -> String {
    let (_, rest) = url.split_once("root:").unwrap();
    rest.split_once('@').unwrap().0.to_owned()
}

fn workers() -> usize {
    let told = std::env::var("MYDEX_BENCH_WORKERS").ok();
    told.and_then(|text| text.parse().ok()).unwrap_or(4)
}

/// Where the server is.
#[derive(Debug, Clone)]
struct Place {
    port: u16,
    password: String,
}

impl Place {
    fn server(&self) -> Server {
        Server {
            name: "bench".to_owned(),
            host: "127.0.0.1".to_owned(),
            port: self.port,
            socket: None,
            user: "root".to_owned(),
            password: Some(self.password.clone().into()),
            database: None,
            tls: Tls {
                mode: TlsMode::Preferred,
                ca: None,
            },
            read_only: false,
        }
    }

    async fn connect(&self) -> MySqlConnection {
        mydex::server::options(&self.server())
            .connect()
            .await
            .unwrap()
    }
}

/// A schema, its definitions, and a folder for them and the audit log.
struct Scene {
    place: Place,
    schema: String,
    entries: Vec<Entry>,
    home: PathBuf,
    _kept: Option<tempfile::TempDir>,
}

impl Scene {
    fn new(place: &Place, schema: &str, folder: &[(&str, &str)]) -> Self {
        let kept = tempfile::tempdir().unwrap();
        let home = kept.path().to_owned();
        stage::write_folder(&home.join("indexes"), folder);
        Self {
            _kept: Some(kept),
            ..Self::at(place, schema, &home)
        }
    }

    /// One that is there already.
    fn at(place: &Place, schema: &str, home: &Path) -> Self {
        let mut texts = Vec::new();
        for file in std::fs::read_dir(home.join("indexes")).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            texts.push((name, std::fs::read_to_string(path).unwrap()));
        }
        let (entries, mistakes) = files::entries("", texts);
        assert_eq!(mistakes, []);
        Self {
            place: place.clone(),
            schema: schema.to_owned(),
            entries,
            home: home.to_owned(),
            _kept: None,
        }
    }

    async fn go(
        &self,
        direction: Direction,
        options: &Options,
        watch: &mut (dyn FnMut(Event) + Send),
    ) -> Outcome {
        let (server, audit) = (self.place.server(), Audit::in_folder(&self.home));
        let never = CancellationToken::new();
        let schema = self.schema.as_str();
        let outcome = match direction {
            Direction::Up => {
                let changes: Vec<Change<'_>> = self
                    .entries
                    .iter()
                    .map(|entry| Change { entry, schema })
                    .collect();
                apply::apply(&server, &audit, &changes, options, &Unjudged, watch, &never).await
            }
            Direction::Down => {
                let schemas: BTreeSet<String> = [schema.to_owned()].into();
                let range = Range::Behind(0);
                apply::rollback(&server, &audit, &schemas, range, options, watch, &never).await
            }
        };
        outcome.unwrap()
    }

    /// To the end, whatever happened before.
    async fn settle(&self, direction: Direction) -> Outcome {
        let outcome = self.go(direction, &options(), &mut |_| {}).await;
        assert!(matches!(outcome.end, End::Complete), "{outcome:?}");
        outcome
    }

    async fn print(&self, sql: &mut MySqlConnection) -> String {
        stage::fingerprint(sql, &self.schema).await
    }
}

fn options() -> Options {
    let mut limits = Loaded::built_in().settings.monitor;
    // A machine that is busy otherwise is no reason to fail.
    limits.connect_timeout = Duration::from_mins(1);
    limits.statement_timeout = Duration::from_mins(1);
    Options {
        soak: Duration::ZERO,
        ..Options::new(limits)
    }
}

/// Runs `work` for each number, several at once.
async fn each<F>(count: usize, work: impl Fn(usize) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut running = tokio::task::JoinSet::new();
    for number in 0..count {
        if running.len() >= workers() {
            running.join_next().await.unwrap().unwrap();
        }
        running.spawn(work(number));
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
}

/// What a scene looks like on both sides; it stands on the lower one.
async fn sides(scene: &Scene, sql: &mut MySqlConnection) -> (String, String) {
    let down = scene.print(sql).await;
    scene.settle(Direction::Up).await;
    let up = scene.print(sql).await;
    scene.settle(Direction::Down).await;
    assert_eq!(scene.print(sql).await, down);
    (down, up)
}

/// From the side where it stands, ended by `end`, and then settled in some direction.
async fn ended_and_settled(
    scene: &Scene,
    sql: &mut MySqlConnection,
    (down, up): &(String, String),
    direction: Direction,
    goes_on: bool,
) {
    let to = if goes_on == (direction == Direction::Up) {
        Direction::Up
    } else {
        Direction::Down
    };
    scene.settle(to).await;
    let expected = if to == Direction::Up { up } else { down };
    assert_eq!(&scene.print(sql).await, expected);
    let mut link = mydex::server::open(&scene.place.server(), &options().limits)
        .await
        .unwrap();
    for row in ledger::read(&mut link, &scene.schema).await.unwrap() {
        let is_there = row.state == State::Applied;
        assert_eq!(is_there, to == Direction::Up, "{row:?}");
    }
    link.close().await;
}
