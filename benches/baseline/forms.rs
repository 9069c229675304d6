//! Forms of indexes with a query that each is good for.

/// A form: the definition behind `ADD`, and the query of the operation. `{name}` is the index,
/// `{a}` and such a value of that column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    pub(crate) what: &'static str,
    pub(crate) index: &'static str,
    pub(crate) query: &'static str,
    pub(crate) writes: bool,
}

const fn read(what: &'static str, index: &'static str, query: &'static str) -> Form {
    Form {
        what,
        index,
        query,
        writes: false,
    }
}

const fn write(what: &'static str, index: &'static str, query: &'static str) -> Form {
    Form {
        what,
        index,
        query,
        writes: true,
    }
}

/// A table with something for every form.
pub(crate) const TABLES: [&str; 2] = [
    "CREATE TABLE owners (id INT NOT NULL PRIMARY KEY, grade INT NOT NULL, name VARCHAR(30))",
    "CREATE TABLE things (
        id INT NOT NULL PRIMARY KEY,
        owner INT NOT NULL,
        a INT NOT NULL,
        b INT,
        s VARCHAR(30) NOT NULL,
        d DATETIME NOT NULL,
        n DECIMAL(10,2) NOT NULL,
        t TEXT NOT NULL,
        doc JSON NOT NULL,
        u BINARY(16) NOT NULL,
        place POINT NOT NULL SRID 0,
        g INT GENERATED ALWAYS AS (a * 3 + 1) VIRTUAL
    )",
];

pub(crate) const FORMS: [Form; 30] = [
    read(
        "one column",
        "INDEX {name} (a)",
        "SELECT id, n FROM things WHERE a = {a}",
    ),
    read(
        "covering",
        "INDEX {name} (a, n)",
        "SELECT SUM(n) FROM things WHERE a = {a}",
    ),
    read(
        "equality and range",
        "INDEX {name} (a, d)",
        "SELECT id FROM things WHERE a = {a} AND d >= {d} ORDER BY d",
    ),
    read(
        "three columns",
        "INDEX {name} (a, owner, d)",
        "SELECT id FROM things WHERE a = {a} AND owner = {o} AND d > '2020-01-01'",
    ),
    read(
        "order and limit",
        "INDEX {name} (a, d)",
        "SELECT id, s FROM things WHERE a = {a} ORDER BY d LIMIT 3",
    ),
    read(
        "descending",
        "INDEX {name} (a, d DESC)",
        "SELECT id, s FROM things WHERE a = {a} ORDER BY d DESC LIMIT 3",
    ),
    read(
        "order alone",
        "INDEX {name} (d)",
        "SELECT id, s FROM things ORDER BY d LIMIT 5",
    ),
    read(
        "text",
        "INDEX {name} (s)",
        "SELECT id FROM things WHERE s = {s}",
    ),
    read(
        "prefix",
        "INDEX {name} (s(6))",
        "SELECT id FROM things WHERE s LIKE CONCAT(LEFT({s}, 5), '%')",
    ),
    read(
        "prefix of a long text",
        "INDEX {name} (t(12))",
        "SELECT id FROM things WHERE t = (SELECT t FROM things WHERE id = {id})",
    ),
    read(
        "unique",
        "UNIQUE INDEX {name} (u)",
        "SELECT id FROM things WHERE u = {u}",
    ),
    read(
        "unique of two",
        "UNIQUE INDEX {name} (s, id)",
        "SELECT id, a FROM things WHERE s = {s}",
    ),
    read(
        "expression",
        "INDEX {name} ((lower(s)))",
        "SELECT id FROM things WHERE lower(s) = lower({s})",
    ),
    read(
        "expression of a time",
        "INDEX {name} ((dayofyear(d)))",
        "SELECT id FROM things WHERE dayofyear(d) = dayofyear({d})",
    ),
    read(
        "expression of two",
        "INDEX {name} ((a + owner))",
        "SELECT id FROM things WHERE a + owner = {a} + {o}",
    ),
    read(
        "several values",
        "INDEX {name} ((CAST(doc->'$.tags' AS UNSIGNED ARRAY)))",
        "SELECT id FROM things WHERE {tag} MEMBER OF (doc->'$.tags')",
    ),
    read(
        "value in a document",
        "INDEX {name} ((CAST(doc->>'$.k' AS UNSIGNED)))",
        "SELECT id FROM things WHERE CAST(doc->>'$.k' AS UNSIGNED) = {id}",
    ),
    read(
        "generated column",
        "INDEX {name} (g)",
        "SELECT id FROM things WHERE g = {a} * 3 + 1",
    ),
    read(
        "decimal range",
        "INDEX {name} (n)",
        "SELECT id FROM things WHERE n BETWEEN {n} AND {n} + 2",
    ),
    read(
        "time range",
        "INDEX {name} (d)",
        "SELECT id, s FROM things WHERE d BETWEEN {d} AND {d} + INTERVAL 6 HOUR",
    ),
    read(
        "list",
        "INDEX {name} (a)",
        "SELECT id, s FROM things WHERE a IN ({a}, {a} + 1)",
    ),
    read(
        "null or a value",
        "INDEX {name} (b)",
        "SELECT id, s FROM things WHERE b = {b} OR b IS NULL",
    ),
    read(
        "maximum",
        "INDEX {name} (a, n)",
        "SELECT MAX(n) FROM things WHERE a = {a}",
    ),
    read(
        "groups",
        "INDEX {name} (a, n)",
        "SELECT a, MIN(n) FROM things GROUP BY a",
    ),
    read(
        "join",
        "INDEX {name} (owner)",
        "SELECT o.name, t.id, t.s FROM owners o JOIN things t ON t.owner = o.id WHERE o.id = {o}",
    ),
    read(
        "semijoin",
        "INDEX {name} (owner, a)",
        "SELECT o.id FROM owners o WHERE o.id < 9 AND EXISTS \
         (SELECT 1 FROM things t WHERE t.owner = o.id AND t.a = {a})",
    ),
    read(
        "place",
        "SPATIAL INDEX {name} (place)",
        "SELECT id FROM things WHERE MBRContains(ST_Buffer(ST_SRID(POINT({x}, 5), 0), 3), place)",
    ),
    read(
        "words",
        "FULLTEXT INDEX {name} (t)",
        "SELECT id FROM things WHERE MATCH (t) AGAINST ({word})",
    ),
    write(
        "update",
        "INDEX {name} (a, owner)",
        "UPDATE things SET n = n + 1 WHERE a = {a} AND owner = {o}",
    ),
    write(
        "delete",
        "INDEX {name} (s)",
        "DELETE FROM things WHERE s = {s}",
    ),
];
