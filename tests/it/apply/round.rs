//! Every form there, back, and there again.

use super::*;

/// One form there and back and there again.
async fn there_and_back(table: &'static str, form: &'static str) {
    let text = forms::file(table, form);
    let files = [("0001_form.toml", text.as_str())];
    let mut bench = Bench::new("forms", &files).await;
    stage::run(&mut bench.sql, forms::TABLE).await;
    for special in forms::SPECIAL {
        stage::run(&mut bench.sql, special).await;
    }
    let without = bench.print().await;
    bench.up().await;
    let with = bench.print().await;
    assert_ne!(with, without, "{form}");
    // Told beforehand, the way back is the same.
    let (schemas, range) = (bench.schemas(), Range::Behind(0));
    let told = apply::preview_rollback(&bench.server, &schemas, range, &options()).await;
    for preview in told.unwrap() {
        assert!(!preview.is_refused(), "{form}: {preview:?}");
        assert!(!preview.course.unwrap().steps.is_empty(), "{form}");
    }
    bench.down(Range::Behind(0)).await;
    assert_eq!(bench.print().await, without, "{form}");
    bench.up().await;
    assert_eq!(bench.print().await, with, "{form}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_go_there_and_back_and_there_again() {
    // The bench takes them all.
    each(forms::FORMS.len().div_ceil(3), |number| async move {
        let (table, form) = forms::FORMS[number * 3];
        there_and_back(table, form).await;
    })
    .await;
}

/// An index as somebody wrote it, dropped and brought back; beside one that is the same but for its
/// name, or alone.
async fn dropped_and_back(made: &'static str, form: &'static str, is_beside: bool) {
    let text = forms::file_of_drop(form);
    let mut bench = Bench::new("written", &[("0001_drop.toml", text.as_str())]).await;
    stage::run(&mut bench.sql, forms::TABLE).await;
    if is_beside {
        let other = made.replacen("INDEX old ", "INDEX a_twin ", 1);
        stage::run(&mut bench.sql, &format!("ALTER TABLE things {other}")).await;
    }
    let without = bench.print().await;
    stage::run(&mut bench.sql, &format!("ALTER TABLE things {made}")).await;
    let with = bench.print().await;
    bench.up().await;
    assert_eq!(bench.print().await, without, "{made} {is_beside}");
    bench.down(Range::Behind(0)).await;
    assert_eq!(bench.print().await, with, "{made} {is_beside}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_dropped_comes_back_exactly() {
    each(forms::WRITTEN.len() * 2, |number| async move {
        let (made, form) = forms::WRITTEN[number / 2];
        dropped_and_back(made, form, number % 2 == 1).await;
    })
    .await;
}
