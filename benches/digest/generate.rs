//! A slow log that is the same on every machine: a few hundred classes, in the forms of MySQL, of
//! Percona Server and of MariaDB, with statements over several lines.

use std::io::{self, Write};

const TABLES: [&str; 40] = [
    "accounts",
    "addresses",
    "alerts",
    "audits",
    "backups",
    "blocks",
    "carts",
    "clusters",
    "coupons",
    "devices",
    "domains",
    "events",
    "files",
    "groups_of_users",
    "hosts",
    "images",
    "invoices",
    "items",
    "jobs",
    "keys_of_api",
    "leases",
    "links",
    "messages",
    "networks",
    "nodes",
    "orders",
    "payments",
    "pools",
    "ports",
    "posts",
    "products",
    "quotas",
    "regions",
    "roles",
    "routes",
    "servers",
    "subnets",
    "tickets",
    "users",
    "volumes",
];

const USERS: [(&str, &str); 4] = [
    ("app[app] @ web1.example [10.0.0.11]", "shop"),
    ("app[app] @ web2.example [10.0.0.12]", "shop"),
    ("report[report] @  [10.0.0.30]", "warehouse"),
    ("root[root] @ localhost []", "admin"),
];

/// Numbers that only depend on the seed.
#[derive(Debug)]
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// Writes about `bytes` of log; gives the number of entries.
pub(crate) fn generate(out: &mut impl Write, bytes: usize) -> io::Result<u64> {
    let mut numbers = Numbers(42);
    let (mut written, mut entries) = (0, 0);
    let (mut micros, mut schema) = (1_700_000_000_000_000_u64, "");
    while written < bytes {
        micros += numbers.next(40_000);
        let (user, wanted) = USERS[usize::try_from(numbers.next(4)).unwrap_or(0)];
        // Low tables are busy ones.
        let table = TABLES[usize::try_from(numbers.next(40).min(numbers.next(40))).unwrap_or(0)];
        let statement = statement(&mut numbers, table);
        let entry = entry(&mut numbers, micros, user, wanted, &mut schema, &statement);
        out.write_all(entry.as_bytes())?;
        written += entry.len();
        entries += 1;
    }
    Ok(entries)
}

fn entry(
    numbers: &mut Numbers,
    micros: u64,
    user: &str,
    wanted: &'static str,
    schema: &mut &'static str,
    statement: &str,
) -> String {
    let time = 100 + numbers.next(20_000) * (1 + numbers.next(40) * numbers.next(40));
    let (sent, examined, lock) = (numbers.next(100), numbers.next(50_000), numbers.next(50));
    let figures = format!(
        "# Query_time: {}.{:06}  Lock_time: 0.{lock:06} Rows_sent: {sent}  Rows_examined: {examined}",
        time / 1_000_000,
        time % 1_000_000,
    );
    let id = numbers.next(500);
    let timestamp = micros / 1_000_000;
    let more = match numbers.next(4) {
        0 | 1 => format!("# User@Host: {user}  Id: {id:5}\n{figures}\n"),
        2 => format!(
            "# User@Host: {user}  Id: {id:5}\n# Schema: {wanted}  Last_errno: 0  Killed: 0\n{figures}  \
             Rows_affected: 0\n# Bytes_sent: {}\n",
            sent * 40,
        ),
        _ => format!(
            "# User@Host: {user}\n# Thread_id: {id}  Schema: {wanted}  QC_hit: No\n{figures}\n\
             # Rows_affected: 0  Bytes_sent: {}\n",
            sent * 40,
        ),
    };
    let change = if *schema == wanted {
        String::new()
    } else {
        *schema = wanted;
        format!("use {wanted};\n")
    };
    let written = clock(micros);
    format!("# Time: {written}\n{more}{change}SET timestamp={timestamp};\n{statement};\n")
}

/// The time in the ISO form; the log covers a few days of November 2023.
fn clock(micros: u64) -> String {
    // 2023-11-14T22:13:20 is second 1,700,000,000.
    let since = micros / 1_000_000 - 1_699_920_000;
    let (day, second) = (14 + since / 86_400, since % 86_400);
    format!(
        "2023-11-{day:02}T{:02}:{:02}:{:02}.{:06}Z",
        second / 3_600,
        second / 60 % 60,
        second % 60,
        micros % 1_000_000,
    )
}

fn statement(numbers: &mut Numbers, table: &str) -> String {
    let id = numbers.next(1_000_000);
    match numbers.next(10) {
        0 => format!("SELECT * FROM {table} WHERE id = {id}"),
        1 => format!(
            "SELECT id, name, state FROM `{table}` WHERE owner_id = {id} AND state = 'active'"
        ),
        2 => {
            let list: Vec<String> = (0..=numbers.next(20))
                .map(|i| (id + i).to_string())
                .collect();
            format!(
                "SELECT id, name FROM {table} WHERE id IN ({})",
                list.join(", ")
            )
        }
        3 => format!(
            "SELECT t.id, t.name, COUNT(*) AS n\n  FROM {table} t\n  JOIN users u ON u.id = t.owner_id\n \
             WHERE u.email = 'user{id}@example.com'\n   AND t.created_at >= '2023-{:02}-01'\n GROUP BY \
             t.id, t.name\n ORDER BY n DESC\n LIMIT {}",
            1 + id % 12,
            10 + id % 7,
        ),
        4 => format!(
            "UPDATE {table} SET state = 'done', touched = {id}, note = 'it''s number {id}' WHERE id = {id}"
        ),
        5 => {
            let row = |i| format!("({i}, 'name {i}', {}.5)", i % 100);
            let rows: Vec<String> = (0..=numbers.next(8)).map(|i| row(id + i)).collect();
            format!(
                "INSERT INTO {table} (id, name, price) VALUES {}",
                rows.join(", ")
            )
        }
        6 => format!("DELETE FROM {table} WHERE expires_at < '2023-11-01 00:00:00' AND id < {id}"),
        7 => format!(
            "SELECT a.id, b.total\nFROM {table} a\nLEFT JOIN (\n    SELECT owner_id, SUM(price) AS total\n    \
             FROM orders\n    WHERE created_at BETWEEN '2023-01-01' AND '2023-11-{:02}'\n    GROUP BY \
             owner_id\n) b ON b.owner_id = a.id\nWHERE a.region = 'eu-{}' AND a.name LIKE 'n{id}%'",
            1 + id % 14,
            id % 9,
        ),
        8 => format!(
            "SELECT COUNT(*) FROM {table} WHERE price > {}.99 AND name <> \"x{id}\"",
            id % 500
        ),
        _ => format!(
            "SELECT name FROM {table} WHERE parent_id = {id} AND kind = 'k{}' ORDER BY created_at DESC \
             LIMIT 1",
            id % 5,
        ),
    }
}
