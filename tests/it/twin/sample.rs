//! A sample of the data, and whether it answers as the whole does.

use super::*;

/// Whether a number is about the same there and here.
async fn agree(
    original: &mut MySqlConnection,
    copy: &mut MySqlConnection,
    what: &str,
    sql: &str,
    share: f64,
) {
    let (there, here) = (number(original, sql).await, number(copy, sql).await);
    assert!(
        is_near(there, here, share),
        "{what}: {there} there, {here} here"
    );
}

/// Ten thousand accounts with UUIDs, 60,000 orders that few of them have many of, and 120,000
/// lines; nothing is in the order of the keys.
async fn skewed(url: &str) -> MySqlConnection {
    let mut connection = server::connect(url).await;
    for sql in [
        "SET SESSION cte_max_recursion_depth = 1000000",
        "CREATE TABLE account (id CHAR(36) PRIMARY KEY, n INT NOT NULL, region VARCHAR(10), KEY (region)) STATS_SAMPLE_PAGES=2000",
        "CREATE TABLE purchase (id CHAR(36) PRIMARY KEY, n INT NOT NULL, account_id CHAR(36) NOT NULL, \
         state VARCHAR(10), made DATETIME, KEY (account_id), KEY (made), \
         CONSTRAINT a FOREIGN KEY (account_id) REFERENCES account (id)) STATS_SAMPLE_PAGES=2000",
        "CREATE TABLE line (id BIGINT AUTO_INCREMENT PRIMARY KEY, purchase_id CHAR(36) NOT NULL, \
         product INT, KEY (purchase_id)) STATS_SAMPLE_PAGES=2000",
        "INSERT INTO account WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 9999) \
         SELECT BIN_TO_UUID(UNHEX(LEFT(SHA2(CONCAT('a', n), 256), 32))), n, CONCAT('r', n % 7) FROM s",
        // A skew: account floor(10000 * u^2), and one account that has every twentieth order.
        "INSERT INTO purchase WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 59999) \
         SELECT BIN_TO_UUID(UNHEX(LEFT(SHA2(CONCAT('p', n), 256), 32))), n, BIN_TO_UUID(UNHEX(LEFT(SHA2(CONCAT('a', IF(n % 20 = 0, 77, \
         FLOOR(10000 * POW(RAND(n), 2)))), 256), 32))), ELT(1 + n % 3, 'new', 'paid', 'done'), \
         '2024-01-01' + INTERVAL n * 8 MINUTE FROM s",
        "INSERT INTO line (purchase_id, product) WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 119999) \
         SELECT BIN_TO_UUID(UNHEX(LEFT(SHA2(CONCAT('p', FLOOR(60000 * RAND(n))), 256), 32))), n % 500 FROM s",
        "ANALYZE TABLE account, purchase, line",
    ] {
        run(&mut connection, sql).await;
    }
    connection
}

fn shop(schema: &str, account: &str) -> (Workload, Vec<(usize, Shape)>) {
    let sql = "SELECT COUNT(*) FROM account a JOIN purchase p ON p.account_id = a.id \
         JOIN line l ON l.purchase_id = p.id WHERE a.region = 'r3' AND p.state = 'paid'";
    let of_one = format!("SELECT * FROM purchase WHERE account_id = '{account}'");
    let quoted = format!("'{account}'");
    let shapes = vec![
        (
            0,
            shape(vec![
                table_use(
                    schema,
                    "account",
                    vec![predicate("region", Op::Equal, &["'r3'"])],
                    vec![join(schema, "id", "purchase", "account_id")],
                ),
                table_use(
                    schema,
                    "purchase",
                    vec![predicate("state", Op::Equal, &["'paid'"])],
                    vec![
                        join(schema, "account_id", "account", "id"),
                        join(schema, "id", "line", "purchase_id"),
                    ],
                ),
                table_use(
                    schema,
                    "line",
                    vec![],
                    vec![join(schema, "purchase_id", "purchase", "id")],
                ),
            ]),
        ),
        (
            1,
            shape(vec![table_use(
                schema,
                "purchase",
                vec![predicate("account_id", Op::Equal, &[&quoted])],
                vec![],
            )]),
        ),
    ];
    (
        workload(vec![query(schema, sql), query(schema, &of_one)]),
        shapes,
    )
}

#[tokio::test]
#[allow(
    clippy::too_many_lines,
    reason = "one twin is asked everything, since making it is the work"
)]
async fn a_sample_keeps_the_ratios_of_a_skewed_schema() {
    let _alone = super::ALONE.lock().await;
    let schema = server::schema("twin_skew").await;
    let name = schema.name();
    let mut original = skewed(&schema.url()).await;
    let mut target = target().await;
    let catalog = read(&mut target, name).await;
    let account = "SELECT BIN_TO_UUID(UNHEX(LEFT(SHA2('a123', 256), 32)))";
    let row = original.fetch_one(account).await.unwrap();
    let account: String = row.get(0);
    let (workload, shapes) = shop(name, &account);
    let options = TwinOptions {
        max_rows: 19_000,
        busy_share: 1.0,
        ..TwinOptions::new(Tier::Sample)
    };
    let plan = twin::plan(&catalog, &shapes, &options);
    let before = target.meter().read();
    let built = build(&mut target, &catalog, &workload, &shapes, &options).await;
    let spent = target.meter().read();
    assert!(spent.rows - before.rows <= plan.rows());
    assert!(spent.statements - before.statements <= plan.statements());
    let mut copy = plain(&twin_server().await).await;
    run(&mut copy, &format!("USE `{name}`")).await;
    for (what, sql, share) in [
        (
            "orders of an account",
            "SELECT COUNT(*) / COUNT(DISTINCT account_id) FROM purchase",
            0.15,
        ),
        (
            "lines of an order",
            "SELECT COUNT(*) / COUNT(DISTINCT purchase_id) FROM line",
            0.15,
        ),
        (
            "orders by lines",
            "(SELECT COUNT(*) FROM line) / (SELECT COUNT(*) FROM purchase)",
            0.15,
        ),
        (
            "share of the heaviest account",
            "(SELECT MAX(n) FROM (SELECT COUNT(*) n FROM purchase GROUP BY account_id) x) / (SELECT COUNT(*) FROM purchase)",
            0.3,
        ),
        (
            "orders of the constant",
            &format!("SELECT COUNT(*) FROM purchase WHERE account_id = '{account}'"),
            0.0,
        ),
    ] {
        agree(&mut original, &mut copy, what, sql, share).await;
    }
    // Every reference that is found there is found here as well.
    let dangling = "SELECT COUNT(*) FROM purchase p LEFT JOIN account a ON a.id = p.account_id WHERE a.id IS NULL";
    assert!(number(&mut copy, dangling).await < 0.5);
    for sample in workload.queries.iter().map(|query| built.samples(query)) {
        let sql = format!("EXPLAIN FORMAT=TRADITIONAL {}", sample[0].sql);
        let order = |rows: Vec<sqlx::mysql::MySqlRow>| -> Vec<(String, Option<String>)> {
            rows.iter().map(|row| (row.get(2), row.get(6))).collect()
        };
        let of = |sql: &str| sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let there = original.fetch_all(of(&sql)).await.unwrap();
        let here = copy.fetch_all(of(&sql)).await.unwrap();
        assert_eq!(order(there), order(here), "{}", sample[0].sql);
    }
    built.finish().await.unwrap();
    let left =
        format!("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '{name}'");
    assert!(number(&mut copy, &left).await < 0.5);
}

/// A tree, a key of two columns, and a constant that no index leads to and no sample can hold.
async fn odd(url: &str) -> MySqlConnection {
    let mut connection = server::connect(url).await;
    for sql in [
        "SET SESSION cte_max_recursion_depth = 1000000",
        "CREATE TABLE node (id INT PRIMARY KEY, parent INT, tag VARCHAR(20) NOT NULL, KEY (parent), \
         CONSTRAINT p FOREIGN KEY (parent) REFERENCES node (id)) STATS_SAMPLE_PAGES=2000",
        "CREATE TABLE place (a INT, b INT, PRIMARY KEY (a, b)) STATS_SAMPLE_PAGES=2000",
        "CREATE TABLE visit (id INT PRIMARY KEY, a INT, b INT, KEY ab (a, b), \
         CONSTRAINT v FOREIGN KEY (a, b) REFERENCES place (a, b)) STATS_SAMPLE_PAGES=2000",
        "INSERT INTO node WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 29999) \
         SELECT n, IF(n = 0, NULL, FLOOR(n / 4)), CONCAT('t', n) FROM s",
        "INSERT INTO place WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 9999) \
         SELECT n DIV 5, n % 5 FROM s",
        "INSERT INTO visit WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 49999) \
         SELECT n, n * 7 % 2000, n * 7 DIV 2000 % 5 FROM s",
        "ANALYZE TABLE node, place, visit",
    ] {
        run(&mut connection, sql).await;
    }
    connection
}

#[tokio::test]
async fn trees_keys_of_two_columns_and_rare_constants_scale_down() {
    let _alone = super::ALONE.lock().await;
    let schema = server::schema("twin_odd").await;
    let name = schema.name();
    let mut original = odd(&schema.url()).await;
    let mut target = target().await;
    let catalog = read(&mut target, name).await;
    let sql = "SELECT id FROM node WHERE tag = 't4' AND id > 3";
    let predicates = vec![predicate("tag", Op::Equal, &["'t4'"])];
    let shapes = vec![(0, shape(vec![table_use(name, "node", predicates, vec![])]))];
    let workload = workload(vec![query(name, sql)]);
    let options = TwinOptions {
        max_rows: 9_000,
        busy_share: 1.0,
        seed: 3,
        ..TwinOptions::new(Tier::Sample)
    };
    let mut built = build(&mut target, &catalog, &workload, &shapes, &options).await;
    let mut copy = plain(&twin_server().await).await;
    run(&mut copy, &format!("USE `{name}`")).await;
    for (what, sql) in [
        (
            "children",
            "SELECT COUNT(*) / COUNT(DISTINCT parent) FROM node",
        ),
        (
            "visits",
            "SELECT COUNT(*) / COUNT(DISTINCT a, b) FROM visit",
        ),
    ] {
        agree(&mut original, &mut copy, what, sql, 0.15).await;
    }
    for dangling in [
        "SELECT COUNT(*) FROM visit LEFT JOIN place USING (a, b) WHERE place.a IS NULL",
        "SELECT COUNT(*) FROM node n LEFT JOIN node p ON p.id = n.parent WHERE p.id IS NULL AND n.parent IS NOT NULL",
    ] {
        assert!(number(&mut copy, dangling).await < 0.5, "{dangling}");
    }
    // Either the row was sampled by chance, or another value stands for it.
    let sample = built.samples(&workload.queries[0]).remove(0);
    let there = number(&mut copy, "SELECT COUNT(*) FROM node WHERE tag = 't4'").await;
    assert_eq!(sample.is_made_up, there < 0.5, "{}", sample.sql);
    let tag = sample
        .sql
        .split("tag = ")
        .nth(1)
        .unwrap()
        .split(" AND")
        .next()
        .unwrap();
    let found = number(
        &mut copy,
        &format!("SELECT COUNT(*) FROM node WHERE tag = {tag}"),
    )
    .await;
    assert!((found - 1.0).abs() < 0.5, "{}", sample.sql);
    let known = built
        .statistics(&[(TableName::new(name, "node"), "tag".to_owned())])
        .await
        .unwrap()
        .of(&TableName::new(name, "node"), "TAG");
    assert!(
        is_near(known.distinct.unwrap() as f64, 30_000.0, 0.1),
        "{known:?}"
    );
    built.finish().await.unwrap();
}
