//! Applying definitions and taking them back on a real server, and ending in between.

#[path = "apply/forms.rs"]
mod forms;
#[path = "apply/stage.rs"]
mod stage;

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

/// Whether an event is one that every run has at the same place.
fn is_boundary(event: &Event) -> bool {
    matches!(
        event,
        Event::Begun { .. } | Event::Step { .. } | Event::Judged { .. } | Event::Settled(_)
    )
}

/// Runs until the boundary of this number, and is gone right there; `true` when it came that far.
async fn stopped_at(bench: &Bench, place: usize, direction: Direction) -> bool {
    let (never, limits) = (CancellationToken::new(), options());
    let stop = CancellationToken::new();
    let trigger = stop.clone();
    let mut seen = 0;
    let mut watch = move |event: Event| {
        if !is_boundary(&event) {
            return;
        }
        if seen == place {
            trigger.cancel();
        }
        seen += 1;
    };
    let work = async {
        match direction {
            Direction::Up => bench.up_with(&limits, &Unjudged, &mut watch, &never).await,
            Direction::Down => {
                let range = Range::Behind(0);
                bench.down_with(range, &limits, &mut watch, &never).await
            }
        }
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => true,
        outcome = work => {
            complete(outcome.unwrap());
            false
        }
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

/// The definitions that are ended at each boundary: a generated column with its index, one that
/// would replace the index of a foreign key, and a drop.
const BOUNDARIES: [(&str, &str); 3] = [stage::FOLDER[1], stage::FOLDER[2], stage::FOLDER[3]];

/// Goes in one direction, ends at this boundary without a word, and lets the next run go on or
/// turn round: it comes to exactly one side or the other. `false` when there is no such boundary.
async fn ends_at(place: usize, direction: Direction) -> bool {
    let mut bench = Bench::staged("boundaries", &BOUNDARIES).await;
    let without = bench.print().await;
    let mut with = None;
    if direction == Direction::Down {
        bench.up().await;
        with = Some(bench.print().await);
    }
    let came_so_far = stopped_at(&bench, place, direction).await;
    let goes_on = place % 3 != 2;
    if (direction == Direction::Up) == goes_on {
        bench.up().await;
        let now = bench.print().await;
        if let Some(with) = with {
            assert_eq!(now, with, "{direction:?} {place}");
        } else {
            for text in [
                "email_low",
                "order_number",
                "KEY `order_id` (",
                "KEY `email_lower` (",
            ] {
                assert!(now.contains(text), "{direction:?} {place}: {text} in {now}");
            }
            assert!(
                !now.contains("old_made") && !now.contains("INVISIBLE,"),
                "{now}"
            );
        }
        bench.down(Range::Behind(0)).await;
    } else {
        bench.down(Range::Behind(0)).await;
    }
    assert_eq!(bench.print().await, without, "{direction:?} {place}");
    came_so_far
}

/// Events of a whole run of those definitions, in one direction.
async fn boundaries(direction: Direction) -> usize {
    let bench = Bench::staged("boundaries", &BOUNDARIES).await;
    let (never, limits) = (CancellationToken::new(), options());
    let mut events = 0;
    let mut count = |event: Event| events += usize::from(is_boundary(&event));
    if direction == Direction::Down {
        bench.up().await;
        let done = bench.down_with(Range::Behind(0), &limits, &mut count, &never);
        complete(done.await.unwrap());
    } else {
        let done = bench.up_with(&limits, &Unjudged, &mut count, &never);
        complete(done.await.unwrap());
    }
    events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_ends_anywhere_on_the_way_there_the_next_run_converges() {
    let count = boundaries(Direction::Up).await;
    assert!(count >= 40, "there are only {count} boundaries");
    each(count, |place| async move {
        assert!(ends_at(place, Direction::Up).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_ends_anywhere_on_the_way_back_the_next_run_converges() {
    let count = boundaries(Direction::Down).await;
    assert!(count > 20, "there are only {count} boundaries");
    each(count, |place| async move {
        assert!(ends_at(place, Direction::Down).await);
    })
    .await;
}

/// One form there and back and there again.
async fn there_and_back(table: &'static str, form: &'static str) {
    let text = forms::file(table, form);
    let files = [("0001_form.toml", text.as_str())];
    let mut bench = Bench::new("forms", &files).await;
    stage::run(&mut bench.sql, forms::TABLE).await;
    for special in forms::SPECIAL {
        stage::run(&mut bench.sql, special).await;
    }
    let without = bench.print().await;
    bench.up().await;
    let with = bench.print().await;
    assert_ne!(with, without, "{form}");
    bench.down(Range::Behind(0)).await;
    assert_eq!(bench.print().await, without, "{form}");
    bench.up().await;
    assert_eq!(bench.print().await, with, "{form}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_go_there_and_back_and_there_again() {
    // The bench takes them all.
    each(forms::FORMS.len().div_ceil(3), |number| async move {
        let (table, form) = forms::FORMS[number * 3];
        there_and_back(table, form).await;
    })
    .await;
}

#[tokio::test]
async fn what_was_dropped_comes_back_exactly() {
    for (made, form) in forms::WRITTEN {
        let text = forms::file_of_drop(form);
        let mut bench = Bench::new("written", &[("0001_drop.toml", text.as_str())]).await;
        stage::run(&mut bench.sql, forms::TABLE).await;
        let without = bench.print().await;
        stage::run(&mut bench.sql, &format!("ALTER TABLE things {made}")).await;
        let with = bench.print().await;
        bench.up().await;
        assert_eq!(bench.print().await, without, "{made}");
        bench.down(Range::Behind(0)).await;
        assert_eq!(bench.print().await, with, "{made}");
    }
}

/// A judge with one answer.
struct Says(Verdict);

impl Judge for Says {
    fn judge<'a>(
        &'a self,
        connection: &'a mut Connection,
        definition: &'a Definition,
        default_schema: &'a str,
    ) -> Judging<'a> {
        Box::pin(async move {
            use mydex::server::cells::Cells as _;
            // The index is there, and invisible, when it is judged.
            let sql = format!(
                "SELECT IS_VISIBLE FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = '{}' \
                 AND INDEX_NAME = '{}'",
                default_schema, definition.index.name
            );
            let row = connection.first("the index", &sql).await.unwrap().unwrap();
            assert_eq!(row.text(0).as_deref(), Some("NO"));
            self.0.clone()
        })
    }
}

#[tokio::test]
async fn an_index_that_is_rejected_goes_and_is_not_tried_again() {
    let mut bench = Bench::staged("rejected", &stage::FOLDER[..1]).await;
    let without = bench.print().await;
    let never = CancellationToken::new();
    let no = Says(Verdict::Rejected("it reads as much as before".to_owned()));
    let outcome = bench.up_with(&options(), &no, &mut |_| {}, &never).await;
    let outcome = complete(outcome.unwrap());
    assert_eq!(outcome.settled[0].state, State::Rejected);
    assert_eq!(bench.print().await, without);
    let row = &bench.ledger().await[0];
    assert_eq!(row.state, State::Rejected);
    assert!(row.note.as_deref().unwrap().contains("as much as before"));
    let again = bench.up().await;
    assert_eq!(again.settled, []);
    assert_eq!(bench.print().await, without);
    // Named alone, it is tried again.
    let yes = Says(Verdict::Accepted("it reads a tenth".to_owned()));
    let retry = Options {
        retries_rejected: true,
        ..options()
    };
    let outcome = bench.up_with(&retry, &yes, &mut |_| {}, &never).await;
    assert_eq!(complete(outcome.unwrap()).settled[0].state, State::Applied);
    assert!(bench.print().await.contains("state_made"));
}

#[tokio::test]
async fn a_drop_soaks_first_and_is_undone_at_once() {
    let mut bench = Bench::staged("soak", &stage::FOLDER[3..4]).await;
    let before = bench.print().await;
    let never = CancellationToken::new();
    let soaking = Options {
        soak: Duration::from_hours(1),
        ..options()
    };
    let outcome = bench
        .up_with(&soaking, &Unjudged, &mut |_| {}, &never)
        .await;
    assert_eq!(complete(outcome.unwrap()).settled[0].state, State::Soaking);
    let hidden = bench.print().await;
    assert!(hidden.contains("old_made") && hidden.contains("INVISIBLE"));
    let begun = Instant::now();
    bench.down(Range::Behind(0)).await;
    let took = begun.elapsed();
    assert_eq!(bench.print().await, before);
    // The bench has the figure; here other tests run beside it.
    assert!(took < Duration::from_secs(20), "the undo took {took:?}");
    // Once more, and it goes after the soak, not before.
    for expected in [State::Soaking, State::Soaking, State::Applied] {
        if expected == State::Applied {
            let sql = "UPDATE mydex_ledger SET hidden = hidden - INTERVAL 61 MINUTE";
            stage::run(&mut bench.sql, sql).await;
        }
        let outcome = bench
            .up_with(&soaking, &Unjudged, &mut |_| {}, &never)
            .await;
        assert_eq!(complete(outcome.unwrap()).settled[0].state, expected);
    }
    assert!(!bench.print().await.contains("old_made"));
    bench.down(Range::Behind(0)).await;
    assert_eq!(bench.print().await, before);
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
async fn of_four_appliers_exactly_one_works() {
    let bench = Bench::staged("race", &stage::FOLDER[..2]).await;
    let never = CancellationToken::new();
    for _ in 0..3 {
        let limits = options();
        let mut quiet = [|_: Event| {}; 4];
        let [one, two, three, four] = &mut quiet;
        let outcomes = tokio::join!(
            bench.up_with(&limits, &Unjudged, one, &never),
            bench.up_with(&limits, &Unjudged, two, &never),
            bench.up_with(&limits, &Unjudged, three, &never),
            bench.up_with(&limits, &Unjudged, four, &never),
        );
        let outcomes = [outcomes.0, outcomes.1, outcomes.2, outcomes.3];
        let worked = outcomes
            .into_iter()
            .map(|outcome| complete(outcome.unwrap()).settled.len())
            .collect::<Vec<_>>();
        assert_eq!(worked.iter().sum::<usize>(), 2, "{worked:?}");
        assert_eq!(worked.iter().filter(|count| **count > 0).count(), 1);
        bench.down(Range::Behind(0)).await;
    }
    // One that has no patience says who holds the lock.
    let mut holder = server::connect(&bench.schema.url()).await;
    let sql = format!("SELECT GET_LOCK('mydex:{}', 0)", bench.schema.name());
    stage::run(&mut holder, &sql).await;
    let hasty = Options {
        patience: Duration::from_millis(500),
        ..options()
    };
    let outcome = bench.up_with(&hasty, &Unjudged, &mut |_| {}, &never).await;
    let error = outcome.unwrap_err();
    assert!(matches!(&error, Error::Busy { .. }), "{error}");
    assert!(error.to_string().contains("root@"), "{error}");
}

#[tokio::test]
async fn nobody_waits_longer_than_one_try_behind_an_open_transaction() {
    let bench = Bench::staged("bystander", &stage::FOLDER[..1]).await;
    let mut open = server::connect(&bench.schema.url()).await;
    stage::run(&mut open, "START TRANSACTION; SELECT COUNT(*) FROM orders").await;
    let patient = Options {
        lock_wait: Duration::from_millis(300),
        ..options()
    };
    let never = CancellationToken::new();
    let blocked = Mutex::new(Vec::new());
    let mut watch = |event: Event| {
        if let Event::Blocked { by, .. } = event {
            blocked.lock().unwrap().push(by);
        }
    };
    let mut bystander = server::connect(&bench.schema.url()).await;
    let looks = async {
        let begun = Instant::now();
        let mut longest = Duration::ZERO;
        // Until the change has waited twice, however slow this machine is.
        while blocked.lock().unwrap().len() < 2 && begun.elapsed() < Duration::from_secs(100) {
            let asked = Instant::now();
            stage::run(&mut bystander, "SELECT COUNT(*) FROM orders").await;
            longest = longest.max(asked.elapsed());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stage::run(&mut open, "COMMIT").await;
        longest
    };
    let (outcome, longest) = tokio::join!(
        bench.up_with(&patient, &Unjudged, &mut watch, &never),
        looks
    );
    complete(outcome.unwrap());
    let blocked = blocked.into_inner().unwrap();
    assert!(!blocked.is_empty(), "the transaction blocked nothing");
    assert!(blocked[0][0].contains("in a transaction"), "{blocked:?}");
    // Generous, because other tests run beside this one.
    assert!(longest < Duration::from_secs(5), "{longest:?}");
}

#[tokio::test]
async fn whoever_asks_to_stop_leaves_a_state_that_is_known() {
    let mut bench = Bench::staged("cancel", &stage::FOLDER[..1]).await;
    let without = bench.print().await;
    let mut open = server::connect(&bench.schema.url()).await;
    stage::run(&mut open, "START TRANSACTION; SELECT COUNT(*) FROM orders").await;
    // While the statement waits for its lock, somebody presses Ctrl-C.
    let cancel = CancellationToken::new();
    let press = cancel.clone();
    let mut watch = move |event: Event| {
        if let Event::Step {
            word: "build",
            phase: apply::Phase::Intended,
            ..
        } = event
        {
            let press = press.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(300)).await;
                press.cancel();
            });
        }
    };
    let begun = Instant::now();
    let outcome = bench
        .up_with(&options(), &Unjudged, &mut watch, &cancel)
        .await
        .unwrap();
    assert!(outcome.end.is_interrupted(), "{outcome:?}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    stage::run(&mut open, "COMMIT").await;
    assert_eq!(bench.states().await, [State::Unfinished]);
    assert_eq!(
        bench.ledger().await[0].error.as_deref(),
        Some("interrupted")
    );
    assert_eq!(bench.print().await, without);
    bench.up().await;
    assert_eq!(bench.states().await, [State::Applied]);
    bench.down(Range::Behind(0)).await;
    assert_eq!(bench.print().await, without);
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

/// Runs the program over the bench's folder; its exit status and its JSON.
async fn program(bench: &Bench, arguments: &[&str]) -> (Option<i32>, serde_json::Value) {
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_mydex"))
        .args(["index"])
        .args(arguments)
        .args(["--format", "json", "--dir"])
        .arg(bench.home.path().join("indexes"))
        .env("MYDEX_URL", bench.schema.url())
        .env("MYDEX_STATE_DIR", bench.home.path().join("state"))
        .current_dir(bench.home.path())
        .output()
        .await
        .unwrap();
    let json = serde_json::from_slice(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), json.unwrap_or(error.into()))
}

#[tokio::test]
async fn the_program_changes_nothing_unless_it_is_told() {
    let mut bench = Bench::staged("program", stage::FOLDER).await;
    stage::write_folder(&bench.home.path().join("indexes"), stage::FOLDER);
    let before = bench.print().await;
    let (status, plan) = program(&bench, &["apply"]).await;
    assert_eq!(status, Some(0), "{plan}");
    assert_eq!(bench.print().await, before);
    assert!(bench.ledger().await.is_empty());
    assert_eq!(plan["executed"], false);
    let versions = plan["versions"].as_array().unwrap();
    assert_eq!(versions.len(), stage::FOLDER.len());
    let steps = |place: usize| -> Vec<&str> {
        let statements = versions[place]["statements"].as_array().unwrap();
        let words = statements.iter().map(|step| step["step"].as_str().unwrap());
        words.collect()
    };
    assert_eq!(steps(0), ["build", "show"]);
    assert_eq!(steps(1), ["add_column", "build", "show"]);
    assert_eq!(steps(2), ["rename_aside", "rename_back", "build", "show"]);
    assert_eq!(steps(3), ["hide", "drop_index"]);
    assert_eq!(versions[3]["state"], "soaking");
    assert_eq!(versions[3]["statements"][1]["after_soak"], true);
    let apply = ["apply", "--execute", "--soak", "0s"];
    let (status, done) = program(&bench, &apply).await;
    assert_eq!(status, Some(0), "{done}");
    assert_eq!(done["end"], "complete");
    let after = bench.print().await;
    assert_ne!(after, before);
    // Its own statements are those of the dry run, but for the soak and the form of expressions.
    let mut link = bench.link().await;
    let sent = ledger::steps(&mut link, bench.schema.name()).await.unwrap();
    assert_eq!(sent[0].statement, versions[0]["statements"][0]["statement"]);
    let (status, plan) = program(&bench, &["rollback", "--to", "0"]).await;
    assert_eq!(status, Some(0), "{plan}");
    assert_eq!(bench.print().await, after);
    let (status, done) = program(&bench, &["rollback", "--to", "0", "--execute"]).await;
    assert_eq!(status, Some(0), "{done}");
    assert_eq!(bench.print().await, before);
    // A contradiction is a problem found.
    stage::run(
        &mut bench.sql,
        "ALTER TABLE orders ADD INDEX state_made (state)",
    )
    .await;
    let (status, plan) = program(&bench, &["apply", "--only", "1"]).await;
    assert_eq!(status, Some(1), "{plan}");
    assert!(
        plan["versions"][0]["conflict"]
            .as_str()
            .unwrap()
            .contains("`state`")
    );
    let (status, done) = program(&bench, &["apply", "--only", "1", "--execute"]).await;
    assert_eq!(status, Some(1), "{done}");
}

#[tokio::test]
async fn a_signal_ends_the_program_with_its_own_status() {
    let bench = Bench::staged("signal", &stage::FOLDER[..1]).await;
    stage::write_folder(&bench.home.path().join("indexes"), &stage::FOLDER[..1]);
    let mut open = server::connect(&bench.schema.url()).await;
    stage::run(&mut open, "START TRANSACTION; SELECT COUNT(*) FROM orders").await;
    let mut process = tokio::process::Command::new(env!("CARGO_BIN_EXE_mydex"))
        .args(["index", "apply", "--execute", "--dir"])
        .arg(bench.home.path().join("indexes"))
        .env("MYDEX_URL", bench.schema.url())
        .env("MYDEX_STATE_DIR", bench.home.path().join("state"))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    // Once the intent is there, the statement waits behind the transaction.
    let mut link = bench.link().await;
    let deadline = Instant::now() + Duration::from_mins(2);
    while ledger::steps(&mut link, bench.schema.name())
        .await
        .unwrap()
        .is_empty()
    {
        assert!(
            Instant::now() < deadline,
            "it never came to its first statement"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let id = i32::try_from(process.id().unwrap()).unwrap();
    let id = rustix::process::Pid::from_raw(id).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let status = process.wait().await.unwrap();
    assert_eq!(status.code(), Some(130));
    assert_eq!(bench.states().await, [State::Unfinished]);
    stage::run(&mut open, "COMMIT").await;
    bench.up().await;
    assert_eq!(bench.states().await, [State::Applied]);
}
