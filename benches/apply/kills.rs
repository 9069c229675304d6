//! SIGKILL at random moments.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mydex::indexes::reconcile::Direction;
use rand::RngExt as _;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use super::{KILLS, Place, ROWS, Scene, each, ended_and_settled, say, sides, stage, workers};

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

pub(super) async fn kills(place: &Place) {
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
