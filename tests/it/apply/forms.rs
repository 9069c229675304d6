//! Forms of an index for the way there and back: what stands in a definition behind `columns =`,
//! and indexes as people write them, which are dropped and brought back.

/// A table with something for every form.
pub(crate) const TABLE: &str = "CREATE TABLE things (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    state VARCHAR(20) NOT NULL,
    kind ENUM('a','b''c') NOT NULL,
    flags SET('x','y'),
    made DATETIME(3) NOT NULL,
    day DATE,
    email VARCHAR(255),
    latin VARCHAR(40) CHARACTER SET latin1 COLLATE latin1_swedish_ci,
    note TEXT,
    raw VARBINARY(64),
    picture BLOB,
    amount DECIMAL(12,2),
    ratio DOUBLE,
    tiny TINYINT(1) NOT NULL DEFAULT 0,
    uuid BINARY(16),
    doc JSON,
    place POINT NOT NULL SRID 0,
    made_year INT GENERATED ALWAYS AS (YEAR(made)) STORED,
    `o'd``d \"name` INT,
    PRIMARY KEY (id)
)";

/// Tables of a special kind: without a primary key, partitioned, with a hidden primary key's name.
pub(crate) const SPECIAL: &[&str] = &[
    "CREATE TABLE keyless (a INT NOT NULL, b VARCHAR(30) NOT NULL, c INT)",
    "CREATE TABLE parts (id INT NOT NULL, day DATE NOT NULL, v INT, PRIMARY KEY (id, day)) \
     PARTITION BY RANGE (YEAR(day)) (PARTITION p0 VALUES LESS THAN (2020), \
     PARTITION p1 VALUES LESS THAN MAXVALUE)",
    "CREATE TABLE parents (id INT NOT NULL PRIMARY KEY, a INT, b INT)",
    "CREATE TABLE children (id INT NOT NULL PRIMARY KEY, x INT, y INT, z INT, \
     FOREIGN KEY (x) REFERENCES parents (id), CONSTRAINT named FOREIGN KEY (y) REFERENCES parents \
     (id))",
];

/// Table and form of indexes that are made.
pub(crate) const FORMS: &[(&str, &str)] = &[
    ("things", r#"["state"]"#),
    ("things", r#"["kind"]"#),
    ("things", r#"["flags", "kind"]"#),
    ("things", r#"["made"]"#),
    ("things", r#"["day", "made", "state"]"#),
    ("things", r#"["amount"]"#),
    ("things", r#"["ratio"]"#),
    ("things", r#"["uuid"]"#),
    ("things", r#"["made_year"]"#),
    (
        "things",
        r#"["tiny", "state", "kind", "made", "day", "amount", "id"]"#,
    ),
    ("things", r#"["STATE", "Made"]"#),
    ("things", r#"["state", { column = "made", desc = true }]"#),
    ("things", r#"[{ column = "state", desc = true }, "made"]"#),
    (
        "things",
        r#"[{ column = "state", desc = true }, { column = "made", desc = true }]"#,
    ),
    ("things", r#"[{ column = "note", prefix = 20 }, "id"]"#),
    (
        "things",
        r#"[{ column = "email", prefix = 10, desc = true }, "state", "made"]"#,
    ),
    ("things", r#"[{ column = "email", prefix = 255 }]"#),
    ("things", r#"[{ column = "raw", prefix = 8 }]"#),
    ("things", r#"[{ column = "raw", prefix = 64 }]"#),
    ("things", r#"[{ column = "picture", prefix = 100 }]"#),
    (
        "things",
        r#"[{ column = "latin", prefix = 5 }, { column = "note", prefix = 5, desc = true }]"#,
    ),
    ("things", "[\"email\"]\nunique = true"),
    (
        "things",
        "[\"email\", { column = \"made\", desc = true }]\nunique = true",
    ),
    (
        "things",
        "[{ column = \"note\", prefix = 30 }]\nunique = true",
    ),
    ("things", "[\"made\"]\nvisible = false"),
    ("things", "[\"email\"]\nunique = true\nvisible = false"),
    (
        "things",
        "[\"made\"]\ncomment = \"it's \\\\ \\\"odd\\\"\\nin two lines\"",
    ),
    (
        "things",
        "[\"made\"]\ncomment = \"`) , INVISIBLE /* x */ -- ünï\"",
    ),
    ("things", "[\"made\"]\nkind = \"hash\""),
    ("things", r#"["o'd`d \"name"]"#),
    ("things", r#"[{ expression = "lower(`email`)" }]"#),
    (
        "things",
        r#"[{ expression = "LOWER( email )", desc = true }]"#,
    ),
    (
        "things",
        r#"["state", { expression = "(year(`made`) + 1)", desc = true }]"#,
    ),
    ("things", r#"[{ expression = "amount * 2 + 1" }, "state"]"#),
    (
        "things",
        r#"[{ expression = "coalesce(email, 'it''s', 'b\\\\c')" }]"#,
    ),
    (
        "things",
        r#"[{ expression = "date(made)" }, { expression = "hour(made)" }]"#,
    ),
    (
        "things",
        r#"[{ expression = "json_value(doc, '$.n' returning signed)" }]"#,
    ),
    (
        "things",
        r#"[{ expression = "cast(doc->>'$.name' as char(30)) collate utf8mb4_bin" }]"#,
    ),
    (
        "things",
        r#"[{ expression = "cast(json_unquote(json_extract(`doc`,'$.\"a)b\"')) as char(20))" }]"#,
    ),
    (
        "things",
        "[{ expression = \"lower(email)\" }]\nunique = true",
    ),
    (
        "things",
        "[{ expression = \"cast(substr(note, 1, 20) as char(20))\" }]\nvisible = false\ncomment = \"hidden\"",
    ),
    (
        "things",
        "[{ expression = \"if(state = 'open', amount, null)\" }]\nunique = true",
    ),
    (
        "things",
        "[{ expression = \"cast(doc->'$.tags' as char(20) array)\" }]\nkind = \"multi_valued\"",
    ),
    (
        "things",
        "[{ expression = \"cast(doc->'$.days' as date array)\" }]\nkind = \"multi_valued\"",
    ),
    (
        "things",
        "[\"state\", { expression = \"cast(json_extract(`doc`,'$.n') as unsigned array)\" }]\nkind = \"multi_valued\"",
    ),
    (
        "things",
        "[{ expression = \"cast(doc->'$.ids' as unsigned array)\" }]\nkind = \"multi_valued\"\nunique = true",
    ),
    ("things", "[\"note\"]\nkind = \"fulltext\""),
    (
        "things",
        "[\"note\", \"email\"]\nkind = \"fulltext\"\nparser = \"ngram\"",
    ),
    (
        "things",
        "[\"email\"]\nkind = \"fulltext\"\nvisible = false\ncomment = \"words\"",
    ),
    ("things", "[\"place\"]\nkind = \"spatial\""),
    (
        "things",
        "[\"place\"]\nkind = \"spatial\"\ncomment = \"where\"",
    ),
    (
        "things",
        "[\"email_lower\", \"state\"]\ngenerated_column = { name = \"email_lower\", type = \"varchar(255)\", expression = \"lower(`email`)\" }",
    ),
    (
        "things",
        "[\"price\"]\ngenerated_column = { name = \"price\", type = \"decimal(10,2)\", expression = \"cast(json_extract(`doc`,'$.price') as decimal(10,2))\" }",
    ),
    (
        "things",
        "[\"size\"]\nunique = true\ngenerated_column = { name = \"size\", type = \"int unsigned\", expression = \"char_length( note )\" }",
    ),
    (
        "things",
        "[{ column = \"low\", prefix = 10 }, { column = \"made\", desc = true }]\ngenerated_column = { name = \"low\", type = \"varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin\", expression = \"lower(email)\" }",
    ),
    ("keyless", r#"["a"]"#),
    ("keyless", "[\"a\"]\nunique = true"),
    ("keyless", "[\"b\", \"a\"]\nunique = true"),
    ("keyless", "[\"c\"]\nunique = true"),
    ("keyless", "[{ column = \"b\", prefix = 4 }]\nunique = true"),
    ("parts", r#"["v"]"#),
    ("parts", "[\"v\", \"day\"]\nunique = true\nvisible = true"),
    ("parts", r#"[{ expression = "v + 1" }]"#),
    ("children", r#"["x", "z"]"#),
    ("children", r#"["y", "x", "z"]"#),
    ("parents", r#"["a", "b"]"#),
];

/// Indexes as people write them: the statement, and the definition of their drop behind its name.
pub(crate) const WRITTEN: &[(&str, &str)] = &[
    (
        "ADD INDEX old (state) USING BTREE",
        r#"columns = ["state"]"#,
    ),
    ("ADD INDEX old (state) USING HASH", r#"columns = ["state"]"#),
    (
        "ADD INDEX old (note(10)) KEY_BLOCK_SIZE=8 COMMENT 'a ''quoted'' \\\\ one'",
        "columns = [{ column = \"note\", prefix = 10 }]\ncomment = \"a 'quoted' \\\\ one\"",
    ),
    (
        "ADD UNIQUE INDEX old (email DESC, id) INVISIBLE",
        "columns = [{ column = \"email\", desc = true }, \"id\"]\nunique = true\nvisible = false",
    ),
    (
        "ADD INDEX old ((lower(email)), state) USING BTREE COMMENT 'x'",
        "columns = [{ expression = \"LOWER(email)\" }, \"state\"]\ncomment = \"x\"",
    ),
    (
        "ADD FULLTEXT INDEX old (note) WITH PARSER ngram COMMENT 'words'",
        "columns = [\"note\"]\nkind = \"fulltext\"\nparser = \"ngram\"\ncomment = \"words\"",
    ),
    (
        "ADD SPATIAL INDEX old (place)",
        "columns = [\"place\"]\nkind = \"spatial\"",
    ),
    (
        "ADD INDEX old ((CAST(doc->'$.tags' AS CHAR(20) ARRAY)))",
        "columns = [{ expression = \"cast(doc->'$.tags' as char(20) array)\" }]\nkind = \"multi_valued\"",
    ),
];

/// The file of a form.
pub(crate) fn file(table: &str, form: &str) -> String {
    format!(
        "table = \"{table}\"\naction = \"create\"\nindex = \"o'r`d <\\\"1\\\">\"\ncolumns = {form}\n"
    )
}

/// The file of the drop of an index that somebody wrote.
pub(crate) fn file_of_drop(form: &str) -> String {
    format!("table = \"things\"\naction = \"drop\"\nindex = \"old\"\n{form}\n")
}
