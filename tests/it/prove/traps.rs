//! Better estimates that run slower.

use super::*;

/// TPC-H query 13 in small: orders of customers, counted.
#[tokio::test(flavor = "multi_thread")]
async fn a_join_by_index_that_is_slower_than_hashing_is_rejected() {
    let stage = Stage::new(
        "q13",
        &[
            NUMBERS,
            "CREATE TABLE customer (c_custkey INT PRIMARY KEY, c_name VARCHAR(40), c_pad CHAR(100))",
            "INSERT INTO customer SELECT i, CONCAT('c', i), REPEAT('x', 90) FROM n WHERE i <= 6000",
            "CREATE TABLE orders (o_orderkey INT PRIMARY KEY, o_custkey INT, o_comment VARCHAR(80), \
             o_pad CHAR(60))",
            "INSERT INTO orders SELECT i, (i * 7919) % 6000 + 1, CONCAT('carefully packed ', i), \
             REPEAT('y', 50) FROM n",
        ],
        &[("orders", "o_custkey", "o_custkey", false)],
    )
    .await;
    let mut session = stage.session().await;
    let sql = "SELECT c_count, COUNT(*) AS custdist FROM (SELECT c_custkey, COUNT(o_orderkey) AS \
               c_count FROM customer LEFT OUTER JOIN orders ON c_custkey = o_custkey AND o_comment \
               NOT LIKE '%special%requests%' GROUP BY c_custkey) AS c_orders GROUP BY c_count \
               ORDER BY custdist DESC, c_count DESC";
    let questions = [stage.question(&[sql], [0])];
    let explored = explored(&stage, &mut session, &questions).await;
    let tempting = brute_force(&problem(&stage, &explored), None).unwrap();
    assert!(
        tempting.chosen.contains(&0),
        "the estimate is not tempting: {explored:?}"
    );
    let (_, proof) = proven(&stage, &mut session, &questions, &explored).await;
    assert!(!proof.selection.chosen.contains(&0), "{proof:#?}");
    assert!(proof.is_stable);
    let rejected = &proof.rejected[0];
    assert!(rejected.estimated.1 < rejected.estimated.0, "{rejected:?}");
    assert!(
        rejected.measured.1.time > rejected.measured.0.time.mul_f64(1.1),
        "{rejected:?}"
    );
    assert_eq!(stage.invisible().await, ["o_custkey"]);
}

/// MySQL bug 97001: the index in the order of `ORDER BY` is read from the end at which there are
/// no rows of the kind that is looked for.
#[tokio::test(flavor = "multi_thread")]
async fn an_ordering_index_that_finds_its_rows_last_is_rejected() {
    let stage = Stage::new(
        "limit",
        &[
            NUMBERS,
            "CREATE TABLE job (id INT PRIMARY KEY, state INT, created INT, pad CHAR(150))",
            "INSERT INTO job SELECT (i * 7919) % 60013, IF(i > 57000, 9, i % 9), i, REPEAT('z', 140) \
             FROM n",
        ],
        &[
            ("job", "state", "state", true),
            ("job", "created", "created", false),
            ("job", "state_created", "state, created", false),
        ],
    )
    .await;
    let mut session = stage.session().await;
    let trap = "SELECT id, pad FROM job WHERE state = 9 ORDER BY created LIMIT 20";
    // With the ordering index alone the optimizer walks into it.
    let questions = [stage.question(&[trap], [0, 1])];
    let known = explored(&stage, &mut session, &questions).await;
    let tempting = brute_force(&problem(&stage, &known), None).unwrap();
    assert!(
        tempting.chosen.contains(&1),
        "the estimate is not tempting: {known:#?}"
    );
    let (_, proof) = proven(&stage, &mut session, &questions, &known).await;
    assert!(!proof.selection.chosen.contains(&1), "{proof:#?}");
    assert!(proof.selection.chosen.contains(&0), "{proof:#?}");
    let rejected = &proof.rejected[0];
    assert!(rejected.estimated.1 < rejected.estimated.0, "{rejected:?}");
    let (before, after) = rejected.measured;
    assert!(
        after.reads > before.reads && after.time > before.time.mul_f64(1.1),
        "{rejected:?}"
    );

    // With the right one among the candidates, that is chosen, and it is proven.
    let questions = [stage.question(&[trap], [0, 1, 2])];
    let known = explored(&stage, &mut session, &questions).await;
    let (_, proof) = proven(&stage, &mut session, &questions, &known).await;
    assert!(proof.selection.chosen.contains(&2), "{proof:#?}");
    assert_eq!(proof.proven.get(&2), Some(&true), "{proof:#?}");
    let (before, after) = proof.queries[0].measured.unwrap();
    assert!(after.reads <= 21, "{after:?}");
    assert!(after.reads < before.reads);
    assert_eq!(stage.invisible().await, ["created", "state_created"]);
}

/// From 200 values on the optimizer doesn't look how many rows each has, and takes the average of
/// all values: here that of many rare ones, where the list has the frequent ones.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_of_frequent_values_is_rejected() {
    let stage = Stage::new(
        "list",
        &[
            NUMBERS,
            "CREATE TABLE event (id INT PRIMARY KEY, kind INT, pad CHAR(150))",
            "INSERT INTO event SELECT (i * 7919) % 60013, IF(i % 3 = 0, 1000 + i, i % 220), \
             REPEAT('z', 140) FROM n",
        ],
        &[("event", "kind", "kind", false)],
    )
    .await;
    let mut session = stage.session().await;
    let kinds: Vec<String> = (0..220).map(|kind| kind.to_string()).collect();
    let sql = format!(
        "SELECT SUM(LENGTH(pad)) FROM event WHERE kind IN ({})",
        kinds.join(", ")
    );
    let questions = [stage.question(&[&sql], [0])];
    let explored = explored(&stage, &mut session, &questions).await;
    let tempting = brute_force(&problem(&stage, &explored), None).unwrap();
    assert!(
        tempting.chosen.contains(&0),
        "the estimate is not tempting: {explored:?}"
    );
    let (_, proof) = proven(&stage, &mut session, &questions, &explored).await;
    assert!(!proof.selection.chosen.contains(&0), "{proof:#?}");
    assert!(proof.is_stable && proof.selection.is_proven);
    let rejected = &proof.rejected[0];
    assert!(
        rejected.estimated.1 < rejected.estimated.0 * 0.5,
        "{rejected:?}"
    );
    assert!(
        rejected.measured.1.time > rejected.measured.0.time.mul_f64(1.1),
        "{rejected:?}"
    );
    assert_eq!(stage.invisible().await, ["kind"]);
}
