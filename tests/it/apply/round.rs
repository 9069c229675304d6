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

#[tokio::test]
async fn what_was_dropped_comes_back_exactly() {
    for (made, form) in forms::WRITTEN {
        let text = forms::file_of_drop(form);
        let mut bench = Bench::new("written", &[("0001_drop.toml", text.as_str())]).await;
        stage::run(&mut bench.sql, forms::TABLE).await;
        let without = bench.print().await;
        stage::run(&mut bench.sql, &format!("ALTER TABLE things {made}")).await;
        let with = bench.print().await;
        bench.up().await;
        assert_eq!(bench.print().await, without, "{made}");
        bench.down(Range::Behind(0)).await;
        assert_eq!(bench.print().await, with, "{made}");
    }
}
