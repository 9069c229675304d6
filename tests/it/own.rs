//! What other connections of this process send to a watched server is mydex's own.

use mydex::model::feed::Feed;
use mydex::model::latency::BucketCounts;
use mydex::model::status::Var;
use mydex::server::catalog::{self, Scope};
use mydex::server::usage;

use crate::server_checks::{admin, own_server, run, settings};
use crate::watch::{Watch, calls_of, fast_limits};

/// Reads an inventory over a connection of its own, as the view of the indexes does.
async fn inventory(of: &mydex::config::settings::Server) -> usize {
    let mut connection = mydex::server::open(of, &fast_limits()).await.unwrap();
    let scope = Scope::Schemas(vec!["shop".to_owned()]);
    let reading = catalog::indexes(&mut connection, &scope).await.unwrap();
    let mut found = reading.catalog;
    usage::read(&mut connection, &found).await.unwrap();
    let tables: Vec<_> = found.tables.keys().cloned().collect();
    catalog::add_columns(&mut connection, &mut found, &tables[..1], &tables)
        .await
        .unwrap();
    let statements = connection.meter().read().statements;
    connection.close().await;
    assert!(statements > 20, "{statements}");
    found.tables.len()
}

#[tokio::test]
async fn an_inventory_shows_in_no_figure_of_the_server() {
    let server = own_server(&[]).await;
    let mut client = admin(&server).await;
    run(&mut client, "CREATE SCHEMA shop").await;
    for table in ["items", "orders"] {
        let create = format!("CREATE TABLE shop.{table} (id INT PRIMARY KEY, k INT, KEY (k))");
        run(&mut client, &create).await;
    }
    let settings = settings(server.endpoint());
    let mut watch = Watch::start(&settings, fast_limits());
    watch.interval().await;
    watch.digests(|_| true).await;
    watch.interval().await;

    for _ in 0..3 {
        assert_eq!(inventory(&settings).await, 2);
    }
    run(&mut client, "INSERT INTO shop.items VALUES (1, 1)").await;

    let (mut questions, mut timed, mut sessions, mut cost) = (0, 0, 0, 0);
    let (mut rounds, mut inserts, mut texts) = (0, 0, Vec::new());
    while rounds < 6 || inserts == 0 {
        watch
            .until("figures", |news| match news {
                Feed::Digests(digests) => {
                    inserts += calls_of(&digests, "INSERT INTO");
                    texts.extend(digests.digests.iter().filter_map(|one| one.text.clone()));
                    Some(())
                }
                Feed::Interval(interval) => {
                    questions += interval.growth(Var::Questions).unwrap_or(0);
                    let latency = interval.latency.as_ref();
                    timed += latency.map_or(0, BucketCounts::total);
                    sessions = interval.sessions_total;
                    cost += interval.cost.statements;
                    rounds += 1;
                    Some(())
                }
                _ => None,
            })
            .await;
        assert!(rounds < 100, "the insert is not shown: {texts:?}");
    }
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(cost > 60, "{cost}");
    // One that is just being opened may be met by a poll; none stays.
    assert_eq!(sessions, 1, "the client alone");
    // The insert, and of more than sixty statements those that a poll met under way.
    assert!((1..=4).contains(&questions), "{questions}");
    // And the last one of each connection, which is its own reading of what it has sent.
    assert!((1..=12).contains(&timed), "{timed}");
    watch.end().await;
}
