//! The guard behind a change: what was counted before it and since.

use super::*;

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
    let never = CancellationToken::new();
    let hand = Hand {
        server: &shop.server,
        limits: &shop.limits,
        audit: &audit,
        read_only: false,
        cancel: &never,
    };
    let sent = hide::set_visible(&hand, (1, &definition), name, false, &found.reason)
        .await
        .unwrap();
    assert!(
        sent.ends_with("ALTER INDEX `state_made` INVISIBLE, ALGORITHM=INPLACE, LOCK=NONE"),
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
    written_another_way_and_stopped(&shop, &hand).await;
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

/// However a definition writes its columns, it is the same index; and whoever asks to stop while
/// others hold the table finds that on record.
async fn written_another_way_and_stopped(shop: &Shop, hand: &Hand<'_>) {
    let name = shop.schema.name();
    let other = plain(
        "table = \"orders\"\naction = \"create\"\nindex = \"STATE_made\"\nkind = \"hash\"\n\
         columns = [{ column = \"State\", prefix = 10 }, \"MADE\"]",
    );
    let sent = hide::set_visible(hand, (1, &other), name, true, "why").await;
    assert!(sent.unwrap().contains("VISIBLE"));
    assert!(shop.is_visible("state_made").await);
    let again = hide::set_visible(hand, (1, &other), name, true, "why").await;
    assert!(matches!(again, Err(hide::Error::Already(_))), "{again:?}");
    let mut open = shop.pool.acquire().await.unwrap();
    for sql in ["START TRANSACTION", "SELECT COUNT(*) FROM orders"] {
        open.execute(sql).await.unwrap();
    }
    let cancel = CancellationToken::new();
    let press = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        press.cancel();
    });
    let stopped = Hand {
        cancel: &cancel,
        ..*hand
    };
    let outcome = hide::set_visible(&stopped, (1, &other), name, false, "why").await;
    assert!(
        matches!(outcome, Err(hide::Error::Interrupted(_))),
        "{outcome:?}"
    );
    open.execute("COMMIT").await.unwrap();
    assert!(shop.is_visible("state_made").await);
    let log = std::fs::read_to_string(hand.audit.path()).unwrap();
    let last: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!(last["result"], "interrupted", "{log}");
}
