//! Every type and every name.

use super::*;

/// A table with every type, names that try to break out, and the rows to go with them.
async fn hostile(connection: &mut MySqlConnection) {
    for sql in [
        "SET SESSION sql_mode = '', time_zone = '+03:00'".to_owned(),
        "CREATE TABLE `ev``il '\"é; -- ?` (`id``` BIGINT UNSIGNED PRIMARY KEY, `b'` BIT(10), \
         `d?` DECIMAL(30,10), t6 TIME(6), `j\"` JSON, g GEOMETRY NOT NULL SRID 4326, bl BLOB, \
         e ENUM('a','it''s','ü'), s SET('x','y;'), y YEAR, f FLOAT, db DOUBLE, ts TIMESTAMP(3) NULL, \
         dt DATETIME, da DATE, v VARCHAR(50) CHARACTER SET latin1, u VARCHAR(50) COLLATE utf8mb4_bin, \
         vb VARBINARY(20), lt LONGTEXT, gv VARCHAR(100) AS (CONCAT(u, '!')) VIRTUAL, \
         gs BIGINT UNSIGNED AS (`id``` DIV 4) STORED, hid INT INVISIBLE DEFAULT 4, \
         KEY `k``'?` ((LOWER(u))), KEY (gv), SPATIAL KEY (g), FULLTEXT KEY ft (u) WITH PARSER ngram, \
         KEY d (`d?` DESC, v(5)), CONSTRAINT `c``h` CHECK (`id``` > 0)) COMMENT='it''s\nAUTO_INCREMENT=3'"
            .to_owned(),
        "INSERT INTO `ev``il '\"é; -- ?` (`id```, `b'`, `d?`, t6, `j\"`, g, bl, e, s, y, f, db, ts, dt, da, v, u, vb, lt, hid) VALUES \
         (1, b'1010101010', 12345678901234567890.0123456789, '-838:59:58.999999', \
          '{\"a\": [1, 2.5, \"q\\\\\"x\", null], \"ü\": true}', ST_GeomFromText('POINT(1 2)', 4326), X'00ff27225c', \
          'it''s', 'x,y;', 2024, 0.1, 1e-300, '2024-02-29 12:34:56.789', '1000-01-01 00:00:00', '9999-12-31', \
          'caf\u{e9}', '\u{1f600} ''\"\\\\', X'27', REPEAT('z', 9000), 9), \
         (18446744073709551615, NULL, NULL, NULL, NULL, ST_GeomFromText('POINT(3 4)', 4326), NULL, NULL, NULL, NULL, 3.4e38, NULL, NULL, \
          '0000-00-00 00:00:00', NULL, NULL, NULL, NULL, NULL, NULL), \
         (2, 0, -0.0000000001, '00:00:00', '[]', ST_GeomFromText('LINESTRING(0 0, 1 1)', 4326), '', 'ü', '', 0, -1.17549e-38, -0.0, \
          '1970-01-01 03:00:01', '2024-01-01', '0000-00-00', '', '', '', '', 0)"
            .to_owned(),
        "CREATE VIEW `v``1` AS SELECT `id``` AS x, u FROM `ev``il '\"é; -- ?`".to_owned(),
        "CREATE VIEW a_view AS SELECT x FROM `v``1`".to_owned(),
        "CREATE TABLE parted (id INT PRIMARY KEY, x INT) PARTITION BY HASH (id) PARTITIONS 3".to_owned(),
        "CREATE TABLE nokey (x INT, y INT)".to_owned(),
        "INSERT INTO parted VALUES (1, 1), (2, 2), (3, 3)".to_owned(),
        "INSERT INTO nokey VALUES (1, 1), (1, 1), (NULL, 2)".to_owned(),
    ] {
        run(connection, &sql).await;
    }
}

/// A sum of everything in a table, as far as it was copied.
async fn checksum(connection: &mut MySqlConnection, table: &str, columns: &str) -> String {
    let sql = format!(
        "SELECT COALESCE(GROUP_CONCAT(SHA2(CONCAT_WS('|', {columns}), 256) ORDER BY 1), '') FROM {table}"
    );
    let row = connection
        .fetch_one(sqlx::raw_sql(AssertSqlSafe(sql)))
        .await
        .unwrap();
    row.get(0)
}

#[tokio::test]
async fn every_type_and_every_name_arrives_as_it_was() {
    let _alone = super::ALONE.lock().await;
    let name = &format!("twin`'\"é{}", std::process::id());
    let quoted = guarded::quote::ident(name);
    let mut original = server::connect(&server::shared().await.url()).await;
    run(&mut original, &format!("CREATE DATABASE {quoted}")).await;
    run(&mut original, &format!("USE {quoted}")).await;
    hostile(&mut original).await;
    let mut target = target().await;
    let catalog = read(&mut target, name).await;
    assert_eq!(catalog.tables.len(), 3);
    assert_eq!(catalog.views.len(), 2);
    let options = TwinOptions::new(Tier::Sample);
    let built = build(&mut target, &catalog, &workload(vec![]), &[], &options).await;
    assert!(built.limits().is_empty(), "{:?}", built.limits());
    assert_eq!(built.rows().0, 9);
    let mut copy = plain(&twin_server().await).await;
    run(&mut copy, &format!("USE {quoted}")).await;
    for connection in [&mut original, &mut copy] {
        run(
            connection,
            "SET SESSION sql_mode = '', time_zone = '+00:00'",
        )
        .await;
    }
    let columns = "`id```, HEX(`b'`), `d?`, t6, CAST(`j\"` AS CHAR), HEX(g), HEX(bl), e+0, s+0, y, f+0e0, \
                   db, ts, dt, da, HEX(v), HEX(u), HEX(vb), LEFT(lt, 8192), gv, gs, hid, \
                   ISNULL(`b'`), ISNULL(bl), ISNULL(v), ISNULL(s)";
    for (table, columns) in [
        ("`ev``il '\"é; -- ?`", columns),
        ("parted", "id, x"),
        ("nokey", "x, y"),
        ("a_view", "x"),
    ] {
        let there = checksum(&mut original, table, columns).await;
        let here = checksum(&mut copy, table, columns).await;
        assert_eq!(there, here, "{table}");
        assert!(!here.is_empty());
    }
    // The copies' indexes are the originals'.
    let mut private = open(&twin_server().await).await;
    let copied = read(&mut private, name).await;
    for (name, table) in &catalog.tables {
        let there = &copied.tables[name];
        assert_eq!(table.columns, there.columns);
        let plain = |table: &mydex::model::schema::Table| -> Vec<_> {
            table
                .indexes
                .iter()
                .map(|index| {
                    (
                        index.name.clone(),
                        index.parts.clone(),
                        index.kind,
                        index.parser.clone(),
                    )
                })
                .collect()
        };
        assert_eq!(plain(table), plain(there));
    }
    built.finish().await.unwrap();
    run(&mut original, &format!("DROP DATABASE {quoted}")).await;
}
