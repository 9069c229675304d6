//! A twin without data.

use super::*;

/// The estimate of a statement: rows of its first table and its cost.
async fn estimate(connection: &mut MySqlConnection, sql: &str) -> (f64, f64) {
    run(connection, "SET SESSION explain_json_format_version = 1").await;
    let row = connection
        .fetch_one(sqlx::raw_sql(AssertSqlSafe(format!(
            "EXPLAIN FORMAT=JSON {sql}"
        ))))
        .await
        .unwrap_or_else(|error| panic!("{sql:.300}: {error}"));
    let text: String = row.get(0);
    let plan: serde_json::Value = serde_json::from_str(&text).unwrap();
    let block = &plan["query_block"];
    let cost = block["cost_info"]["query_cost"].as_str().unwrap();
    let rows = block["table"]["rows_examined_per_scan"].as_f64();
    (rows.unwrap_or(0.0), cost.parse().unwrap())
}

#[tokio::test]
#[allow(
    clippy::too_many_lines,
    reason = "one twin is asked everything, since making it is the work"
)]
async fn a_twin_without_data_answers_from_statistics() {
    let _alone = super::ALONE.lock().await;
    let schema = server::schema("twin_dataless").await;
    let name = schema.name();
    let mut original = server::connect(&schema.url()).await;
    for sql in [
        "SET SESSION cte_max_recursion_depth = 1000000",
        "CREATE TABLE event (id BIGINT PRIMARY KEY, day DATE NOT NULL, kind INT NOT NULL, owner INT NOT NULL, \
         pad CHAR(50), KEY (kind), KEY (day)) STATS_SAMPLE_PAGES=2000",
        "INSERT INTO event WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 49999) \
         SELECT n, '2024-01-01' + INTERVAL n % 200 DAY, n % 100, n % 1000, 'x' FROM s",
        "ANALYZE TABLE event",
        "ANALYZE TABLE event UPDATE HISTOGRAM ON day, owner WITH 200 BUCKETS",
    ] {
        run(&mut original, sql).await;
    }
    let mut target = target().await;
    let catalog = read(&mut target, name).await;
    let range = "SELECT pad FROM event WHERE day BETWEEN '2024-02-01' AND '2024-02-07'";
    let texts = [
        "SELECT pad FROM event WHERE kind = 7",
        range,
        "SELECT pad FROM event WHERE id = 4711",
        "SELECT pad FROM event",
        "SELECT pad FROM event WHERE owner = 5",
    ];
    let constant = |column, op, constants: &[&str]| {
        let predicates = vec![predicate(column, op, constants)];
        shape(vec![table_use(name, "event", predicates, vec![])])
    };
    let shapes = vec![
        (0, constant("kind", Op::Equal, &["7"])),
        (
            1,
            constant("day", Op::Range, &["'2024-02-01'", "'2024-02-07'"]),
        ),
        (2, constant("id", Op::Equal, &["4711"])),
        (4, constant("owner", Op::Equal, &["5"])),
    ];
    let workload = workload(texts.iter().map(|sql| query(name, sql)).collect());
    let options = TwinOptions::new(Tier::Dataless);
    let before = target.meter().read();
    let mut built = build(&mut target, &catalog, &workload, &shapes, &options).await;
    let plan = twin::plan(&catalog, &shapes, &options);
    assert!(target.meter().read().rows - before.rows <= plan.rows());
    assert!(
        plan.steps
            .iter()
            .all(|step| !step.sql.to_string().contains("`event`"))
    );
    let candidate = Candidate {
        table: TableName::new(name, "event"),
        index: Index::btree("by_owner", vec![KeyPart::column("owner")]),
        column: None,
        origins: vec![],
        bytes: 0,
        lock: LockLevel::None,
    };
    let made = built.create(&[candidate.clone(), candidate]).await;
    assert_eq!(made[0], Ok(()));
    assert!(made[1].is_err(), "the second of the same name is refused");
    let mut copy = plain(&twin_server().await).await;
    run(&mut copy, &format!("USE `{name}`")).await;
    run(
        &mut original,
        "ALTER TABLE event ADD INDEX by_owner (owner)",
    )
    .await;
    run(&mut copy, "ALTER TABLE event ALTER INDEX by_owner VISIBLE").await;
    for query in &workload.queries {
        let there = estimate(&mut original, &query.samples[0].sql).await;
        let here = estimate(&mut copy, &built.samples(query)[0].sql).await;
        assert!(is_near(there.1, here.1, 0.15), "{there:?} {here:?}");
    }
    built.finish().await.unwrap();
}
