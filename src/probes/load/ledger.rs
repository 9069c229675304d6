//! What mydex keeps in the database about the packs it loaded: `mydex_pack` with a row for each
//! pack, and `mydex_pack_progress` with a row for each range of rows that one connection fills.

use std::fmt;
use std::sync::Arc;

use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use super::session::execute;
use super::{LoadError, LoadPlan};
use crate::probes::generate::World;
use crate::probes::pack::{Pack, check_data};
use crate::server::quote::ident;

const TABLES: [&str; 2] = ["mydex_pack", "mydex_pack_progress"];

/// Ranges that a table is split into at most: enough for many connections to be busy to the end.
const MOST_SEGMENTS: u64 = 16;

/// Which data it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// Name of the pack.
    pub pack: Arc<str>,
    /// Version of the pack.
    pub version: u32,
    /// Seed.
    pub seed: u64,
    /// Scale.
    pub scale: f64,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            version,
            seed,
            scale,
            ..
        } = self;
        write!(f, "version {version}, seed {seed}, scale {scale}")
    }
}

/// A range of rows of a table that is filled in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Index of the table.
    pub table: usize,
    /// Number within the table.
    pub index: u32,
    /// Its first row.
    pub first: u64,
    /// The first row that is not written yet.
    pub next: u64,
    /// The row after its last.
    pub end: u64,
}

impl Segment {
    /// Rows that are not written yet.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.end.saturating_sub(self.next)
    }
}

/// A row of the progress table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgressRow {
    /// Name of the pack.
    pub pack: String,
    /// Name of the table.
    pub table: String,
    /// Number, first, next and end row.
    pub range: (u32, u64, u64, u64),
}

/// What is in the schema.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Live {
    /// Tables, without those of mydex itself.
    pub tables: Vec<String>,
    /// The pack's data and whether it is complete.
    pub entry: Option<(Identity, bool)>,
    /// Progress of all packs.
    pub progress: Vec<ProgressRow>,
}

/// What has to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Nothing.
    Complete,
    /// Go on.
    Resume(Vec<Segment>),
    /// Begin.
    Fresh,
    /// Drop these tables and begin.
    Replace(Vec<String>),
}

/// Decides from what is there; pure.
pub fn decide(
    live: &Live,
    wanted: &Identity,
    plan: &LoadPlan,
    pack: &Pack,
) -> Result<Decision, LoadError> {
    let is_made = |name: &str, by: Option<&str>| {
        live.progress
            .iter()
            .any(|row| row.table == name && by.is_none_or(|pack| row.pack == pack))
    };
    let is_live = |name: &str| live.tables.iter().any(|table| table == name);
    let occupied: Vec<&str> = pack
        .tables
        .iter()
        .map(|table| &*table.name)
        .filter(|name| is_live(name) && !is_made(name, Some(&*pack.name)))
        .collect();
    if !occupied.is_empty() {
        return Err(LoadError::Occupied {
            database: plan.database.clone(),
            tables: listed(&occupied),
        });
    }
    let Some((found, is_complete)) = &live.entry else {
        let foreign: Vec<&str> = live
            .tables
            .iter()
            .map(String::as_str)
            .filter(|name| !is_made(name, None))
            .collect();
        if foreign.is_empty() || plan.beside_others {
            return Ok(Decision::Fresh);
        }
        return Err(LoadError::Foreign {
            database: plan.database.clone(),
            tables: listed(&foreign),
        });
    };
    let own = live.progress.iter().filter(|row| row.pack == *pack.name);
    if plan.force {
        let mut tables: Vec<String> = own.map(|row| row.table.clone()).collect();
        tables.dedup();
        return Ok(Decision::Replace(tables));
    }
    let segments: Vec<Segment> = own.filter_map(|row| segment(row, pack)).collect();
    // A table with rows in the ledger that is gone was dropped by someone else.
    let gone = segments.iter().find(|segment| {
        let begun = *is_complete || segment.next > segment.first;
        begun && !is_live(&pack.tables[segment.table].name)
    });
    if found != wanted || gone.is_some() {
        let loss = gone.map_or(String::new(), |segment| {
            format!(
                ", whose table `{}` is gone",
                pack.tables[segment.table].name
            )
        });
        return Err(LoadError::Different {
            database: plan.database.clone(),
            pack: pack.name.to_string(),
            found: format!("{found}{loss}"),
            wanted: wanted.to_string(),
        });
    }
    Ok(if *is_complete {
        Decision::Complete
    } else {
        Decision::Resume(segments)
    })
}

fn segment(row: &ProgressRow, pack: &Pack) -> Option<Segment> {
    let (index, first, next, end) = row.range;
    Some(Segment {
        table: pack.table(&row.table)?,
        index,
        first,
        next,
        end,
    })
}

fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(3)
        .map(|name| format!("`{name}`"))
        .collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The ranges of a table's rows; a hierarchy is one range, because its rows have to be in order.
#[must_use]
pub fn segments(table: usize, rows: u64, batch: u64, is_ordered: bool) -> Vec<Segment> {
    let batch = batch.max(1);
    let length = if is_ordered {
        rows.max(1)
    } else {
        rows.div_ceil(MOST_SEGMENTS).div_ceil(batch).max(1) * batch
    };
    let mut segments = Vec::new();
    let mut first = 0;
    while first < rows || segments.is_empty() {
        let end = first.saturating_add(length).min(rows);
        segments.push(Segment {
            table,
            index: u32::try_from(segments.len()).unwrap_or(u32::MAX),
            first,
            next: first,
            end,
        });
        first = end.max(1);
    }
    segments
}

/// Reads what is in the schema.
pub async fn read(
    connection: &mut MySqlConnection,
    database: &str,
    pack: &Arc<str>,
) -> Result<Live, LoadError> {
    let mut live = Live {
        tables: tables(connection, database).await?,
        ..Live::default()
    };
    let before = live.tables.len();
    live.tables.retain(|name| !TABLES.contains(&name.as_str()));
    if before - live.tables.len() < TABLES.len() {
        return Ok(live);
    }
    let fail = |source| LoadError::new("read `mydex_pack`", source);
    let schema = ident(database);
    let sql = format!("SELECT version, seed, scale, state FROM {schema}.mydex_pack WHERE pack = ?");
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(&**pack)
        .fetch_optional(&mut *connection)
        .await
        .map_err(fail)?;
    if let Some(row) = row {
        let state: String = row.try_get(3).map_err(fail)?;
        let identity = Identity {
            pack: Arc::clone(pack),
            version: row.try_get(0).map_err(fail)?,
            seed: row.try_get(1).map_err(fail)?,
            scale: row.try_get(2).map_err(fail)?,
        };
        live.entry = Some((identity, state == "complete"));
    }
    let sql = format!(
        "SELECT pack, table_name, segment, first_row, next_row, end_row \
         FROM {schema}.mydex_pack_progress ORDER BY pack, table_name, segment"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .fetch_all(connection)
        .await
        .map_err(fail)?;
    for row in rows {
        live.progress.push(ProgressRow {
            pack: row.try_get(0).map_err(fail)?,
            table: row.try_get(1).map_err(fail)?,
            range: (
                row.try_get(2).map_err(fail)?,
                row.try_get(3).map_err(fail)?,
                row.try_get(4).map_err(fail)?,
                row.try_get(5).map_err(fail)?,
            ),
        });
    }
    Ok(live)
}

/// Names of the tables of the schema.
pub async fn tables(
    connection: &mut MySqlConnection,
    database: &str,
) -> Result<Vec<String>, LoadError> {
    sqlx::query_scalar(
        "SELECT CAST(table_name AS CHAR) FROM information_schema.tables \
         WHERE table_schema = ? AND table_type = 'BASE TABLE' ORDER BY table_name",
    )
    .bind(database)
    .fetch_all(connection)
    .await
    .map_err(|source| LoadError::new("list the tables", source))
}

/// Makes the ledger and writes down what is going to be made, before it is made.
pub async fn begin(
    connection: &mut MySqlConnection,
    world: &World,
    plan: &LoadPlan,
    identity: &Identity,
) -> Result<Vec<Segment>, LoadError> {
    let fail = |source| LoadError::new("write `mydex_pack`", source);
    let schema = ident(&plan.database);
    execute(
        connection,
        "create `mydex_pack`",
        format!(
            "CREATE TABLE IF NOT EXISTS {schema}.mydex_pack (
           pack VARCHAR(40) CHARACTER SET ascii NOT NULL PRIMARY KEY,
           version INT UNSIGNED NOT NULL,
           seed BIGINT UNSIGNED NOT NULL,
           scale DOUBLE NOT NULL,
           state VARCHAR(16) CHARACTER SET ascii NOT NULL,
           started_at DATETIME(6) NOT NULL,
           finished_at DATETIME(6) NULL
         ) ENGINE=InnoDB COMMENT='workload packs loaded by mydex'"
        ),
    )
    .await?;
    execute(
        connection,
        "create `mydex_pack_progress`",
        format!(
            "CREATE TABLE IF NOT EXISTS {schema}.mydex_pack_progress (
           pack VARCHAR(40) CHARACTER SET ascii NOT NULL,
           table_name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
           segment INT UNSIGNED NOT NULL,
           first_row BIGINT UNSIGNED NOT NULL,
           next_row BIGINT UNSIGNED NOT NULL,
           end_row BIGINT UNSIGNED NOT NULL,
           PRIMARY KEY (pack, table_name, segment)
         ) ENGINE=InnoDB COMMENT='rows loaded by mydex'"
        ),
    )
    .await?;
    let pack = world.pack();
    let mut made = Vec::new();
    let mut transaction = connection.begin().await.map_err(fail)?;
    sqlx::query(AssertSqlSafe(format!(
        "INSERT INTO {schema}.mydex_pack (pack, version, seed, scale, state, started_at) \
         VALUES (?, ?, ?, ?, 'loading', UTC_TIMESTAMP(6))"
    )))
    .bind(&*identity.pack)
    .bind(identity.version)
    .bind(identity.seed)
    .bind(identity.scale)
    .execute(&mut *transaction)
    .await
    .map_err(fail)?;
    for (index, table) in pack.tables.iter().enumerate() {
        let is_ordered = table.foreign_keys.iter().any(|key| key.table == index);
        for segment in segments(index, world.rows(index), u64::from(plan.batch), is_ordered) {
            sqlx::query(AssertSqlSafe(format!(
                "INSERT INTO {schema}.mydex_pack_progress VALUES (?, ?, ?, ?, ?, ?)"
            )))
            .bind(&*identity.pack)
            .bind(&*table.name)
            .bind(segment.index)
            .bind(segment.first)
            .bind(segment.next)
            .bind(segment.end)
            .execute(&mut *transaction)
            .await
            .map_err(fail)?;
            made.push(segment);
        }
    }
    transaction.commit().await.map_err(fail)?;
    Ok(made)
}

/// The statement that moves a segment on; it belongs into the transaction of the rows.
#[must_use]
pub fn advance(database: &str, pack: &Pack, segment: &Segment, next: u64) -> String {
    use crate::server::quote::hex_literal;
    format!(
        "UPDATE {}.mydex_pack_progress SET next_row = {next} \
         WHERE pack = {} AND table_name = {} AND segment = {} AND next_row = {}",
        ident(database),
        hex_literal(&pack.name),
        hex_literal(&pack.tables[segment.table].name),
        segment.index,
        segment.next,
    )
}

/// Marks the load as complete.
pub async fn complete(
    connection: &mut MySqlConnection,
    database: &str,
    pack: &str,
) -> Result<(), LoadError> {
    let sql = format!(
        "UPDATE {}.mydex_pack SET state = 'complete', finished_at = UTC_TIMESTAMP(6) \
         WHERE pack = ?",
        ident(database)
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(pack)
        .execute(connection)
        .await
        .map_err(|source| LoadError::new("write `mydex_pack`", source))?;
    Ok(())
}

/// Drops tables of a pack and then its entry. Foreign keys of other tables to them stand in the
/// way, as they should.
pub async fn drop_tables(
    connection: &mut MySqlConnection,
    database: &str,
    pack: &str,
    tables: &[String],
) -> Result<(), LoadError> {
    let schema = ident(database);
    let names: Vec<String> = tables
        .iter()
        .map(|name| format!("{schema}.{}", ident(name)))
        .collect();
    if !names.is_empty() {
        let sql = format!("DROP TABLE IF EXISTS {}", names.join(", "));
        execute(connection, "drop the tables of the pack", sql).await?;
    }
    for table in TABLES {
        let sql = format!("DELETE FROM {schema}.{} WHERE pack = ?", ident(table));
        sqlx::query(AssertSqlSafe(sql))
            .bind(pack)
            .execute(&mut *connection)
            .await
            .map_err(|source| LoadError::new("clear `mydex_pack`", source))?;
    }
    Ok(())
}

/// Tables with their parents, for the queue.
#[must_use]
pub fn parents(pack: &Pack) -> Vec<Vec<usize>> {
    pack.tables
        .iter()
        .enumerate()
        .map(|(index, table)| {
            let parents = table.foreign_keys.iter().map(|key| key.table);
            parents.filter(|parent| *parent != index).collect()
        })
        .collect()
}

/// Segments in an order in which parents come first.
#[must_use]
pub fn in_load_order(pack: &Pack, mut segments: Vec<Segment>) -> Vec<Segment> {
    let order = check_data::load_order(&pack.tables).unwrap_or_default();
    segments.sort_by_key(|segment| {
        let rank = order.iter().position(|table| *table == segment.table);
        (rank, segment.index)
    });
    segments
}
