//! Whether an index keeps its promise: judged before it counts, guarded behind, and tried on a
//! private server.

mod counted;
mod program;
mod tried;

use std::time::Duration;

use mydex::cli::index::plans;
use mydex::config::settings::{Monitor, Profile, Server, Settings as Config};
use mydex::indexes::definition::Definition;
use mydex::indexes::shadow::{self, Trial};
use mydex::indexes::verify::compare::{Outcome, Rules, compare};
use mydex::indexes::verify::guard;
use mydex::indexes::verify::hide::{self, Hand};
use mydex::indexes::verify::{Execute, Judgement, Settings, Verdict, judge};
use mydex::server::audit::Audit;
use mydex::server::{self as link, Connection};
use sqlx::mysql::MySqlPool;
use sqlx::{AssertSqlSafe, Executor};
use tokio_util::sync::CancellationToken;

use crate::server::{self, Schema};

const TABLE: &str = "CREATE TABLE orders (
    id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    customer INT NOT NULL,
    state VARCHAR(10) NOT NULL,
    made DATETIME NOT NULL,
    note VARCHAR(100) NOT NULL,
    KEY customer (customer)
)";

/// 20,000 orders; the 20 newest of them are `rare`.
const ROWS: &str = "INSERT INTO orders (customer, state, made, note)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
    SELECT i % 997, IF(i > 19980, 'rare', ELT(1 + i % 3, 'open', 'done', 'gone')),
        '2020-01-01' + INTERVAL i MINUTE, REPEAT('x', 80) FROM n";

struct Shop {
    schema: Schema,
    pool: MySqlPool,
    server: Server,
    limits: Monitor,
}

impl Shop {
    async fn open(name: &str) -> Self {
        let schema = server::schema(name).await;
        let pool = schema.pool().await;
        let mut once = pool.acquire().await.unwrap();
        once.execute("SET SESSION cte_max_recursion_depth = 100000")
            .await
            .unwrap();
        once.execute(TABLE).await.unwrap();
        once.execute(ROWS).await.unwrap();
        once.execute("ANALYZE TABLE orders").await.unwrap();
        drop(once);
        let server = server::shared().await.endpoint().server("shop");
        let limits = Config::built_in(Profile::Development).monitor;
        Self {
            schema,
            pool,
            server,
            limits,
        }
    }

    async fn run(&self, sql: &str) {
        let done = self.pool.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await;
        assert!(done.is_ok(), "{sql}: {}", done.unwrap_err());
    }

    async fn connection(&self) -> Connection {
        link::open(&self.server, &self.limits).await.unwrap()
    }

    /// The text of the digest that a statement has here.
    async fn fingerprint(&self, sql: &str) -> String {
        sqlx::query_scalar("SELECT STATEMENT_DIGEST_TEXT(?)")
            .bind(sql)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    /// A definition with one query as its evidence.
    async fn definition(&self, head: &str, query: &str) -> Definition {
        let fingerprint = toml_string(&self.fingerprint(query).await);
        let text = format!(
            "table = \"orders\"\n{head}\n[evidence]\nsource = \"test\"\n\
             [[evidence.queries]]\nname = \"the query\"\nfingerprint = {fingerprint}\n"
        );
        Definition::parse("0001_x.toml", &text).unwrap()
    }

    /// Runs a statement until the server has kept its text: while many sessions make new digests at
    /// once, it now and then keeps none.
    async fn run_until_kept(&self, sql: &str) {
        let kept = "SELECT COUNT(*) FROM performance_schema.events_statements_summary_by_digest \
                    WHERE SCHEMA_NAME = DATABASE() AND QUERY_SAMPLE_TEXT = ?";
        for _ in 0..50 {
            self.run(sql).await;
            let asking = sqlx::query_scalar::<_, i64>(kept).bind(sql);
            if asking.fetch_one(&self.pool).await.unwrap() > 0 {
                return;
            }
        }
        panic!("the server keeps no text of `{sql}`");
    }

    async fn judge(&self, definition: &Definition, execute: bool) -> Judgement {
        let mut settings = Settings::new(plans::read);
        settings.execute = execute.then(|| Execute {
            limit: Duration::from_secs(5),
            pairs: 5,
        });
        self.judge_with(definition, &settings).await
    }

    async fn judge_with(&self, definition: &Definition, settings: &Settings) -> Judgement {
        let mut connection = self.connection().await;
        let before = switches(&mut connection).await;
        let judged = judge(&mut connection, definition, self.schema.name(), settings)
            .await
            .unwrap();
        assert_eq!(switches(&mut connection).await, before);
        connection.close().await;
        judged
    }

    /// A definition of an index on one column, which is built, invisible, after its query was run.
    async fn invisible(&self, index: &str, column: &str, query: &str) -> Definition {
        self.run(query).await;
        self.run(&format!(
            "ALTER TABLE orders ADD INDEX {index} ({column}) INVISIBLE"
        ))
        .await;
        let head = format!("action = \"create\"\nindex = \"{index}\"\ncolumns = [\"{column}\"]");
        self.definition(&head, query).await
    }

    async fn counts(&self, definition: &Definition) -> mydex::indexes::verify::before::Counts {
        let mut connection = self.connection().await;
        let counts = guard::counts(&mut connection, definition, self.schema.name()).await;
        connection.close().await;
        counts.unwrap()
    }

    async fn is_visible(&self, index: &str) -> bool {
        let sql = "SELECT IS_VISIBLE = 'YES' FROM information_schema.STATISTICS \
                   WHERE TABLE_SCHEMA = ? AND INDEX_NAME = ? AND SEQ_IN_INDEX = 1";
        let found: i64 = sqlx::query_scalar(sql)
            .bind(self.schema.name())
            .bind(index)
            .fetch_one(&self.pool)
            .await
            .unwrap();
        found == 1
    }
}

/// The settings of a session that a judgement changes and has to put back.
async fn switches(connection: &mut Connection) -> String {
    use mydex::server::cells::Cells as _;
    connection
        .first(
            "the session",
            "SELECT CONCAT(@@optimizer_switch, @@max_execution_time)",
        )
        .await
        .unwrap()
        .and_then(|row| row.text(0))
        .unwrap()
}

fn toml_string(text: &str) -> String {
    format!("'''{text}'''")
}

const STATE_MADE: &str =
    "action = \"create\"\nindex = \"state_made\"\ncolumns = [\"state\", \"made\"]";

#[tokio::test]
async fn a_good_index_gains_while_it_is_invisible() {
    let shop = Shop::open("judge_good").await;
    let query = "SELECT id FROM orders WHERE state = 'rare' ORDER BY made LIMIT 10";
    shop.run(query).await;
    shop.run("ALTER TABLE orders ADD INDEX state_made (state, made) INVISIBLE")
        .await;
    // Another invisible index is no part of the answer, however good it is.
    shop.run("ALTER TABLE orders ADD INDEX other (state, made, id) INVISIBLE")
        .await;
    let definition = shop.definition(STATE_MADE, query).await;
    for execute in [false, true] {
        let judged = shop.judge(&definition, execute).await;
        assert_eq!(judged.verdict, Verdict::Better, "{judged:#?}");
        assert_eq!(judged.is_kept, Some(true));
        let trial = &judged.queries[0].trials[0];
        assert!(!trial.is_made_up);
        assert!(trial.after.uses_index && !trial.before.uses_index);
        assert!(trial.after.plan[0].contains("`state_made`"), "{trial:?}");
        assert!(trial.before.plan[0].contains("ALL"), "{trial:?}");
        assert!(trial.after.cost < trial.before.cost / 10.0, "{trial:?}");
        match (execute, trial.before.executed, trial.after.executed) {
            (false, None, None) => {}
            (true, Some(before), Some(after)) => {
                assert!(before.reads >= 20_000, "{before:?}");
                assert!(after.reads <= 30, "{after:?}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(!shop.is_visible("state_made").await);
}

#[tokio::test]
async fn an_index_that_no_plan_takes_is_rejected() {
    let shop = Shop::open("judge_useless").await;
    let query = "SELECT id FROM orders WHERE customer = 17 AND state = 'open'";
    let definition = shop.invisible("noted", "note", query).await;
    let judged = shop.judge(&definition, false).await;
    assert_eq!(judged.verdict, Verdict::Same, "{judged:#?}");
    assert_eq!(judged.is_kept, Some(false));
    assert!(judged.queries[0].reason.contains("does not take the index"));
}

/// The optimizer expects to find ten rows soon in the order of `made`, and has to read nearly all.
#[tokio::test]
async fn an_ordering_index_is_no_gain_until_it_was_executed() {
    let shop = Shop::open("judge_trap").await;
    // The rare ones stay the newest; all others are made in another order than they are kept in.
    shop.run(
        "UPDATE orders SET made = '2020-01-01' + INTERVAL (id * 7919) % 19979 MINUTE \
              WHERE id <= 19980; ANALYZE TABLE orders",
    )
    .await;
    let query = "SELECT id, note FROM orders WHERE state = 'rare' ORDER BY made LIMIT 10";
    let definition = shop.invisible("made", "made", query).await;
    let estimated = shop.judge(&definition, false).await;
    assert_eq!(estimated.verdict, Verdict::NotJudged, "{estimated:#?}");
    assert!(estimated.needs_run && estimated.is_kept.is_none());
    assert!(
        estimated.reason.contains("--execute-queries"),
        "{}",
        estimated.reason
    );
    // It reads about as much as a scan, but row by row and all over the table.
    let executed = shop.judge(&definition, true).await;
    assert_eq!(executed.verdict, Verdict::Worse, "{executed:#?}");
    assert_eq!(executed.is_kept, Some(false), "{executed:#?}");
    assert!(executed.queries[0].is_measured, "{executed:#?}");
    // Whoever trusts the estimate gets what it says.
    let mut settings = Settings::new(plans::read);
    settings.trusts_estimates = true;
    let trusted = shop.judge_with(&definition, &settings).await;
    assert_eq!(trusted.verdict, Verdict::Better, "{trusted:#?}");
    // The trap is one for a query that the definition does not name, too.
    let useful = "SELECT id FROM orders WHERE made = '2020-01-03 10:00:00'";
    let other = shop
        .definition(
            "action = \"create\"\nindex = \"made\"\ncolumns = [\"made\"]",
            useful,
        )
        .await;
    shop.run(useful).await;
    let judged = shop.judge(&other, false).await;
    assert!(judged.needs_run, "{judged:#?}");
    let judged = shop.judge(&other, true).await;
    assert!(!judged.needs_run && judged.is_kept.is_some(), "{judged:#?}");
}

#[tokio::test]
async fn prepared_statements_are_judged_with_rows_of_the_table() {
    let shop = Shop::open("judge_prepared").await;
    for _ in 0..3 {
        sqlx::query("SELECT id FROM orders WHERE state = ? ORDER BY made LIMIT ?")
            .bind("rare")
            .bind(10)
            .fetch_all(&shop.pool)
            .await
            .unwrap();
    }
    shop.run("ALTER TABLE orders ADD INDEX state_made (state, made) INVISIBLE")
        .await;
    let definition = shop
        .definition(
            STATE_MADE,
            "SELECT id FROM orders WHERE state = 'a' ORDER BY made LIMIT 1",
        )
        .await;
    let judged = shop.judge(&definition, true).await;
    assert_eq!(judged.verdict, Verdict::Better, "{judged:#?}");
    assert!(
        judged.queries[0]
            .trials
            .iter()
            .all(|trial| trial.is_made_up)
    );
    let counts = shop.counts(&definition).await;
    assert_eq!(counts.queries[0].total().calls, 3, "{counts:?}");
}

#[tokio::test]
async fn dropping_an_index_that_queries_read_through_is_worse() {
    let shop = Shop::open("judge_drop").await;
    shop.run("ALTER TABLE orders ADD INDEX noted (note)").await;
    let query = "SELECT COUNT(*) FROM orders o WHERE customer = 17 AND made > '2020-01-02'";
    shop.run(query).await;
    // It is found on the server although no definition names it, even in a second block.
    let union = "(SELECT id FROM orders WHERE id = 3) UNION ALL \
                 (SELECT p.id FROM orders p WHERE p.customer = 3)";
    shop.run(union).await;
    let other = "SELECT id FROM orders WHERE id = 5";
    shop.run(other).await;
    let drop = |index: &str, column: &str| {
        format!("action = \"drop\"\nindex = \"{index}\"\ncolumns = [\"{column}\"]")
    };
    let used = shop.definition(&drop("customer", "customer"), query).await;
    for execute in [false, true] {
        let judged = shop.judge(&used, execute).await;
        assert_eq!(judged.verdict, Verdict::Worse, "{judged:#?}");
        assert_eq!(judged.is_kept, Some(false));
        let found = judged.queries.iter().filter(|query| !query.is_evidence());
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].fingerprint.contains("UNION"), "{found:#?}");
        assert_eq!(found[0].verdict, Verdict::Worse, "{found:#?}");
    }
    // Invisible already, as in its soak: the same answer by the other way.
    shop.run("ALTER TABLE orders ALTER INDEX customer INVISIBLE")
        .await;
    let judged = shop.judge(&used, false).await;
    assert_eq!(judged.verdict, Verdict::Worse, "{judged:#?}");
    let unused = shop.definition(&drop("noted", "note"), other).await;
    let judged = shop.judge(&unused, false).await;
    assert_eq!(judged.verdict, Verdict::Same, "{judged:#?}");
    assert_eq!(judged.is_kept, Some(true));
}

#[tokio::test]
async fn what_writes_and_what_has_effects_is_planned_or_refused_but_never_run() {
    let shop = Shop::open("judge_writes").await;
    let query = "UPDATE orders SET note = 'y' WHERE state = 'rare'";
    shop.run_until_kept(query).await;
    shop.run("SELECT SLEEP(0.01), id FROM orders WHERE state = 'rare'")
        .await;
    shop.run("ALTER TABLE orders ADD INDEX state_made (state, made) INVISIBLE")
        .await;
    let note = "SELECT COUNT(*) FROM orders WHERE note = 'y'";
    shop.run("UPDATE orders SET note = 'x'").await;
    let definition = shop.definition(STATE_MADE, query).await;
    let judged = shop.judge(&definition, true).await;
    assert_eq!(judged.verdict, Verdict::Better, "{judged:#?}");
    assert!(judged.queries[0].reason.contains("not executed"));
    assert!(
        judged
            .queries
            .iter()
            .all(|query| !query.fingerprint.contains("SLEEP")),
        "{judged:#?}"
    );
    let changed: i64 = sqlx::query_scalar(note)
        .fetch_one(&shop.pool)
        .await
        .unwrap();
    assert_eq!(changed, 0);
}

#[tokio::test]
async fn names_may_be_anything() {
    let shop = Shop::open("judge_names").await;
    shop.run("RENAME TABLE orders TO `or``d 'e\"rs`").await;
    shop.run("ALTER TABLE `or``d 'e\"rs` DROP INDEX customer, ADD INDEX `i``x -- c` (customer)")
        .await;
    let query = "SELECT id, note FROM `or``d 'e\"rs` `z``z /*+` WHERE customer = 17";
    shop.run(query).await;
    let text = r#"
        table = "or`d 'e\"rs"
        action = "drop"
        index = "i`x -- c"
        columns = ["customer"]
    "#;
    let definition = plain(text);
    for is_visible in [true, false] {
        let judged = shop.judge(&definition, true).await;
        assert_eq!(judged.verdict, Verdict::Worse, "{is_visible}: {judged:#?}");
        assert_eq!(judged.queries.len(), 1);
        shop.run("ALTER TABLE `or``d 'e\"rs` ALTER INDEX `i``x -- c` INVISIBLE")
            .await;
    }
}

/// A definition that stands by itself.
fn plain(text: &str) -> Definition {
    Definition::parse("0001_x.toml", text).unwrap()
}

/// What was measured when a definition was proposed is not dropped because the optimizer thinks
/// otherwise, nor is it shown before it was run here.
#[tokio::test]
async fn a_measured_gain_waits_for_a_run_where_the_estimate_says_dearer() {
    let shop = Shop::open("judge_measured").await;
    let head = "action = \"create\"\nindex = \"forced\"\ncolumns = [\"state\"]";
    // The hint takes both indexes whatever that costs, so that the estimate gets dearer.
    let query = "SELECT /*+ INDEX_MERGE(orders forced, customer) */ id, note FROM orders \
                 WHERE state = 'open' AND customer = 17";
    shop.run_until_kept(query).await;
    shop.run("ALTER TABLE orders ADD INDEX forced (state) INVISIBLE")
        .await;
    let definition = shop.definition(head, query).await;
    let judged = shop.judge(&definition, false).await;
    assert_eq!(judged.verdict, Verdict::Worse, "{judged:#?}");
    assert_eq!(judged.is_kept, Some(false));
    let measured = |version: &str, bytes: u64| {
        let proven = format!(
            "source = \"test\"\nis_proven = true\nserver_version = \"{version}\"\nbytes = {bytes}\n"
        );
        let text = definition.to_toml().replace("is_proven = false\n", "");
        let text = text.replace("source = \"test\"\n", &proven);
        plain(&format!(
            "{text}time_us_before = 900.0\ntime_us_after = 90.0\n"
        ))
    };
    let version = server::shared().await.endpoint().version.clone();
    let bytes: u64 = sqlx::query_scalar(
        "SELECT CAST(stat_value * @@innodb_page_size AS UNSIGNED) FROM mysql.innodb_index_stats \
         WHERE database_name = ? AND index_name = 'forced' AND stat_name = 'size'",
    )
    .bind(shop.schema.name())
    .fetch_one(&shop.pool)
    .await
    .unwrap();
    let open = shop.judge(&measured(&version, bytes), false).await;
    assert_eq!((open.is_kept, open.needs_run), (None, true), "{open:#?}");
    assert!(
        open.reason.contains("estimated cost") && open.reason.contains("--execute-queries"),
        "{}",
        open.reason
    );
    // What was measured on another version, or on a table of another size, says nothing here.
    for other in [measured("5.7.44", bytes), measured(&version, bytes * 20)] {
        let judged = shop.judge(&other, false).await;
        assert_eq!(judged.is_kept, Some(false), "{judged:#?}");
    }
    // Whoever trusts the estimate gets what it says, and a run decides.
    let mut settings = Settings::new(plans::read);
    settings.trusts_estimates = true;
    let trusted = shop.judge_with(&measured(&version, bytes), &settings).await;
    assert_eq!(trusted.is_kept, Some(false), "{trusted:#?}");
    let executed = shop.judge(&measured(&version, bytes), true).await;
    assert!(executed.queries[0].is_measured, "{executed:#?}");
    assert_eq!(executed.is_kept, Some(false), "{executed:#?}");
}
