//! Executions on the twin, and what is left of them.

use super::*;

#[allow(
    clippy::too_many_lines,
    reason = "a list of cases, one after the other"
)]
#[tokio::test(flavor = "multi_thread")]
async fn a_session_measures_and_leaves_nothing_behind() {
    let stage = Stage::new("session", &SHOP, &SHOP_INDEXES).await;
    let mut session = stage.session().await;
    let schema = Some(stage.schema.name());
    let limit = Duration::from_secs(5);
    // A row by its key is one read; the counters' own reading is not in it.
    let point = session
        .measure(schema, &sample("SELECT * FROM sale WHERE id = 5"), limit)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((point.reads, point.temporary), (1, 0));
    let scan = session
        .measure(
            schema,
            &sample("SELECT note, COUNT(*) FROM sale GROUP BY note"),
            limit,
        )
        .await
        .unwrap()
        .unwrap();
    assert!(scan.reads >= 30_000 && scan.temporary >= 1, "{scan:?}");
    // A write is measured and taken back.
    for sql in [
        "DELETE FROM sale WHERE day < 100",
        "UPDATE sale SET amount = 0 WHERE day = 3",
        "INSERT INTO person VALUES (900000, 1, 1, 'x')",
        "INSERT INTO person SELECT id + 100000, 1, 1, 'x' FROM sale WHERE day = 3",
    ] {
        let explained = session
            .explain(schema, &sample(sql))
            .await
            .unwrap()
            .unwrap();
        assert!(explained.cost >= 1.0, "{explained:?}");
        let done = session
            .measure(schema, &sample(sql), limit)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(done.temporary, 0);
    }
    let mut connection = server::connect(&stage.schema.url()).await;
    let left = connection
        .fetch_one(
            "SELECT (SELECT COUNT(*) FROM sale), (SELECT COUNT(*) FROM person), \
                    (SELECT SUM(amount = 0) FROM sale WHERE day = 3)",
        )
        .await
        .unwrap();
    assert_eq!(
        (left.get::<i64, _>(0), left.get::<i64, _>(1)),
        (30_000, 8_000)
    );
    // What takes too long is ended, and the session goes on.
    let started = Instant::now();
    let endless =
        "SELECT COUNT(*) FROM sale a, sale b, sale c WHERE a.note < b.note OR b.note > c.note";
    let ended = session
        .measure(schema, &sample(endless), Duration::from_millis(200))
        .await
        .unwrap()
        .unwrap();
    assert!(
        ended.is_capped && started.elapsed() < Duration::from_secs(3),
        "{ended:?}"
    );
    let endless = "DELETE a FROM sale a JOIN sale b ON a.note <> b.note OR a.id < b.id";
    let ended = session
        .measure(schema, &sample(endless), Duration::from_millis(200))
        .await
        .unwrap()
        .unwrap();
    assert!(ended.is_capped, "{ended:?}");
    // Errors of a statement are values.
    for (sql, reason) in [
        ("SELECT * FROM nowhere", "doesn't exist"),
        ("SELECT SLEEP(100)", "SLEEP"),
        ("SELECT 1; DROP TABLE sale", "several statements"),
        ("SELECT * FROM sale INTO OUTFILE '/tmp/mydex-never'", "INTO"),
        ("SELECT * FROM sale WHERE id = ?", "parameters"),
        ("DROP TABLE sale", "DROP"),
        ("SELECT * FROM sale FORCE INDEX (day) WHERE day = 1", "day"),
    ] {
        let refused = session
            .explain(schema, &sample(sql))
            .await
            .unwrap()
            .unwrap_err();
        assert!(refused.contains(reason), "{sql}: {refused}");
        assert!(
            session
                .measure(schema, &sample(sql), limit)
                .await
                .unwrap()
                .is_err()
        );
    }
    assert!(
        session
            .explain(Some("no such schema"), &sample("SELECT 1"))
            .await
            .unwrap()
            .is_err()
    );
    let tree = session
        .tree(schema, &sample("SELECT * FROM sale WHERE id = 5"))
        .await;
    assert!(tree.unwrap().unwrap().starts_with("->"));
}
