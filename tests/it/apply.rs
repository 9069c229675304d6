//! Applying definitions and taking them back on a real server, and ending in between.

mod columns;
mod ended;
mod forms;
mod judged;
mod others;
mod program;
mod recorded;
mod round;
mod soaks;
mod stage;
mod unseen;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use mydex::config::settings::{Monitor, Server};
use mydex::indexes::apply::{
    self, Change, End, Error, Event, Judge, Judging, Options, Outcome, Range, Unjudged, Verdict,
    Visibility,
};
use mydex::indexes::definition::Definition;
use mydex::indexes::files::{self, Entry};
use mydex::indexes::ledger;
use mydex::indexes::reconcile::{Direction, Stage};
use mydex::model::ledger::State;
use mydex::server::audit::Audit;
use mydex::server::{self as guarded, Connection};
use sqlx::mysql::MySqlConnection;
use tokio_util::sync::CancellationToken;

use crate::server;

fn limits() -> Monitor {
    mydex::config::load::Loaded::built_in().settings.monitor
}

fn options() -> Options {
    Options {
        soak: Duration::ZERO,
        patience: Duration::from_mins(1),
        ..Options::new(limits())
    }
}

/// One schema, its definitions, and a place for the audit log.
struct Bench {
    schema: server::Schema,
    server: Server,
    entries: Vec<Entry>,
    home: tempfile::TempDir,
    sql: MySqlConnection,
}

impl Bench {
    async fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let schema = server::schema(name).await;
        let server = server::shared().await.endpoint().server("test");
        let files = files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let (entries, mistakes) = files::entries("", files.collect());
        assert_eq!(mistakes, []);
        let sql = server::connect(&schema.url()).await;
        Self {
            schema,
            server,
            entries,
            home: tempfile::tempdir().unwrap(),
            sql,
        }
    }

    /// With the tables of the stage.
    async fn staged(name: &str, files: &[(&str, &str)]) -> Self {
        let mut bench = Self::new(name, files).await;
        bench.reset().await;
        bench
    }

    async fn reset(&mut self) {
        let name = self.schema.name().to_owned();
        stage::reset(&mut self.sql, &name, 200).await;
    }

    fn audit(&self) -> Audit {
        Audit::in_folder(self.home.path())
    }

    fn schemas(&self) -> BTreeSet<String> {
        [self.schema.name().to_owned()].into()
    }

    async fn print(&mut self) -> String {
        stage::fingerprint(&mut self.sql, self.schema.name()).await
    }

    async fn up_with(
        &self,
        options: &Options,
        judge: &dyn Judge,
        watch: &mut (dyn FnMut(Event) + Send),
        cancel: &CancellationToken,
    ) -> Result<Outcome, Error> {
        let changes: Vec<Change<'_>> = self
            .entries
            .iter()
            .map(|entry| Change {
                entry,
                schema: self.schema.name(),
            })
            .collect();
        let (server, audit) = (&self.server, self.audit());
        apply::apply(server, &audit, &changes, options, judge, watch, cancel).await
    }

    async fn up(&self) -> Outcome {
        let outcome = self
            .up_with(
                &options(),
                &Unjudged,
                &mut |_| {},
                &CancellationToken::new(),
            )
            .await;
        complete(outcome.unwrap())
    }

    async fn down_with(
        &self,
        range: Range,
        options: &Options,
        watch: &mut (dyn FnMut(Event) + Send),
        cancel: &CancellationToken,
    ) -> Result<Outcome, Error> {
        let (server, audit) = (&self.server, self.audit());
        let schemas = self.schemas();
        apply::rollback(server, &audit, &schemas, range, options, watch, cancel).await
    }

    async fn down(&self, range: Range) -> Outcome {
        let outcome = self
            .down_with(range, &options(), &mut |_| {}, &CancellationToken::new())
            .await;
        complete(outcome.unwrap())
    }

    async fn link(&self) -> Connection {
        guarded::open(&self.server, &limits()).await.unwrap()
    }

    async fn ledger(&self) -> Vec<ledger::Row> {
        let mut link = self.link().await;
        ledger::read(&mut link, self.schema.name()).await.unwrap()
    }

    async fn states(&self) -> Vec<State> {
        self.ledger().await.iter().map(|row| row.state).collect()
    }
}

fn complete(outcome: Outcome) -> Outcome {
    assert!(matches!(outcome.end, End::Complete), "{outcome:?}");
    outcome
}

#[tokio::test]
async fn all_is_applied_once_and_taken_back_without_a_trace() {
    let mut bench = Bench::staged("apply", stage::FOLDER).await;
    let without = bench.print().await;
    let done = bench.up().await;
    assert_eq!(done.settled.len(), stage::FOLDER.len());
    let with = bench.print().await;
    for text in [
        "state_made",
        "email_low",
        "order_number",
        "KEY `order_id`",
        "`low`",
    ] {
        assert!(with.contains(text), "{text} is not in {with}");
    }
    assert!(!with.contains("old_made"));
    let again = bench.up().await;
    assert_eq!(again.settled, []);
    assert_eq!(again.skipped.len(), stage::FOLDER.len());
    assert_eq!(bench.print().await, with);
    // Half way back, all the way back, without the files.
    bench.down(Range::Behind(3)).await;
    let states = bench.states().await;
    assert_eq!(states[..3], [State::Applied; 3]);
    assert_eq!(states[3..], [State::RolledBack; 3]);
    bench.down(Range::Behind(0)).await;
    assert_eq!(bench.print().await, without);
    bench.up().await;
    assert_eq!(bench.print().await, with);
    for row in bench.ledger().await {
        assert_eq!(row.state, State::Applied);
        assert_eq!((row.stage, row.direction), (Stage::Done, Direction::Up));
        assert_eq!(row.error, None);
        assert!(row.attempts >= 2);
        let entry = &bench.entries[usize::try_from(row.version - 1).unwrap()];
        let read = Definition::parse("ledger", &row.definition).unwrap();
        assert_eq!(read.checksum(), entry.definition.checksum());
    }
    // Every statement is in the ledger and in the audit log, with its end.
    let mut link = bench.link().await;
    let steps = ledger::steps(&mut link, bench.schema.name()).await.unwrap();
    assert!(steps.len() > 20);
    let audit = std::fs::read_to_string(bench.audit().path()).unwrap();
    let lines: Vec<serde_json::Value> = audit
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for step in &steps {
        assert_eq!(step.outcome.as_deref(), Some("done"), "{step:?}");
        assert!(step.ended.unwrap() >= step.started);
        let of = |result: &str| {
            lines
                .iter()
                .filter(|line| line["statement"] == step.statement && line["result"] == result)
                .count()
        };
        assert!(of("intended") > 0, "{step:?}");
        assert_eq!(of("intended"), of("done"), "{step:?}");
    }
}

/// Work that runs at once.
const WORKERS: usize = 6;

/// Runs `work` for each number below `count`, several at once.
async fn each<F>(count: usize, work: impl Fn(usize) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut running = tokio::task::JoinSet::new();
    for number in 0..count {
        if running.len() >= WORKERS {
            running.join_next().await.unwrap().unwrap();
        }
        running.spawn(work(number));
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
}

#[tokio::test]
async fn what_is_there_decides_and_not_its_name() {
    let mut bench = Bench::staged("equal", &stage::FOLDER[..1]).await;
    let never = CancellationToken::new();
    // Another index of that name: an error that names both.
    stage::run(
        &mut bench.sql,
        "ALTER TABLE orders ADD INDEX state_made (state)",
    )
    .await;
    let outcome = bench
        .up_with(&options(), &Unjudged, &mut |_| {}, &never)
        .await
        .unwrap();
    let End::Failed { error, .. } = &outcome.end else {
        panic!("{outcome:?}");
    };
    let text = error.to_string();
    assert!(
        text.contains("(`state`)") && text.contains("`made` DESC"),
        "{text}"
    );
    assert!(bench.ledger().await.is_empty());
    // The same index under another name: adopted, and left alone by the rollback.
    stage::run(
        &mut bench.sql,
        "ALTER TABLE orders DROP INDEX state_made, ADD INDEX other (state, made DESC)",
    )
    .await;
    let with = bench.print().await;
    let outcome = bench.up().await;
    assert_eq!(outcome.settled[0].state, State::Applied);
    assert!(
        outcome.settled[0]
            .note
            .as_deref()
            .unwrap()
            .contains("`other`")
    );
    assert_eq!(bench.print().await, with);
    bench.down(Range::Behind(0)).await;
    assert_eq!(bench.print().await, with);
    // The same under its own name, but invisible: it becomes visible, and invisible again.
    stage::run(
        &mut bench.sql,
        "ALTER TABLE orders DROP INDEX other, ADD INDEX state_made (state, made DESC) INVISIBLE",
    )
    .await;
    let hidden = bench.print().await;
    bench.up().await;
    assert_ne!(bench.print().await, hidden);
    bench.down(Range::Behind(0)).await;
    assert_eq!(bench.print().await, hidden);
}

#[tokio::test]
async fn a_refused_index_leaves_nothing_behind() {
    let file = "table = \"places\"\naction = \"create\"\nindex = \"u\"\ncolumns = [\"low\"]\nunique \
                = true\ngenerated_column = { name = \"low\", type = \"varchar(255)\", expression = \
                \"lower(email)\" }\n";
    let mut bench = Bench::staged("refused", &[("0001_unique.toml", file)]).await;
    let before = bench.print().await;
    let insert = "INSERT INTO places (email, number) VALUES ('A', 1), ('a', 2)";
    stage::run(&mut bench.sql, insert).await;
    let never = CancellationToken::new();
    let outcome = bench
        .up_with(&options(), &Unjudged, &mut |_| {}, &never)
        .await
        .unwrap();
    let End::Failed { error, .. } = &outcome.end else {
        panic!("{outcome:?}");
    };
    assert!(error.to_string().contains("Duplicate entry"), "{error}");
    assert_eq!(bench.print().await, before);
    let row = &bench.ledger().await[0];
    assert_eq!(row.state, State::RolledBack);
    assert!(row.error.as_deref().unwrap().contains("Duplicate entry"));
    // With the cause gone, it goes through.
    stage::run(&mut bench.sql, "DELETE FROM places WHERE number = 2").await;
    bench.up().await;
    bench.down(Range::Behind(0)).await;
    assert_eq!(bench.print().await, before);
}

#[tokio::test]
async fn a_read_only_run_and_a_needed_index_are_refused() {
    let file =
        "table = \"items\"\naction = \"drop\"\nindex = \"order_id\"\ncolumns = [\"order_id\"]\n";
    let mut bench = Bench::staged("needed", &[("0001_drop.toml", file)]).await;
    let before = bench.print().await;
    let never = CancellationToken::new();
    let refusing = Options {
        read_only: true,
        ..options()
    };
    let outcome = bench
        .up_with(&refusing, &Unjudged, &mut |_| {}, &never)
        .await;
    assert!(matches!(outcome, Err(Error::ReadOnly)));
    let outcome = bench
        .up_with(&options(), &Unjudged, &mut |_| {}, &never)
        .await
        .unwrap();
    let End::Failed { error, .. } = &outcome.end else {
        panic!("{outcome:?}");
    };
    assert!(error.to_string().contains("1553"), "{error}");
    assert_eq!(bench.print().await, before);
    assert!(bench.ledger().await.is_empty(), "nothing was begun");
}

#[tokio::test]
async fn an_index_is_hidden_and_shown_by_hand() {
    let mut bench = Bench::staged("visible", &[]).await;
    let before = bench.print().await;
    let table = mydex::model::schema::TableName::new(bench.schema.name(), "orders");
    let never = CancellationToken::new();
    for (visible, changes) in [(false, true), (false, false), (true, true)] {
        let changed = apply::set_visible(
            &bench.server,
            &bench.audit(),
            Visibility {
                table: &table,
                index: "OLD_made",
                visible,
            },
            &options(),
            &mut |_| {},
            &never,
        )
        .await
        .unwrap();
        assert_eq!(changed, changes);
        assert_eq!(bench.print().await == before, visible);
    }
}
