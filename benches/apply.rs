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

#[path = "../tests/it/apply/forms.rs"]
mod forms;
#[path = "../tests/it/apply/stage.rs"]
mod stage;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mydex::config::load::Loaded;
use mydex::config::settings::{Server, Tls, TlsMode};
use mydex::indexes::apply::{self, Change, End, Event, Options, Outcome, Range, Unjudged};
use mydex::indexes::files::{self, Entry};
use mydex::indexes::ledger;
use mydex::indexes::reconcile::Direction;
use mydex::model::ledger::State;
use mydex::sandbox::{self, Sandbox};
use mydex::server::audit::Audit;
use rand::RngExt as _;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
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

/// One form, or what went wrong with it.
async fn form(place: Place, number: usize) {
    let mut sql = place.connect().await;
    let schema = format!("form_{number}");
    let is_written = number >= forms::FORMS.len();
    let text = if is_written {
        forms::file_of_drop(forms::WRITTEN[number - forms::FORMS.len()].1)
    } else {
        let (table, form) = forms::FORMS[number];
        forms::file(table, form)
    };
    let scene = Scene::new(&place, &schema, &[("0001_form.toml", &text)]);
    stage::run(&mut sql, &format!("CREATE DATABASE {schema}; USE {schema}")).await;
    stage::run(&mut sql, forms::TABLE).await;
    for special in forms::SPECIAL {
        stage::run(&mut sql, special).await;
    }
    if is_written {
        let made = forms::WRITTEN[number - forms::FORMS.len()].0;
        stage::run(&mut sql, &format!("ALTER TABLE things {made}")).await;
    }
    let before = scene.print(&mut sql).await;
    scene.settle(Direction::Up).await;
    let after = scene.print(&mut sql).await;
    assert_ne!(after, before, "{text}");
    for _ in 0..2 {
        scene.settle(Direction::Down).await;
        assert_eq!(scene.print(&mut sql).await, before, "{text}");
        scene.settle(Direction::Up).await;
        assert_eq!(scene.print(&mut sql).await, after, "{text}");
    }
    stage::run(&mut sql, &format!("DROP DATABASE {schema}")).await;
}

async fn all_forms(place: &Place) {
    let count = forms::FORMS.len() + forms::WRITTEN.len();
    each(count, |number| form(place.clone(), number)).await;
    say(&format!(
        "forms: {} forms made and {} written ones dropped, there, back, there, back and there: the \
         fingerprints of each side are identical, all of them",
        forms::FORMS.len(),
        forms::WRITTEN.len()
    ));
}

async fn undo(place: &Place) {
    let scene = Scene::new(place, "undo", &stage::FOLDER[3..4]);
    let mut sql = place.connect().await;
    stage::reset(&mut sql, "undo", 64_000).await;
    let before = scene.print(&mut sql).await;
    let soaking = Options {
        soak: Duration::from_hours(24),
        ..options()
    };
    let mut times = Vec::new();
    for _ in 0..21 {
        let outcome = scene.go(Direction::Up, &soaking, &mut |_| {}).await;
        assert_eq!(outcome.settled[0].state, State::Soaking, "{outcome:?}");
        let begun = Instant::now();
        scene.settle(Direction::Down).await;
        times.push(begun.elapsed());
        assert_eq!(scene.print(&mut sql).await, before);
    }
    times.sort();
    say(&format!(
        "undo of a staged drop, connecting included: median {:?}, longest of 21 {:?} (target: under 1 s)",
        times[10], times[20]
    ));
}

/// Somebody's transaction is open for six seconds, and others go on reading.
async fn bystander(place: &Place) {
    for (lock_wait, limit) in [(1_000, 1_100), (300, 400)] {
        let scene = Scene::new(place, "bystander", &stage::FOLDER[..1]);
        let mut sql = place.connect().await;
        stage::reset(&mut sql, "bystander", 1_000).await;
        let mut open = place.connect().await;
        let read = "SELECT COUNT(*) FROM bystander.orders WHERE id < 10";
        stage::run(&mut open, &format!("START TRANSACTION; {read}")).await;
        let patient = Options {
            lock_wait: Duration::from_millis(lock_wait),
            ..options()
        };
        let mut tries = 0;
        let mut watch = |event: Event| tries += usize::from(matches!(event, Event::Blocked { .. }));
        let looks = async {
            let begun = Instant::now();
            let mut waits = Vec::new();
            while begun.elapsed() < Duration::from_secs(6) {
                let asked = Instant::now();
                stage::run(&mut sql, read).await;
                waits.push(asked.elapsed());
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            stage::run(&mut open, "COMMIT").await;
            waits.sort();
            waits
        };
        let (outcome, waits) = tokio::join!(scene.go(Direction::Up, &patient, &mut watch), looks);
        assert_eq!(outcome.settled.len(), 1, "{outcome:?}");
        say(&format!(
            "bystander behind a transaction of 6 s, timeout {lock_wait} ms: {tries} tries, longest \
             wait {:?} of {} statements, median {:?} (target: at most {limit} ms)",
            waits.last().unwrap(),
            waits.len(),
            waits[waits.len() / 2]
        ));
    }
}

async fn races(place: &Place) {
    let scene = Scene::new(place, "races", &stage::FOLDER[..2]);
    let mut sql = place.connect().await;
    stage::reset(&mut sql, "races", 1_000).await;
    let before = scene.print(&mut sql).await;
    let mut after = String::new();
    for race in 0..RACES {
        let options = options();
        let go = async || {
            let mut waited = false;
            let mut watch = |event: Event| waited |= matches!(event, Event::Waiting { .. });
            let outcome = scene.go(Direction::Up, &options, &mut watch).await;
            assert!(matches!(outcome.end, End::Complete), "{race}: {outcome:?}");
            outcome.settled.len()
        };
        let (one, two, three, four) = tokio::join!(go(), go(), go(), go());
        let mut worked = [one, two, three, four];
        worked.sort_unstable();
        assert_eq!(worked, [0, 0, 0, 2], "race {race}");
        let now = scene.print(&mut sql).await;
        if race == 0 {
            after = now;
        } else {
            assert_eq!(now, after, "race {race}");
        }
        scene.settle(Direction::Down).await;
        assert_eq!(scene.print(&mut sql).await, before, "race {race}");
    }
    say(&format!(
        "races: {RACES} of 4 appliers: one worked each time, three waited and found nothing to do, \
         no error, no duplicate"
    ));
}

/// Whether an event is one that every run has at the same place.
fn is_boundary(event: &Event) -> bool {
    matches!(
        event,
        Event::Begun { .. } | Event::Step { .. } | Event::Judged { .. } | Event::Settled(_)
    )
}

/// `child DIRECTION PLACE PORT SCHEMA HOME`, with the password in the environment: ends itself by
/// SIGKILL at the event of that number.
async fn child(arguments: &[String]) {
    let [direction, at, port, schema, home] = arguments else {
        panic!("{arguments:?}");
    };
    let place = Place {
        port: port.parse().unwrap(),
        password: std::env::var("MYDEX_BENCH_SECRET").unwrap(),
    };
    let scene = Scene::at(&place, schema, Path::new(home));
    let at: usize = at.parse().unwrap();
    let mut seen = 0;
    let mut watch = |event: Event| {
        if !is_boundary(&event) {
            return;
        }
        if seen == at {
            let own = rustix::process::getpid();
            let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
        }
        seen += 1;
    };
    let direction = Direction::of_word(direction).unwrap();
    let outcome = scene.go(direction, &options(), &mut watch).await;
    assert!(matches!(outcome.end, End::Complete), "{outcome:?}");
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

async fn boundaries(place: &Place, directions: &[Direction]) {
    let mut total = 0;
    for &direction in directions {
        let scene = Scene::new(place, "counted", stage::FOLDER);
        let mut sql = place.connect().await;
        stage::reset(&mut sql, "counted", 1_000).await;
        if direction == Direction::Down {
            scene.settle(Direction::Up).await;
        }
        let mut count = 0;
        let mut watch = |event: Event| count += usize::from(is_boundary(&event));
        let outcome = scene.go(direction, &options(), &mut watch).await;
        assert!(matches!(outcome.end, End::Complete));
        let made = place.clone();
        each(count, move |at| boundary(made.clone(), direction, at)).await;
        total += count;
        say(&format!(
            "boundaries, {}: SIGKILL at each of {count}; the next run converged every time",
            direction.word()
        ));
    }
    say(&format!("boundaries: {total} in all"));
}

async fn boundary(place: Place, direction: Direction, at: usize) {
    let schema = format!("boundary_{}_{at}", direction.word());
    let scene = Scene::new(&place, &schema, stage::FOLDER);
    let mut sql = place.connect().await;
    stage::reset(&mut sql, &schema, 1_000).await;
    let both = sides(&scene, &mut sql).await;
    for goes_on in [true, false] {
        let other = match direction {
            Direction::Up => Direction::Down,
            Direction::Down => Direction::Up,
        };
        scene.settle(other).await;
        let status = tokio::process::Command::new(std::env::current_exe().unwrap())
            .args(["child", direction.word(), &at.to_string()])
            .args([&place.port.to_string(), &schema])
            .arg(&scene.home)
            .env("MYDEX_BENCH_SECRET", &place.password)
            .stdout(Stdio::null())
            .status()
            .await
            .unwrap();
        assert!(!status.success(), "{direction:?} {at} came to its end");
        ended_and_settled(&scene, &mut sql, &both, direction, goes_on).await;
    }
    stage::run(&mut sql, &format!("DROP DATABASE {schema}")).await;
}

/// One process of mydex, ended after `delay`; whether it was still running.
async fn killed(scene: &Scene, direction: Direction, delay: Option<Duration>) -> bool {
    let Place { port, password } = &scene.place;
    let schema = &scene.schema;
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_mydex"));
    command.arg("index");
    match direction {
        Direction::Up => command.args(["apply", "--soak", "0s"]),
        Direction::Down => command.args(["rollback", "--to", "0"]),
    };
    let mut process = command
        .arg("--execute")
        .arg("--dir")
        .arg(scene.home.join("indexes"))
        .env(
            "MYDEX_URL",
            format!("mysql://root:{password}@127.0.0.1:{port}/{schema}"),
        )
        .env("MYDEX_STATE_DIR", scene.home.join("state"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let Some(delay) = delay else {
        assert!(process.wait().await.unwrap().success());
        return false;
    };
    tokio::time::sleep(delay).await;
    let runs = process.try_wait().unwrap().is_none();
    process.kill().await.unwrap();
    runs
}

/// Where a kill left the ledger, in a word.
async fn left_at(scene: &Scene, sql: &mut MySqlConnection) -> &'static str {
    let open = format!(
        "SELECT COUNT(*) FROM `{}`.mydex_ledger_steps WHERE ended IS NULL",
        scene.schema
    );
    let unfinished = format!(
        "SELECT COUNT(*) FROM `{}`.mydex_ledger WHERE state IN ('unfinished', 'staged', 'soaking')",
        scene.schema
    );
    let mut counts = [0_i64; 2];
    for (count, text) in counts.iter_mut().zip([open, unfinished]) {
        let query = sqlx::query_scalar(AssertSqlSafe(text));
        *count = query.fetch_one(&mut *sql).await.unwrap();
    }
    match (counts[0], counts[1]) {
        (1.., _) => "with a statement under way",
        (0, 1..) => "between two statements of a definition",
        _ => "between two definitions, before the first, or behind the last",
    }
}

async fn kills(place: &Place) {
    let found = Arc::new(std::sync::Mutex::new(Vec::new()));
    let workers = workers();
    let result = Arc::clone(&found);
    let made = place.clone();
    each(workers, move |worker| {
        let share = KILLS / workers + usize::from(worker < KILLS % workers);
        some_kills(made.clone(), worker, share, Arc::clone(&result))
    })
    .await;
    let found = found.lock().unwrap();
    let mut words: Vec<&str> = found.clone();
    words.sort_unstable();
    words.dedup();
    for word in words {
        let count = found.iter().filter(|one| **one == word).count();
        say(&format!("kills: {count} {word}"));
    }
    say(&format!(
        "kills: SIGKILL at {} random moments of apply and rollback; the next run converged every \
         time, and the schema was exactly one side or the other",
        found.len()
    ));
}

async fn some_kills(
    place: Place,
    worker: usize,
    share: usize,
    found: Arc<std::sync::Mutex<Vec<&'static str>>>,
) {
    let schema = format!("kills_{worker}");
    let scene = Scene::new(&place, &schema, stage::FOLDER);
    let mut sql = place.connect().await;
    stage::reset(&mut sql, &schema, ROWS).await;
    let both = sides(&scene, &mut sql).await;
    let begun = Instant::now();
    killed(&scene, Direction::Up, None).await;
    let mut typical = begun.elapsed();
    let mut stands = Direction::Up;
    let mut done = 0;
    while done < share {
        let direction = match stands {
            Direction::Up => Direction::Down,
            Direction::Down => Direction::Up,
        };
        let (delay, goes_on) = {
            let mut random = rand::rng();
            (
                typical.mul_f64(random.random_range(0.0..1.0)),
                random.random_bool(0.5),
            )
        };
        if killed(&scene, direction, Some(delay)).await {
            let word = left_at(&scene, &mut sql).await;
            found.lock().unwrap().push(word);
            done += 1;
        } else {
            // It was through already: the next ones are ended sooner.
            typical = typical.mul_f64(0.9);
        }
        ended_and_settled(&scene, &mut sql, &both, direction, goes_on).await;
        stands = if goes_on { direction } else { stands };
    }
    sql.execute(AssertSqlSafe(format!("DROP DATABASE {schema}")))
        .await
        .unwrap();
    sql.close().await.unwrap();
}
