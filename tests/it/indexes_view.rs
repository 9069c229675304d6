//! View 5 of the built binary on a real terminal: it reads a real server, changes one index after
//! the typed word and no other way, and is refused where changes are.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Row as _};

use crate::pty::Terminal;
use crate::server;

const SOON: Duration = Duration::from_mins(1);

const DEFINITION: &str = "table = \"hosts\"\naction = \"create\"\nindex = \"ix_hosts_rack\"\n\
                          columns = [\"rack\", { column = \"made\", desc = true }]\n\
                          reason = \"finds the hosts of a rack\"\n";

/// A table with an index that stays and one that is the same, and a definition that waits.
async fn prepare(folder: &Path) -> server::Schema {
    let schema = server::schema("view5").await;
    let pool = schema.pool().await;
    for sql in [
        "CREATE TABLE hosts (id INT PRIMARY KEY AUTO_INCREMENT, rack INT NOT NULL, name VARCHAR(40), \
         made DATETIME NOT NULL DEFAULT NOW(), INDEX ix_name (name), INDEX ix_name_again (name))",
        "INSERT INTO hosts (rack, name) VALUES (1, 'a'), (2, 'b'), (2, 'c')",
        "ANALYZE TABLE hosts",
    ] {
        sqlx::query(AssertSqlSafe(sql))
            .execute(&pool)
            .await
            .unwrap();
    }
    let indexes = folder.join("indexes");
    std::fs::create_dir(&indexes).unwrap();
    std::fs::write(indexes.join("0001_hosts_rack.toml"), DEFINITION).unwrap();
    schema
}

fn top(schema: &server::Schema, folder: &Path, arguments: &[&str]) -> Terminal {
    let url = schema.url();
    let state = folder.join("state");
    let environment = [
        ("MYDEX_URL", url.as_str()),
        ("MYDEX_STATE_DIR", state.to_str().unwrap()),
    ];
    let arguments = [&["top"], arguments].concat();
    let program = OsStr::new(env!("CARGO_BIN_EXE_mydex"));
    Terminal::start_in(folder, 24, 80, program, &arguments, &environment)
}

/// Whether the index is there, and whether the optimizer may use it.
async fn visibility(schema: &server::Schema, index: &str) -> Option<String> {
    let pool = schema.pool().await;
    let row = sqlx::query(
        "SELECT IS_VISIBLE FROM information_schema.STATISTICS \
         WHERE TABLE_SCHEMA = ? AND INDEX_NAME = ? AND SEQ_IN_INDEX = 1",
    )
    .bind(schema.name())
    .bind(index)
    .fetch_optional(&pool)
    .await
    .unwrap();
    row.map(|row| row.get(0))
}

fn open(terminal: &mut Terminal) {
    terminal.wait_for("data", SOON, |screen| {
        screen.contains("live") && screen.contains("connected")
    });
    terminal.send("5");
    terminal.wait_for("the indexes", SOON, |screen| {
        screen.contains("[5 Indexes]") && screen.contains("ix_name_again")
    });
}

/// Leaves one row in the table, presses a key, and answers its question.
fn ask(terminal: &mut Terminal, index: &str, key: &str, answer: &str) {
    terminal.send(&format!(":filter {index}\r"));
    terminal.wait_for("the row", SOON, |screen| {
        screen.contains(&format!("{index} on")) && screen.contains(&format!("filter: {index}"))
    });
    terminal.send(key);
    terminal.wait_for("the question", SOON, |screen| screen.contains("and Enter:"));
    terminal.send(&format!("{answer}\r"));
}

#[tokio::test]
async fn a_definition_goes_up_and_down_and_an_index_is_hidden_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let schema = prepare(folder.path()).await;
    let mut terminal = top(&schema, folder.path(), &[]);
    open(&mut terminal);
    let screen = terminal.screen();
    assert!(
        screen.contains("no index") && screen.contains("pending"),
        "{screen}"
    );
    assert!(screen.contains("dup"), "{screen}");
    // Another word than the one asked for changes nothing.
    ask(&mut terminal, "ix_hosts_rack", "a", "yes");
    terminal.wait_for("the refusal", SOON, |screen| {
        screen.contains("nothing was changed")
    });
    assert_eq!(visibility(&schema, "ix_hosts_rack").await, None);
    ask(&mut terminal, "ix_hosts_rack", "a", "apply 1");
    terminal.wait_for("the end", SOON, |screen| screen.contains("is applied"));
    assert_eq!(
        visibility(&schema, "ix_hosts_rack").await.as_deref(),
        Some("YES")
    );
    // The view reads again by itself.
    terminal.wait_for("the new row", SOON, |screen| {
        screen.contains(" applied") && !screen.contains("no index")
    });
    ask(&mut terminal, "ix_name_again", "h", "hide");
    terminal.wait_for("it is hidden", SOON, |screen| {
        screen.contains("it is hidden")
    });
    assert_eq!(
        visibility(&schema, "ix_name_again").await.as_deref(),
        Some("NO")
    );
    terminal.wait_for("the flag", SOON, |screen| {
        screen
            .lines()
            .any(|line| line.contains("KiB") && line.contains("hidden"))
    });
    ask(&mut terminal, "ix_name_again", "s", "show");
    terminal.wait_for("it is visible", SOON, |screen| {
        screen.contains("it is visible")
    });
    assert_eq!(
        visibility(&schema, "ix_name_again").await.as_deref(),
        Some("YES")
    );
    ask(&mut terminal, "ix_hosts_rack", "u", "roll back 1");
    terminal.wait_for("it soaks", SOON, |screen| {
        screen.contains("roll back 0001: index")
    });
    assert_eq!(
        visibility(&schema, "ix_hosts_rack").await.as_deref(),
        Some("NO"),
        "hiding comes first, and dropping after a day"
    );
    ask(&mut terminal, "ix_hosts_rack", "u", "roll back 1 now");
    terminal.wait_for("it is gone", SOON, |screen| {
        screen.contains("roll back 0001 now: index")
    });
    assert_eq!(visibility(&schema, "ix_hosts_rack").await, None);
    terminal.send("q");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(0));
    assert_eq!(terminal.leftovers(), [""; 0]);
    each_is_in_the_audit_log(
        folder.path(),
        &[
            "ADD INDEX `ix_hosts_rack`",
            "INDEX `ix_name_again` INVISIBLE",
            "INDEX `ix_name_again` VISIBLE",
        ],
    );
}

/// Each statement is there twice: before it was sent, and after.
fn each_is_in_the_audit_log(folder: &std::path::Path, statements: &[&str]) {
    let audit = std::fs::read_to_string(folder.join("state/audit.jsonl")).unwrap();
    for sent in statements {
        let records: Vec<&str> = audit.lines().filter(|line| line.contains(sent)).collect();
        assert_eq!(records.len(), 2, "{sent}: {audit}");
        assert!(
            records[0].contains("intended") && records[1].contains("done"),
            "{records:?}"
        );
    }
}

#[tokio::test]
async fn a_file_that_was_edited_behind_the_question_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let schema = prepare(folder.path()).await;
    let mut terminal = top(&schema, folder.path(), &[]);
    open(&mut terminal);
    let edited = DEFINITION.replace("\"rack\"", "\"name\"");
    std::fs::write(folder.path().join("indexes/0001_hosts_rack.toml"), edited).unwrap();
    ask(&mut terminal, "ix_hosts_rack", "a", "apply 1");
    terminal.wait_for("the refusal", SOON, |screen| {
        screen.contains("no longer what was on the screen")
    });
    assert_eq!(visibility(&schema, "ix_hosts_rack").await, None);
    terminal.send("q");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(0));
}

#[tokio::test]
async fn read_only_asks_nothing_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let schema = prepare(folder.path()).await;
    let mut terminal = top(&schema, folder.path(), &["--read-only"]);
    open(&mut terminal);
    for key in ["a", "u", "h", "s"] {
        terminal.send(key);
        let screen = terminal.wait_for("the refusal", SOON, |screen| {
            screen.contains("read-only: mydex was told")
        });
        assert!(!screen.contains("and Enter:"), "{screen}");
    }
    assert_eq!(visibility(&schema, "ix_hosts_rack").await, None);
    assert_eq!(visibility(&schema, "ix_name").await.as_deref(), Some("YES"));
    terminal.send("q");
    assert_eq!(terminal.wait_exit(SOON).code(), Some(0));
    assert!(!folder.path().join("state/audit.jsonl").exists());
}
