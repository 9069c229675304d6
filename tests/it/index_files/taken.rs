//! Adopting twins, taking back what was there, and numbers and folders that are wrong.

use super::*;

#[tokio::test]
async fn twins_are_adopted_each_and_taken_back_without_a_trace() {
    let (schema, pool) = shop("index_twins").await;
    execute(&pool, "ALTER TABLE orders ADD INDEX made_again (made)").await;
    let bench = Bench::new(&schema);
    let before = show(&pool, "orders").await;
    bench.json(0, &["adopt", "--execute"]);
    assert_eq!(bench.json(0, &["adopt"]), Value::Array(Vec::new()));
    let states = bench.json(0, &["status", "--check"]);
    assert_eq!(states.as_array().unwrap().len(), 4);
    bench.json(0, &["drift"]);
    // Each was there before its definition, so that taking it back leaves it.
    bench.json(0, &["rollback", "--to", "0", "--execute"]);
    assert_eq!(show(&pool, "orders").await, before);
    assert_eq!(rules(&bench.json(0, &["drift"])), Vec::<&str>::new());
}

#[tokio::test]
async fn a_number_that_nobody_knows_is_a_mistake_and_a_bad_file_no_hindrance() {
    let (schema, pool) = shop("index_numbers").await;
    let bench = Bench::new(&schema);
    let text = "table = \"orders\"\naction = \"create\"\nindex = \"by_state\"\ncolumns = [\"state\"]\n\
                reason = \"x\"\n";
    bench.write("0001_by_state.toml", text);
    bench.write(
        "0002_elsewhere.toml",
        &format!(
            "profiles = [\"production\"]\n{}",
            text.replace("by_state", "elsewhere")
        ),
    );
    let refused = bench.run(&["apply", "--only", "2"]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(
        said(&refused).contains("`production`"),
        "{}",
        said(&refused)
    );
    let told = bench.good(&["apply", "--execute"]);
    assert!(
        told.contains("1 definition is for other profiles"),
        "{told}"
    );
    assert!(show(&pool, "orders").await.contains("`by_state`"));

    for execute in [&[][..], &["--execute"]] {
        let arguments = [&["rollback", "--only", "99"][..], execute].concat();
        let unknown = bench.run(&arguments);
        assert_eq!(unknown.status.code(), Some(2), "{}", said(&unknown));
        assert!(
            said(&unknown).contains("no definition 99"),
            "{}",
            said(&unknown)
        );
    }
    bench.write("0003_bad.toml", "table = 1\n");
    let back = bench.good(&["rollback", "--only", "1", "--execute"]);
    assert!(back.contains("mistake"), "{back}");
    assert!(!show(&pool, "orders").await.contains("`by_state`"));
}
