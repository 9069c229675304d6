//! The program: exit statuses and dry runs.

use super::*;

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

/// A definition on an index that was there, but for who could see it: taking it back leaves the
/// index as it was, and that is no drift.
#[tokio::test]
async fn an_index_that_was_there_stays_after_a_rollback_and_is_no_drift() {
    const FILES: [(&str, &str); 2] = [
        (
            "0001_shown.toml",
            "table = \"orders\"\naction = \"create\"\nindex = \"shown\"\ncolumns = [\"state\"]\n\
             reason = \"it is wanted\"\n",
        ),
        (
            "0002_hidden.toml",
            "table = \"orders\"\naction = \"create\"\nindex = \"hidden\"\n\
             columns = [\"amount\"]\nvisible = false\nreason = \"it is not\"\n",
        ),
    ];
    let mut bench = Bench::staged("was_there", &FILES).await;
    stage::write_folder(&bench.home.path().join("indexes"), &FILES);
    for sql in [
        "ALTER TABLE orders ADD INDEX shown (state) INVISIBLE",
        "ALTER TABLE orders ADD INDEX hidden (amount)",
    ] {
        stage::run(&mut bench.sql, sql).await;
    }
    let before = bench.print().await;
    bench.up().await;
    assert_ne!(bench.print().await, before);
    let own = |drift: &serde_json::Value| {
        let found = drift["findings"].as_array().unwrap();
        let text = |one: &serde_json::Value| one["message"].as_str().unwrap().to_owned();
        let ours = found.iter().map(text);
        ours.filter(|text| text.contains("`shown`") || text.contains("`hidden`"))
            .collect::<Vec<_>>()
    };
    let (_, drift) = program(&bench, &["drift"]).await;
    assert_eq!(own(&drift), Vec::<String>::new(), "{drift}");
    bench.down(Range::Behind(0)).await;
    assert_eq!(bench.print().await, before);
    let (_, drift) = program(&bench, &["drift"]).await;
    assert_eq!(own(&drift), Vec::<String>::new(), "{drift}");
    // One that is gone now was not taken away by the rollback.
    stage::run(&mut bench.sql, "ALTER TABLE orders DROP INDEX shown").await;
    let (status, drift) = program(&bench, &["drift"]).await;
    assert_eq!(status, Some(1));
    assert_eq!(own(&drift).len(), 1, "{drift}");
    assert!(
        own(&drift)[0].contains("was there before version 1"),
        "{drift}"
    );
}
