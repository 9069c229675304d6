//! Generated columns and indexes over expressions beside others of their kind: either refused
//! before anything is done, or carried out and undone, each alone.

use super::*;

const PLACES: &str = "CREATE TABLE places (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    email VARCHAR(255),
    number INT NOT NULL
)";

const FUNCTIONAL: &str = "ALTER TABLE places ADD INDEX m_upper ((UPPER(email)))";

const PARTITIONED: &str = "ALTER TABLE places PARTITION BY HASH (id) PARTITIONS 3";

const COLUMN: &str = "table = \"places\"\naction = \"create\"\nindex = \"low\"\ncolumns = [\"low_email\"]\n\
    generated_column = { name = \"low_email\", type = \"varchar(255)\", expression = \"lower(email)\" }\n";

const SORTS_BEFORE: &str = "table = \"places\"\naction = \"create\"\nindex = \"a_lower\"\n\
    columns = [{ expression = \"lower(email)\" }]\n";

const SORTS_BEHIND: &str = "table = \"places\"\naction = \"create\"\nindex = \"z_lower\"\n\
    columns = [{ expression = \"lower(email)\" }]\n";

async fn bench(file: &str, made: &[&str]) -> Bench {
    let mut bench = Bench::new("columns", &[("0001_it.toml", file)]).await;
    for sql in [PLACES].iter().chain(made) {
        stage::run(&mut bench.sql, sql).await;
    }
    stage::run(
        &mut bench.sql,
        "INSERT INTO places (email, number) VALUES ('A@b', 1), (NULL, 2)",
    )
    .await;
    bench
}

async fn up(bench: &Bench, may_copy: bool) -> Outcome {
    let limits = Options {
        may_copy,
        ..options()
    };
    let never = CancellationToken::new();
    let outcome = bench.up_with(&limits, &Unjudged, &mut |_| {}, &never).await;
    outcome.unwrap()
}

async fn down(bench: &Bench, may_copy: bool) -> Outcome {
    let limits = Options {
        may_copy,
        ..options()
    };
    let never = CancellationToken::new();
    let outcome = bench
        .down_with(Range::Behind(0), &limits, &mut |_| {}, &never)
        .await;
    outcome.unwrap()
}

/// The refusal, in words.
fn refusal(outcome: &Outcome) -> String {
    match &outcome.end {
        End::Failed {
            error: error @ Error::Refused(_),
            ..
        } => error.to_string(),
        _ => panic!("{outcome:?}"),
    }
}

/// `LOCK` and `ALGORITHM` of the statements of that step, as they were sent.
async fn sent(bench: &Bench, step: &str) -> Vec<String> {
    let mut link = bench.link().await;
    let steps = ledger::steps(&mut link, bench.schema.name()).await.unwrap();
    let of = steps.into_iter().filter(|sent| sent.step == step);
    of.map(|sent| {
        assert_eq!(sent.outcome.as_deref(), Some("done"), "{sent:?}");
        let at = sent.statement.find("ALGORITHM").unwrap();
        sent.statement[at..].to_owned()
    })
    .collect()
}

#[tokio::test]
async fn what_only_a_copy_builds_is_refused_unless_it_is_allowed() {
    for (file, made, told) in [
        (COLUMN, &[FUNCTIONAL][..], "index the expression itself"),
        (
            COLUMN,
            &[PARTITIONED, FUNCTIONAL][..],
            "index the expression itself",
        ),
        (SORTS_BEFORE, &[FUNCTIONAL][..], "sorts behind `m_upper`"),
    ] {
        let mut bench = bench(file, made).await;
        let before = bench.print().await;
        let text = refusal(&up(&bench, false).await);
        assert!(
            text.contains(told) && text.contains("--allow-copy"),
            "{text}"
        );
        assert!(text.contains("1846"), "{text}");
        assert_eq!(bench.print().await, before);
        assert!(bench.ledger().await.is_empty(), "nothing was begun");
        complete(up(&bench, true).await);
        let after = bench.print().await;
        assert_ne!(after, before);
        complete(down(&bench, false).await);
        assert_eq!(bench.print().await, before);
        complete(up(&bench, true).await);
        assert_eq!(bench.print().await, after);
    }
}

#[tokio::test]
async fn a_name_that_sorts_behind_needs_no_copy() {
    let mut bench = bench(SORTS_BEHIND, &[FUNCTIONAL]).await;
    let before = bench.print().await;
    bench.up().await;
    bench.down(Range::Only(1)).await;
    assert_eq!(bench.print().await, before);
    assert_eq!(
        sent(&bench, "build").await,
        ["ALGORITHM=INPLACE, LOCK=SHARED"]
    );
}

/// An index over an expression that comes between a definition and its rollback is no obstacle.
#[tokio::test]
async fn a_column_goes_in_place_whatever_is_beside_it() {
    let plain: &[&str] = &[];
    for (made, dropped) in [
        (plain, "ALGORITHM=INPLACE, LOCK=NONE"),
        (&[PARTITIONED], "ALGORITHM=COPY, LOCK=SHARED"),
    ] {
        let mut bench = bench(COLUMN, made).await;
        bench.up().await;
        assert_eq!(sent(&bench, "add_column").await, ["ALGORITHM=INSTANT"]);
        stage::run(&mut bench.sql, FUNCTIONAL).await;
        bench.down(Range::Only(1)).await;
        assert_eq!(sent(&bench, "drop_column").await, [dropped]);
        let now = bench.print().await;
        assert!(
            now.contains("m_upper") && !now.contains("low_email"),
            "{now}"
        );
        // Without it, the way back and there again is the plain one.
        stage::run(&mut bench.sql, "ALTER TABLE places DROP INDEX m_upper").await;
        bench.up().await;
        bench.down(Range::Only(1)).await;
        assert_eq!(
            sent(&bench, "drop_column").await[1],
            "ALGORITHM=INPLACE, LOCK=NONE"
        );
    }
}

#[tokio::test]
async fn a_dropped_index_over_an_expression_comes_back_by_a_copy_where_it_has_to() {
    let file = "table = \"places\"\naction = \"drop\"\nindex = \"a_lower\"\n\
                columns = [{ expression = \"lower(`email`)\" }]\n";
    let first = "ALTER TABLE places ADD INDEX a_lower ((LOWER(email)))";
    let mut bench = bench(file, &[first, FUNCTIONAL]).await;
    let before = bench.print().await;
    bench.up().await;
    assert!(!bench.print().await.contains("a_lower"));
    let text = refusal(&down(&bench, false).await);
    assert!(text.contains("--allow-copy"), "{text}");
    assert_eq!(bench.states().await, [State::Applied]);
    complete(down(&bench, true).await);
    assert_eq!(bench.print().await, before);
}

#[tokio::test]
async fn a_column_that_is_missing_is_told_before_anything_is_done() {
    let file = "table = \"places\"\naction = \"create\"\nindex = \"i\"\ncolumns = [\"nobody\"]\n";
    let mut bench = bench(file, &[]).await;
    let before = bench.print().await;
    let text = refusal(&up(&bench, false).await);
    assert!(text.contains("no column `nobody`"), "{text}");
    assert_eq!(bench.print().await, before);
    assert!(bench.ledger().await.is_empty());
}
