//! Servers and accounts that do not show everything.

use mydex::sandbox::{Options as Sandboxed, Sandbox};
use secrecy::SecretString;

use super::*;

const PASSWORD: &str = "only-for-this-test";

#[tokio::test]
async fn an_expression_needs_temporary_tables_before_anything_is_built() {
    let mut bench = Bench::staged("temporary", &stage::FOLDER[4..5]).await;
    let (schema, account) = (bench.schema.name().to_owned(), "no_temporary");
    let create = format!(
        "DROP USER IF EXISTS {account}@'%'; CREATE USER {account}@'%' IDENTIFIED BY '{PASSWORD}'; \
         GRANT SELECT, INSERT, UPDATE, CREATE, ALTER, INDEX, DROP ON `{schema}`.* TO {account}@'%'"
    );
    stage::run(&mut bench.sql, &create).await;
    bench.server.user = account.to_owned();
    bench.server.password = Some(SecretString::from(PASSWORD));
    let without = bench.print().await;
    let never = CancellationToken::new();
    let outcome = bench
        .up_with(&options(), &Unjudged, &mut |_| {}, &never)
        .await;
    let outcome = outcome.unwrap();
    let End::Failed { error, .. } = &outcome.end else {
        panic!("{outcome:?}");
    };
    assert!(matches!(error, Error::Refused(_)), "{error}");
    let remedy = format!("GRANT CREATE TEMPORARY TABLES ON `{schema}`.*");
    assert!(error.to_string().contains(&remedy), "{error}");
    assert_eq!(bench.print().await, without);
    // A look ahead says so too.
    let changes = [Change {
        entry: &bench.entries[0],
        schema: &schema,
    }];
    let told = apply::preview(&bench.server, &changes, &options())
        .await
        .unwrap();
    let codes: Vec<_> = told[0]
        .findings
        .iter()
        .map(|finding| finding.code)
        .collect();
    assert!(codes.contains(&"expression-unseen"), "{codes:?}");
    // With the remedy, there and back.
    let grant = format!("{remedy} TO {account}@'%'");
    stage::run(&mut bench.sql, &grant).await;
    bench.up().await;
    bench.down(Range::Behind(0)).await;
    assert_eq!(bench.print().await, without);
    stage::run(&mut bench.sql, &format!("DROP USER {account}@'%'")).await;
}

#[tokio::test]
async fn a_server_without_instruments_is_changed_calmly() {
    let own = Sandboxed {
        extra: vec!["--performance-schema=OFF".to_owned()],
        ..Sandboxed::default()
    };
    let sandbox = Sandbox::start(&own, &mut server::quiet).await.unwrap();
    let mut bench = Bench::new("blind", &stage::FOLDER[..1]).await;
    bench.server = sandbox.endpoint().server("blind");
    bench.sql = server::connect(&sandbox.endpoint().url()).await;
    bench.reset().await;
    let mut open = server::connect(&sandbox.endpoint().url()).await;
    let table = format!("`{}`.orders", bench.schema.name());
    let read = format!("START TRANSACTION; SELECT COUNT(*) FROM {table}");
    stage::run(&mut open, &read).await;
    let hasty = Options {
        lock_wait: Duration::from_millis(300),
        ..options()
    };
    let never = CancellationToken::new();
    let (mut looks, mut said, mut blocked) = (0, 0, 0);
    let (enough, has_enough) = tokio::sync::oneshot::channel();
    let mut enough = Some(enough);
    let begun = Instant::now();
    let mut watch = |event: Event| match event {
        Event::Progress { .. } => looks += 1,
        Event::Found { finding, .. } if finding.code == "lock-wait-unseen" => said += 1,
        Event::Blocked { .. } => {
            blocked += 1;
            if blocked == 2
                && let Some(enough) = enough.take()
            {
                enough.send(()).unwrap();
            }
        }
        _ => {}
    };
    let release = async {
        has_enough.await.unwrap();
        stage::run(&mut open, "COMMIT").await;
    };
    let work = bench.up_with(&hasty, &Unjudged, &mut watch, &never);
    let (outcome, ()) = tokio::join!(work, release);
    complete(outcome.unwrap());
    let took = begun.elapsed().as_millis();
    assert_eq!(said, 1);
    assert!(
        looks > 0 && looks <= took / 50,
        "{looks} looks in {took} ms"
    );
    sandbox.stop().await.unwrap();
}
