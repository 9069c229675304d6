//! A dry run on a private server.

use super::*;

/// Some that a server takes, and some that it refuses, each for another reason.
fn tried_definitions() -> [Definition; 8] {
    [
        plain(
            "table = \"orders\"\naction = \"create\"\nindex = \"a\"\ncolumns = [\"state\", { column = \"made\", desc = true }, { column = \"note\", prefix = 9 }]\ncomment = \"it's\"",
        ),
        plain(
            "table = \"orders\"\naction = \"create\"\nindex = \"b\"\ncolumns = [{ expression = \"lower(nobody)\" }]",
        ),
        plain(
            "table = \"orders\"\naction = \"drop\"\nindex = \"customer\"\ncolumns = [\"customer\"]",
        ),
        // It keeps the foreign key.
        plain(
            "table = \"parts\"\naction = \"drop\"\nindex = \"order_part\"\ncolumns = [\"order_id\", \"part\"]",
        ),
        plain(
            "table = \"parts\"\naction = \"create\"\nindex = \"tags\"\ncolumns = [{ expression = \"cast(json_extract(doc, '$.tags') as char(20) array)\" }]\nkind = \"multi_valued\"",
        ),
        plain(
            "table = \"customers\"\naction = \"create\"\nindex = \"lower_name\"\ncolumns = [{ expression = \"lower(name)\" }]",
        ),
        plain("table = \"customers\"\naction = \"create\"\nindex = \"mail\"\ncolumns = [\"mail\"]"),
        plain("table = \"missing\"\naction = \"create\"\nindex = \"m\"\ncolumns = [\"a\"]"),
    ]
}

fn each_is_told(all: &[shadow::Tried]) {
    let expected = [
        ("a", ""),
        ("b", "Unknown column 'nobody'"),
        ("customer", ""),
        ("order_part", "needed in a foreign key constraint"),
        ("tags", ""),
        ("lower_name", "LOCK=NONE is not supported"),
        ("mail", "without a key length"),
        ("m", "not on the target"),
    ];
    for (tried, (index, problem)) in all.iter().zip(expected) {
        assert_eq!(tried.name, index);
        let problems = tried.problems.join("; ");
        assert!(problems.contains(problem), "{index}: {problems}");
        assert_eq!(
            problem.is_empty(),
            problems.is_empty(),
            "{index}: {problems}"
        );
        if problem.is_empty() {
            assert_eq!(tried.statements.len(), 2, "{tried:?}");
            assert!(
                tried
                    .statements
                    .iter()
                    .all(|(_, refused)| refused.is_none())
            );
        }
    }
}

#[tokio::test]
async fn a_private_server_tells_what_would_be_refused() {
    let shop = Shop::open("shadow").await;
    let name = shop.schema.name();
    shop.run("CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(50), mail TEXT)")
        .await;
    shop.run(
        "CREATE TABLE parts (id INT PRIMARY KEY, order_id INT NOT NULL, part INT, doc JSON, \
         KEY order_part (order_id, part), FULLTEXT KEY ft (note), note TEXT, \
         CONSTRAINT of_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE)",
    )
    .await;
    let private =
        mydex::sandbox::Sandbox::start(&mydex::sandbox::Options::default(), &mut server::quiet)
            .await
            .unwrap();
    let definitions = tried_definitions();
    let mut trials: Vec<Trial<'_>> = definitions
        .iter()
        .map(|definition| Trial::of(definition.index.name.clone(), definition, name))
        .collect();
    // A functional index can't be built while others write, and says so before the target sees it.
    trials[5].up = trials[5]
        .up
        .iter()
        .map(|sql| sql.replace("LOCK=SHARED", "LOCK=NONE"))
        .collect();
    assert!(trials[5].up[0].contains("LOCK=NONE"));
    let mut target = shop.connection().await;
    let report = shadow::run(
        &mut target,
        &private.endpoint().server("private"),
        &shop.limits,
        &trials,
        name,
    )
    .await
    .unwrap();
    target.close().await;
    each_is_told(&report.tried);
    // Nothing was changed on the target, and nothing is left on the private server.
    let indexes: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT INDEX_NAME FROM information_schema.STATISTICS \
         WHERE TABLE_SCHEMA = ? AND TABLE_NAME = 'orders' ORDER BY 1",
    )
    .bind(name)
    .fetch_all(&shop.pool)
    .await
    .unwrap();
    assert_eq!(indexes, ["customer", "PRIMARY"]);
    let left: Vec<String> = sqlx::query_scalar(
        "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'shadow%'",
    )
    .fetch_all(&mut server::connect(&private.endpoint().url()).await)
    .await
    .unwrap();
    assert!(left.is_empty(), "{left:?}");
    private.stop().await.unwrap();
}
