//! From the definition to the guard, as a user goes.

use super::*;

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
    let seldom = "SELECT customer FROM orders WHERE made = '2020-01-05' AND note <> 'seldom'";
    shop.run_until_kept(seldom).await;
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
    // A query that hardly ran before is no part of the verdict, and that is said of it by name.
    for _ in 0..40 {
        shop.run(seldom).await;
    }
    let (_, text, _) = mydex(&shop, here, &["index", "verify", "--only", "1"]).await;
    let left = text
        .split("Not judged, though they name the table:")
        .nth(1)
        .unwrap_or_else(|| panic!("{text}"));
    assert!(
        left.contains("of 5 calls that are needed from before"),
        "{text}"
    );
    assert!(left.contains("SELECT `customer` FROM `orders`"), "{text}");
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
    assert_eq!(code, 1, "{out}{err}");
    assert!(err.contains("queries would get slower"), "{err}");
    assert!(err.contains("--even-if-slower"), "{err}");
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

/// What drops an index is judged when what replaces it is there.
#[tokio::test]
async fn an_index_and_what_it_replaces_go_in_one_run() {
    let shop = Shop::open("verify_replaced").await;
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::create_dir(here.join("indexes")).unwrap();
    let query = "SELECT COUNT(*) FROM orders WHERE customer = 17 AND made > '2020-01-02'";
    shop.run(query).await;
    let write = |file: &str, definition: &Definition| {
        std::fs::write(here.join("indexes").join(file), definition.to_toml()).unwrap();
    };
    let wide = "action = \"create\"\nindex = \"customer_made\"\ncolumns = [\"customer\", \"made\"]";
    write("0001_wide.toml", &shop.definition(wide, query).await);
    let drop = "action = \"drop\"\nindex = \"customer\"\ncolumns = [\"customer\"]";
    write("0002_narrow.toml", &shop.definition(drop, query).await);
    let (code, out, err) = mydex(&shop, here, &["index", "apply", "--execute"]).await;
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("soaking"), "{out}{err}");
    assert!(!shop.is_visible("customer").await);
    assert!(shop.is_visible("customer_made").await);
    let (code, out, err) = mydex(
        &shop,
        here,
        &["index", "rollback", "--to", "0", "--execute"],
    )
    .await;
    assert_eq!(code, 0, "{out}{err}");
    assert!(shop.is_visible("customer").await);
}

#[tokio::test]
async fn what_only_a_run_can_tell_stays_invisible_until_it_is_run() {
    let shop = Shop::open("verify_gamble").await;
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::create_dir(here.join("indexes")).unwrap();
    let query = "SELECT id, note FROM orders WHERE state = 'rare' ORDER BY made LIMIT 10";
    shop.run(query).await;
    let made = "action = \"create\"\nindex = \"made\"\ncolumns = [\"made\"]";
    let definition = shop.definition(made, query).await;
    std::fs::write(here.join("indexes/0001_made.toml"), definition.to_toml()).unwrap();
    for _ in 0..2 {
        let (code, out, err) = mydex(&shop, here, &["index", "apply", "--execute"]).await;
        assert_eq!(code, 2, "{out}{err}");
        assert!(err.contains("stays invisible"), "{err}");
        assert!(err.contains("--execute-queries"), "{err}");
        assert!(!shop.is_visible("made").await);
    }
    let status = ["index", "status", "--format", "json"];
    let (code, out, err) = mydex(&shop, here, &status).await;
    assert_eq!(code, 0, "{out}{err}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json[0]["state"], "staged", "{out}");
    assert!(json[0]["said"].as_str().unwrap().contains("LIMIT"), "{out}");
    let (code, _, err) = mydex(&shop, here, &["index", "drift", "--known-only"]).await;
    assert_eq!(code, 0, "{err}");
    let run = ["index", "apply", "--execute", "--execute-queries"];
    let (code, out, err) = mydex(&shop, here, &run).await;
    assert_eq!(code, 1, "{out}{err}");
    assert!(err.contains("rejected"), "{err}");
    let (_, out, _) = mydex(&shop, here, &status).await;
    assert!(out.contains("\"rejected\""), "{out}");
    // On the estimate alone it is let in, and taken back as any other.
    let trust = [
        "index",
        "apply",
        "--only",
        "1",
        "--execute",
        "--trust-estimates",
    ];
    let (code, out, err) = mydex(&shop, here, &trust).await;
    assert_eq!(code, 0, "{out}{err}");
    assert!(shop.is_visible("made").await);
}

#[tokio::test]
async fn what_the_guard_hid_is_no_drift_and_is_tried_again_or_taken_back() {
    let shop = Shop::open("verify_hidden").await;
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::create_dir(here.join("indexes")).unwrap();
    let useless = "SELECT id, customer, state, made FROM orders WHERE note LIKE '%z'";
    for _ in 0..10 {
        shop.run(useless).await;
    }
    // Nobody says what it is for, so that it becomes visible.
    let noted =
        "table = \"orders\"\naction = \"create\"\nindex = \"noted\"\ncolumns = [\"note\"]\n";
    std::fs::write(here.join("indexes/0001_noted.toml"), noted).unwrap();
    let go = async |arguments: &[&str], expected: i32| {
        let (code, out, err) = mydex(&shop, here, arguments).await;
        assert_eq!(code, expected, "{arguments:?}: {out}{err}");
        format!("{out}{err}")
    };
    go(&["index", "apply", "--execute"], 0).await;
    for _ in 0..40 {
        shop.run(useless).await;
    }
    go(&["index", "verify", "--auto-rollback"], 1).await;
    assert!(!shop.is_visible("noted").await);
    let told = go(&["index", "status"], 0).await;
    assert!(told.contains("rejected"), "{told}");
    assert!(
        told.contains("hidden again by `mydex index verify`"),
        "{told}"
    );
    go(&["index", "drift", "--known-only"], 0).await;
    // It is not tried again by itself.
    go(&["index", "apply", "--execute"], 0).await;
    assert!(!shop.is_visible("noted").await);
    // Named alone, it is; nothing judges it, so that it is shown again.
    go(&["index", "apply", "--only", "1", "--execute"], 0).await;
    assert!(shop.is_visible("noted").await);
    // Hidden once more, and somebody shows it by hand: that is drift.
    for _ in 0..40 {
        shop.run(useless).await;
    }
    go(&["index", "verify", "--auto-rollback"], 1).await;
    // Hidden is no gain, however well it would do.
    let told = go(&["index", "verify"], 1).await;
    assert!(told.contains("the index is hidden"), "{told}");
    shop.run("ALTER TABLE orders ALTER INDEX noted VISIBLE")
        .await;
    let told = go(&["index", "drift", "--known-only"], 1).await;
    assert!(told.contains("MYX063"), "{told}");
    shop.run("ALTER TABLE orders ALTER INDEX noted INVISIBLE")
        .await;
    let told = go(&["index", "rollback", "--to", "0"], 0).await;
    assert!(told.contains("DROP INDEX"), "{told}");
    go(&["index", "rollback", "--to", "0", "--execute"], 0).await;
    let told = go(&["index", "status"], 0).await;
    assert!(told.contains("rolled back"), "{told}");
    go(&["index", "drift", "--known-only"], 0).await;
}

/// The figures from before belong to the version that is worked on, and are put down openly.
#[tokio::test]
async fn what_was_counted_is_kept_for_its_own_version() {
    let shop = Shop::open("verify_counts").await;
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::create_dir(here.join("indexes")).unwrap();
    let query = "SELECT id FROM orders WHERE state = 'rare' ORDER BY made LIMIT 10";
    shop.run(query).await;
    let dropped = STATE_MADE.replace("create", "drop");
    for (file, head) in [
        ("0001_make.toml", STATE_MADE),
        ("0002_drop.toml", &dropped),
        ("0003_again.toml", STATE_MADE),
    ] {
        let definition = shop.definition(head, query).await;
        std::fs::write(here.join("indexes").join(file), definition.to_toml()).unwrap();
    }
    let apply = [
        "index",
        "apply",
        "--execute",
        "--soak",
        "0s",
        "--even-if-slower",
        "--trust-estimates",
    ];
    let (code, out, err) = mydex(&shop, here, &apply).await;
    assert_eq!(code, 0, "{out}{err}");
    let kept: Vec<u32> =
        sqlx::query_scalar("SELECT version FROM mydex_ledger_counts ORDER BY version")
            .fetch_all(&shop.pool)
            .await
            .unwrap();
    assert_eq!(kept, [1, 2, 3], "{err}");
    let log = std::fs::read_to_string(here.join("state/audit.jsonl")).unwrap();
    assert_eq!(log.matches("REPLACE INTO").count(), 6, "{log}");
    assert!(log.contains("CREATE TABLE IF NOT EXISTS"), "{log}");
}
