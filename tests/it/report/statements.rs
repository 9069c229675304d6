//! The statements of the report are those that an apply sends: on every table the server takes them.

use super::*;

/// Tables that want something else than the usual, each with a definition on it.
const CASES: [(&str, &str); 5] = [
    // The hidden column of an expression takes a copy of a partitioned table.
    (
        "CREATE TABLE parted (id INT PRIMARY KEY, a VARCHAR(20)) PARTITION BY HASH (id) PARTITIONS 3",
        "table = \"parted\"\naction = \"create\"\nindex = \"low\"\n\
         columns = [{ expression = \"lower(`a`)\" }]\n",
    ),
    (
        "CREATE TABLE parted_drop (id INT PRIMARY KEY, a VARCHAR(20), KEY low ((LOWER(a)))) \
         PARTITION BY HASH (id) PARTITIONS 3",
        "table = \"parted_drop\"\naction = \"drop\"\nindex = \"low\"\n\
         columns = [{ expression = \"lower(`a`)\" }]\n",
    ),
    // The index of a foreign key would be replaced, and the new one could not be dropped again.
    (
        "CREATE TABLE child (id INT PRIMARY KEY, p INT, b INT, CONSTRAINT fk FOREIGN KEY (p) \
         REFERENCES parted_parent (id))",
        "table = \"child\"\naction = \"create\"\nindex = \"p_b\"\ncolumns = [\"p\", \"b\"]\n",
    ),
    // A column beside an expression goes in place, and not at once.
    (
        "CREATE TABLE beside (id INT PRIMARY KEY, a VARCHAR(20), KEY up ((UPPER(a))))",
        "table = \"beside\"\naction = \"create\"\nindex = \"low\"\ncolumns = [\"low_a\"]\n\
         generated_column = { name = \"low_a\", type = \"varchar(20)\", expression = \"lower(`a`)\" }\n",
    ),
    // It becomes the primary key that the table lacks, which can't be hidden.
    (
        "CREATE TABLE keyless (a INT NOT NULL, b INT)",
        "table = \"keyless\"\naction = \"create\"\nindex = \"a\"\ncolumns = [\"a\"]\nunique = true\n",
    ),
];

/// The definitions on the other engine, which an apply refuses.
const OTHER: (&str, &str) = (
    "CREATE TABLE other (id INT PRIMARY KEY, a VARCHAR(20)) ENGINE = MyISAM",
    "table = \"other\"\naction = \"create\"\nindex = \"a\"\ncolumns = [\"a\"]\n",
);

fn statements(of: &Value) -> Vec<String> {
    let all = of.as_array().unwrap().iter().filter_map(Value::as_str);
    all.map(str::to_owned).collect()
}

#[tokio::test]
async fn each_is_what_an_apply_sends_and_the_server_takes() {
    let schema = schema("report_statements").await;
    let pool = schema.pool().await;
    pool.execute("CREATE TABLE parted_parent (id INT PRIMARY KEY)")
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("indexes")).unwrap();
    for (place, (table, definition)) in CASES.iter().chain([&OTHER]).enumerate() {
        pool.execute(*table).await.unwrap();
        let file = format!("indexes/{:04}_x.toml", place + 1);
        let text = format!("{definition}reason = \"the statements are of interest\"\n");
        fs::write(folder.path().join(file), text).unwrap();
    }
    let report = ["report", "index", "--format", "json"];
    let report = checked(
        "index-report.json",
        &out(&mydex(&schema, folder.path(), &report)),
    );
    let recommended = report["recommendations"].as_array().unwrap();
    assert_eq!(recommended.len(), CASES.len() + 1, "{recommended:#?}");
    let plan = ["index", "apply", "--no-trial", "--format", "json"];
    let plan = mydex(&schema, folder.path(), &plan);
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    for (place, one) in recommended.iter().enumerate() {
        let planned = &plan["versions"][place];
        assert_eq!(planned["version"], one["definition"]);
        let planned = planned["statements"].as_array().unwrap();
        let planned: Vec<&str> = planned
            .iter()
            .filter_map(|step| step["statement"].as_str())
            .collect();
        let ddl = statements(&one["ddl"]);
        assert_eq!(ddl, planned, "{one:#}");
        let before = table_of(&pool, one).await;
        for sql in ddl.iter().chain(&statements(&one["undo"])) {
            let done = pool.execute(sqlx::AssertSqlSafe(sql.clone())).await;
            done.unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
        assert_eq!(table_of(&pool, one).await, before);
    }
    assert_eq!(recommended[0]["lock"], "shared");
    let parted = statements(&recommended[0]["ddl"]);
    assert!(
        parted[0].ends_with("ALGORITHM=COPY, LOCK=SHARED"),
        "{parted:?}"
    );
    let other = statements(&recommended[CASES.len()]["ddl"]);
    assert!(
        other[0].ends_with("ALGORITHM=COPY, LOCK=SHARED"),
        "{other:?}"
    );
}

/// `SHOW CREATE TABLE` of what a recommendation is about.
async fn table_of(pool: &sqlx::MySqlPool, one: &Value) -> String {
    let table = one["table"].as_str().unwrap();
    let sql = sqlx::AssertSqlSafe(format!("SHOW CREATE TABLE `{table}`"));
    let row = sqlx::query(sql).fetch_one(pool).await.unwrap();
    sqlx::Row::get(&row, 1)
}
