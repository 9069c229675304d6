//! Whether an index keeps its promise: judged before it counts, guarded behind, and tried on a
//! private server.

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

    async fn judge(&self, definition: &Definition, execute: bool) -> Judgement {
        let mut settings = Settings::new(plans::read);
        settings.execute = execute.then(|| Execute {
            limit: Duration::from_secs(5),
            pairs: 5,
        });
        let mut connection = self.connection().await;
        let before = switches(&mut connection).await;
        let judged = judge(&mut connection, definition, self.schema.name(), &settings)
            .await
            .unwrap();
        assert_eq!(switches(&mut connection).await, before);
        connection.close().await;
        judged
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
    shop.run(query).await;
    shop.run("ALTER TABLE orders ADD INDEX noted (note) INVISIBLE")
        .await;
    let definition = shop
        .definition(
            "action = \"create\"\nindex = \"noted\"\ncolumns = [\"note\"]",
            query,
        )
        .await;
    let judged = shop.judge(&definition, false).await;
    assert_eq!(judged.verdict, Verdict::Same, "{judged:#?}");
    assert_eq!(judged.is_kept, Some(false));
    assert!(judged.queries[0].reason.contains("does not take the index"));
}

/// The optimizer expects to find ten rows soon in the order of `made`, and has to read nearly all.
#[tokio::test]
async fn an_ordering_index_that_reads_more_is_caught_when_it_is_executed() {
    let shop = Shop::open("judge_trap").await;
    let query = "SELECT id, note FROM orders WHERE state = 'rare' ORDER BY made LIMIT 10";
    shop.run(query).await;
    shop.run("ALTER TABLE orders ADD INDEX made (made) INVISIBLE")
        .await;
    let definition = shop
        .definition(
            "action = \"create\"\nindex = \"made\"\ncolumns = [\"made\"]",
            query,
        )
        .await;
    let estimated = shop.judge(&definition, false).await;
    assert_eq!(estimated.verdict, Verdict::Better, "{estimated:#?}");
    let executed = shop.judge(&definition, true).await;
    assert_eq!(executed.verdict, Verdict::Worse, "{executed:#?}");
    assert_eq!(executed.is_kept, Some(false));
    assert!(executed.reason.contains("executed"), "{}", executed.reason);
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
        let found = judged.queries.iter().filter(|query| !query.is_evidence);
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
    shop.run(query).await;
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

#[tokio::test]
async fn the_guard_sees_the_gain_and_asks_for_more_calls_before() {
    let shop = Shop::open("guard_gain").await;
    let query = "SELECT id FROM orders WHERE state = 'rare' ORDER BY made LIMIT 10";
    for _ in 0..10 {
        shop.run(query).await;
    }
    let definition = shop.definition(STATE_MADE, query).await;
    let before = shop.counts(&definition).await;
    assert_eq!(before.queries[0].total().calls, 10, "{before:?}");
    let name = shop.schema.name();
    shop.run("ALTER TABLE orders ADD INDEX state_made (state, made)")
        .await;
    // The counts survive in the ledger's schema.
    let mut connection = shop.connection().await;
    connection
        .run("a setting", "SET SESSION transaction_read_only = OFF")
        .await
        .unwrap();
    assert_eq!(guard::recall(&mut connection, name, 7).await.unwrap(), None);
    guard::remember(&mut connection, name, 7, &before)
        .await
        .unwrap();
    let before = guard::recall(&mut connection, name, 7)
        .await
        .unwrap()
        .unwrap();
    connection.close().await;
    let rules = Rules::default();
    let verify = async || {
        let now = shop.counts(&definition).await;
        compare(definition.action, &before, &before, &now, &rules)
    };
    for _ in 0..7 {
        shop.run(query).await;
    }
    let few = verify().await;
    assert_eq!(few.outcome, Outcome::Inconclusive, "{few:#?}");
    assert!(few.reason.contains("7 of 30 calls"), "{}", few.reason);
    // The others come through the prepared protocol, and are the same query.
    for _ in 0..30 {
        sqlx::query("SELECT id FROM orders WHERE state = ? ORDER BY made LIMIT ?")
            .bind("rare")
            .bind(10)
            .fetch_all(&shop.pool)
            .await
            .unwrap();
    }
    let many = verify().await;
    assert_eq!(many.outcome, Outcome::Gained, "{many:#?}");
    let after = many.queries[0].after.unwrap();
    assert_eq!(after.calls, 37);
    assert!(after.rows_examined < 30.0, "{after:?}");
    assert!(many.queries[0].before.unwrap().rows_examined > 10_000.0);
}

#[tokio::test]
async fn an_index_without_gain_is_hidden_and_the_change_is_recorded() {
    let shop = Shop::open("guard_hide").await;
    let query = "SELECT id FROM orders WHERE note = 'z'";
    for _ in 0..10 {
        shop.run(query).await;
    }
    let definition = shop.definition(STATE_MADE, query).await;
    let before = shop.counts(&definition).await;
    shop.run("ALTER TABLE orders ADD INDEX state_made (state, made)")
        .await;
    for _ in 0..40 {
        shop.run(query).await;
    }
    let now = shop.counts(&definition).await;
    let found = compare(definition.action, &before, &before, &now, &Rules::default());
    assert_eq!(found.outcome, Outcome::NotGained, "{found:#?}");
    let folder = tempfile::tempdir().unwrap();
    let audit = Audit::in_folder(folder.path());
    let name = shop.schema.name();
    let hand = Hand {
        server: &shop.server,
        limits: &shop.limits,
        audit: &audit,
        read_only: false,
    };
    let sent = hide::set_visible(&hand, (1, &definition), name, false, &found.reason)
        .await
        .unwrap();
    assert!(
        sent.ends_with("ALTER INDEX `state_made` INVISIBLE"),
        "{sent}"
    );
    assert!(!shop.is_visible("state_made").await);
    let log = std::fs::read_to_string(audit.path()).unwrap();
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2, "{log}");
    for (line, result) in lines.iter().zip(["intended", "done"]) {
        assert_eq!(line["action"], "hide-index");
        assert_eq!(line["result"], result);
        assert_eq!(line["statement"], sent.as_str());
    }
    // Another index of that name is nobody's to hide.
    shop.run("ALTER TABLE orders DROP INDEX state_made, ADD INDEX state_made (made)")
        .await;
    let refused = hide::set_visible(&hand, (1, &definition), name, false, "why").await;
    assert!(
        matches!(refused, Err(hide::Error::Changed { .. })),
        "{refused:?}"
    );
    assert!(shop.is_visible("state_made").await);
    let mut locked = shop.server.clone();
    locked.read_only = true;
    let hand = Hand {
        server: &locked,
        ..hand
    };
    let refused = hide::set_visible(&hand, (1, &definition), name, false, "why").await;
    assert!(matches!(refused, Err(hide::Error::ReadOnly)), "{refused:?}");
}

/// A definition that stands by itself.
fn plain(text: &str) -> Definition {
    Definition::parse("0001_x.toml", text).unwrap()
}

/// Some that a server takes, and some that it refuses, each for another reason.
fn tried_definitions() -> [Definition; 8] {
    [
        plain(
            "table = \"orders\"\naction = \"create\"\nindex = \"a\"\ncolumns = [\"state\", { column = \"made\", desc = true }, { column = \"note\", prefix = 9 }]\ncomment = \"it's\"",
        ),
        plain(
            "table = \"orders\"\naction = \"create\"\nindex = \"b\"\ncolumns = [{ expression = \"lower(nobody)\" }]",
        ),
        plain(
            "table = \"orders\"\naction = \"drop\"\nindex = \"customer\"\ncolumns = [\"customer\"]",
        ),
        // It keeps the foreign key.
        plain(
            "table = \"parts\"\naction = \"drop\"\nindex = \"order_part\"\ncolumns = [\"order_id\", \"part\"]",
        ),
        plain(
            "table = \"parts\"\naction = \"create\"\nindex = \"tags\"\ncolumns = [{ expression = \"cast(json_extract(doc, '$.tags') as char(20) array)\" }]\nkind = \"multi_valued\"",
        ),
        plain(
            "table = \"customers\"\naction = \"create\"\nindex = \"lower_name\"\ncolumns = [{ expression = \"lower(name)\" }]",
        ),
        plain("table = \"customers\"\naction = \"create\"\nindex = \"mail\"\ncolumns = [\"mail\"]"),
        plain("table = \"missing\"\naction = \"create\"\nindex = \"m\"\ncolumns = [\"a\"]"),
    ]
}

fn each_is_told(all: &[shadow::Tried]) {
    let expected = [
        ("a", ""),
        ("b", "Unknown column 'nobody'"),
        ("customer", ""),
        ("order_part", "needed in a foreign key constraint"),
        ("tags", ""),
        ("lower_name", "LOCK=NONE is not supported"),
        ("mail", "without a key length"),
        ("m", "not on the target"),
    ];
    for (tried, (index, problem)) in all.iter().zip(expected) {
        assert_eq!(tried.name, index);
        let problems = tried.problems.join("; ");
        assert!(problems.contains(problem), "{index}: {problems}");
        assert_eq!(
            problem.is_empty(),
            problems.is_empty(),
            "{index}: {problems}"
        );
        if problem.is_empty() {
            assert_eq!(tried.statements.len(), 2, "{tried:?}");
            assert!(
                tried
                    .statements
                    .iter()
                    .all(|(_, refused)| refused.is_none())
            );
        }
    }
}

#[tokio::test]
async fn a_private_server_tells_what_would_be_refused() {
    let shop = Shop::open("shadow").await;
    let name = shop.schema.name();
    shop.run("CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(50), mail TEXT)")
        .await;
    shop.run(
        "CREATE TABLE parts (id INT PRIMARY KEY, order_id INT NOT NULL, part INT, doc JSON, \
         KEY order_part (order_id, part), FULLTEXT KEY ft (note), note TEXT, \
         CONSTRAINT of_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE)",
    )
    .await;
    let private =
        mydex::sandbox::Sandbox::start(&mydex::sandbox::Options::default(), &mut server::quiet)
            .await
            .unwrap();
    let definitions = tried_definitions();
    let mut trials: Vec<Trial<'_>> = definitions
        .iter()
        .map(|definition| Trial::of(definition.index.name.clone(), definition, name))
        .collect();
    // A functional index can't be built while others write, and says so before the target sees it.
    trials[5].up = trials[5]
        .up
        .iter()
        .map(|sql| sql.replace("LOCK=SHARED", "LOCK=NONE"))
        .collect();
    assert!(trials[5].up[0].contains("LOCK=NONE"));
    let mut target = shop.connection().await;
    let report = shadow::run(
        &mut target,
        &private.endpoint().server("private"),
        &shop.limits,
        &trials,
        name,
    )
    .await
    .unwrap();
    target.close().await;
    each_is_told(&report.tried);
    // Nothing was changed on the target, and nothing is left on the private server.
    let indexes: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT INDEX_NAME FROM information_schema.STATISTICS \
         WHERE TABLE_SCHEMA = ? AND TABLE_NAME = 'orders' ORDER BY 1",
    )
    .bind(name)
    .fetch_all(&shop.pool)
    .await
    .unwrap();
    assert_eq!(indexes, ["customer", "PRIMARY"]);
    let left: Vec<String> = sqlx::query_scalar(
        "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'shadow%'",
    )
    .fetch_all(&mut server::connect(&private.endpoint().url()).await)
    .await
    .unwrap();
    assert!(left.is_empty(), "{left:?}");
    private.stop().await.unwrap();
}

/// Runs the program on the shop, with its state in `folder`.
async fn mydex(shop: &Shop, folder: &std::path::Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mydex"));
    command
        .current_dir(folder)
        .env("MYDEX_STATE_DIR", folder.join("state"))
        .env("MYDEX_URL", shop.schema.url())
        .args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// From the definition to the guard, as a user goes.
#[tokio::test]
async fn the_program_applies_verifies_and_hides() {
    let shop = Shop::open("verify_cli").await;
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::create_dir(here.join("indexes")).unwrap();
    let query = "SELECT id FROM orders WHERE state = 'rare' ORDER BY made LIMIT 10";
    let useless = "SELECT id, customer, state, made FROM orders WHERE note LIKE '%z'";
    for _ in 0..10 {
        shop.run(query).await;
        shop.run(useless).await;
    }
    let write = |file: &str, definition: &Definition| {
        std::fs::write(here.join("indexes").join(file), definition.to_toml()).unwrap();
    };
    write(
        "0001_state_made.toml",
        &shop.definition(STATE_MADE, query).await,
    );
    let noted = "action = \"create\"\nindex = \"noted\"\ncolumns = [\"note\"]";
    write("0002_noted.toml", &shop.definition(noted, useless).await);
    let apply = ["index", "apply", "--execute", "--execute-queries"];
    let (code, out, err) = mydex(&shop, here, &apply).await;
    assert!(out.contains("applied"), "{code} {out}{err}");
    assert!(err.contains("verified: "), "{err}");
    assert!(err.contains("rejected"), "{err}");
    assert!(shop.is_visible("state_made").await);
    let gone: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM information_schema.STATISTICS \
         WHERE TABLE_SCHEMA = ? AND INDEX_NAME = 'noted'",
    )
    .bind(shop.schema.name())
    .fetch_one(&shop.pool)
    .await
    .unwrap();
    assert_eq!(gone, 0, "the useless index was not taken back: {err}");
    // Too few calls, then enough.
    let verify = ["index", "verify", "--only", "1", "--format", "json"];
    let (code, out, err) = mydex(&shop, here, &verify).await;
    assert_eq!(code, 2, "{out}{err}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json[0]["outcome"], "inconclusive", "{out}");
    for _ in 0..40 {
        shop.run(query).await;
    }
    let (code, out, err) = mydex(&shop, here, &verify).await;
    assert_eq!(code, 0, "{out}{err}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json[0]["outcome"], "gained", "{out}");
    // What mydex ran itself to judge the index is not counted as the application's.
    assert_eq!(json[0]["queries"][0]["after"]["calls"], 40, "{out}");
    an_index_without_gain_is_hidden(&shop, here, noted, useless).await;
}

/// The figures from before an index that nobody asked for show no gain, and it is hidden.
async fn an_index_without_gain_is_hidden(
    shop: &Shop,
    here: &std::path::Path,
    noted: &str,
    useless: &str,
) {
    let definition = shop.definition(noted, useless).await;
    let (code, _, err) = mydex(
        shop,
        here,
        &["index", "verify", "--only", "2", "--record", "before.json"],
    )
    .await;
    assert_eq!(code, 0, "{err}");
    shop.run(&definition.up(shop.schema.name())[0]).await;
    for _ in 0..40 {
        shop.run(useless).await;
    }
    let guard = [
        "index",
        "verify",
        "--only",
        "2",
        "--baseline",
        "before.json",
        "--auto-rollback",
        "--format",
        "junit",
    ];
    let (code, out, err) = mydex(shop, here, &guard).await;
    assert_eq!(code, 1, "{out}{err}");
    assert!(
        out.contains("nothing was read through the index") || out.contains("MYX070"),
        "{out}"
    );
    assert!(!shop.is_visible("noted").await);
    let log = std::fs::read_to_string(here.join("state/audit.jsonl")).unwrap();
    assert_eq!(log.matches("hide-index").count(), 2, "{log}");
}

#[tokio::test]
async fn a_drop_that_hurts_is_refused_and_a_dry_run_is_tried() {
    let shop = Shop::open("verify_drop").await;
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::create_dir(here.join("indexes")).unwrap();
    let query = "SELECT COUNT(*) FROM orders WHERE customer = 17 AND made > '2020-01-02'";
    shop.run(query).await;
    let drop = "action = \"drop\"\nindex = \"customer\"\ncolumns = [\"customer\"]";
    let definition = shop.definition(drop, query).await;
    let file = here.join("indexes/0001_customer.toml");
    std::fs::write(&file, definition.to_toml()).unwrap();
    let (code, out, err) = mydex(&shop, here, &["index", "apply", "--execute"]).await;
    assert_eq!(code, 2, "{out}{err}");
    assert!(err.contains("queries would get slower"), "{err}");
    assert!(shop.is_visible("customer").await);
    let wrong = plain(
        "table = \"orders\"\naction = \"create\"\nindex = \"b\"\n\
         columns = [{ expression = \"lower(nobody)\" }]",
    );
    std::fs::write(here.join("indexes/0002_b.toml"), wrong.to_toml()).unwrap();
    let (code, out, err) = mydex(&shop, here, &["index", "apply"]).await;
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("Tried on a private server"), "{out}{err}");
    assert!(out.contains("1 of 2 were carried out"), "{out}{err}");
    assert!(out.contains("Unknown column 'nobody'"), "{out}{err}");
}
