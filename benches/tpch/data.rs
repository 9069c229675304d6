//! TPC-H data and its server: tables with primary keys and nothing else.
//!
//! Foreign keys are not declared, because InnoDB would make indexes for them by itself: the indexes
//! that joins need are part of what is to be chosen.

use std::fmt::Display;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::str::FromStr as _;

use mydex::sandbox::{Options, Sandbox};
use sqlx::mysql::MySqlConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, Row as _};
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator,
    PartSuppGenerator, RegionGenerator, SupplierGenerator,
};

use super::{Failure, say};

pub(crate) const SCHEMA: &str = "mydex_tpch";

/// Tables with their columns and primary keys.
const TABLES: [(&str, &str); 8] = [
    (
        "region",
        "r_regionkey int not null primary key, r_name char(25) not null, r_comment varchar(152)",
    ),
    (
        "nation",
        "n_nationkey int not null primary key, n_name char(25) not null, n_regionkey int not null,
         n_comment varchar(152)",
    ),
    (
        "supplier",
        "s_suppkey int not null primary key, s_name char(25) not null,
         s_address varchar(40) not null, s_nationkey int not null, s_phone char(15) not null,
         s_acctbal decimal(15,2) not null, s_comment varchar(101) not null",
    ),
    (
        "customer",
        "c_custkey int not null primary key, c_name varchar(25) not null,
         c_address varchar(40) not null, c_nationkey int not null, c_phone char(15) not null,
         c_acctbal decimal(15,2) not null, c_mktsegment char(10) not null,
         c_comment varchar(117) not null",
    ),
    (
        "part",
        "p_partkey int not null primary key, p_name varchar(55) not null, p_mfgr char(25) not null,
         p_brand char(10) not null, p_type varchar(25) not null, p_size int not null,
         p_container char(10) not null, p_retailprice decimal(15,2) not null,
         p_comment varchar(23) not null",
    ),
    (
        "partsupp",
        "ps_partkey int not null, ps_suppkey int not null, ps_availqty int not null,
         ps_supplycost decimal(15,2) not null, ps_comment varchar(199) not null,
         primary key (ps_partkey, ps_suppkey)",
    ),
    (
        "orders",
        "o_orderkey bigint not null primary key, o_custkey int not null,
         o_orderstatus char(1) not null, o_totalprice decimal(15,2) not null,
         o_orderdate date not null, o_orderpriority char(15) not null, o_clerk char(15) not null,
         o_shippriority int not null, o_comment varchar(79) not null",
    ),
    (
        "lineitem",
        "l_orderkey bigint not null, l_partkey int not null, l_suppkey int not null,
         l_linenumber int not null, l_quantity decimal(15,2) not null,
         l_extendedprice decimal(15,2) not null, l_discount decimal(15,2) not null,
         l_tax decimal(15,2) not null, l_returnflag char(1) not null, l_linestatus char(1) not null,
         l_shipdate date not null, l_commitdate date not null, l_receiptdate date not null,
         l_shipinstruct char(25) not null, l_shipmode char(10) not null,
         l_comment varchar(44) not null, primary key (l_orderkey, l_linenumber)",
    ),
];

/// Columns that the queries compare with constants.
const HISTOGRAMS: [(&str, &str); 8] = [
    ("region", "r_name"),
    ("nation", "n_name"),
    ("supplier", "s_nationkey"),
    ("customer", "c_mktsegment, c_acctbal, c_nationkey"),
    ("part", "p_size, p_type, p_name, p_brand, p_container"),
    ("partsupp", "ps_availqty, ps_supplycost"),
    ("orders", "o_orderdate, o_orderstatus"),
    (
        "lineitem",
        "l_shipdate, l_commitdate, l_receiptdate, l_discount, l_quantity, l_returnflag, \
         l_shipmode, l_shipinstruct",
    ),
];

/// A running server with the data in it.
pub(crate) struct Lab {
    pub(crate) sandbox: Sandbox,
    pub(crate) connection: MySqlConnection,
}

impl Lab {
    pub(crate) async fn start(scale: f64, with_histograms: bool) -> Result<Self, Failure> {
        let megabytes = (scale * 8000.0).clamp(512.0, 4096.0);
        let options = Options {
            buffer_pool_mib: format!("{megabytes:.0}").parse()?,
            extra: vec!["--innodb-stats-persistent-sample-pages=200".to_owned()],
            ..Options::default()
        };
        let sandbox = Sandbox::start(&options, &mut |_| {}).await?;
        let options = MySqlConnectOptions::from_str(&sandbox.url())?.pipes_as_concat(false);
        let connection = MySqlConnection::connect_with(&options).await?;
        let mut lab = Self {
            sandbox,
            connection,
        };
        lab.load(scale, with_histograms).await?;
        Ok(lab)
    }

    pub(crate) async fn run(&mut self, sql: &str) -> Result<(), Failure> {
        self.connection
            .execute(AssertSqlSafe(sql.to_owned()))
            .await?;
        Ok(())
    }

    async fn load(&mut self, scale: f64, with_histograms: bool) -> Result<(), Failure> {
        let folder = tempfile::tempdir()?;
        self.run(&format!("CREATE DATABASE {SCHEMA} CHARACTER SET latin1"))
            .await?;
        self.run(&format!("USE {SCHEMA}")).await?;
        self.run("SET SESSION explain_json_format_version = 1")
            .await?;
        for (table, columns) in TABLES {
            let file = folder.path().join(table);
            write(table, scale, &file)?;
            self.run(&format!("CREATE TABLE {table} ({columns})"))
                .await?;
            self.run(&format!(
                "LOAD DATA INFILE '{}' INTO TABLE {table} FIELDS TERMINATED BY '|' \
                 LINES TERMINATED BY '|\\n'",
                file.display()
            ))
            .await?;
            std::fs::remove_file(&file)?;
            let rows = self
                .number(&format!("SELECT COUNT(*) FROM {table}"))
                .await?;
            say(&format!("{table}: {rows} rows"));
        }
        for (table, _) in TABLES {
            self.run(&format!("ANALYZE TABLE {table}")).await?;
        }
        for (table, columns) in HISTOGRAMS.iter().filter(|_| with_histograms) {
            let sql =
                format!("ANALYZE TABLE {table} UPDATE HISTOGRAM ON {columns} WITH 100 BUCKETS");
            self.run(&sql).await?;
        }
        Ok(())
    }

    pub(crate) async fn number(&mut self, sql: &str) -> Result<i64, Failure> {
        let row = self
            .connection
            .fetch_one(AssertSqlSafe(sql.to_owned()))
            .await?;
        Ok(row.try_get(0)?)
    }
}

fn write(table: &str, scale: f64, file: &Path) -> Result<(), Failure> {
    match table {
        "region" => lines(RegionGenerator::new(scale, 1, 1).iter(), file),
        "nation" => lines(NationGenerator::new(scale, 1, 1).iter(), file),
        "supplier" => lines(SupplierGenerator::new(scale, 1, 1).iter(), file),
        "customer" => lines(CustomerGenerator::new(scale, 1, 1).iter(), file),
        "part" => lines(PartGenerator::new(scale, 1, 1).iter(), file),
        "partsupp" => lines(PartSuppGenerator::new(scale, 1, 1).iter(), file),
        "orders" => lines(OrderGenerator::new(scale, 1, 1).iter(), file),
        "lineitem" => lines(LineItemGenerator::new(scale, 1, 1).iter(), file),
        other => Err(format!("no generator for `{other}`").into()),
    }
}

fn lines<T: Display>(rows: impl Iterator<Item = T>, file: &Path) -> Result<(), Failure> {
    let mut file = BufWriter::new(std::fs::File::create(file)?);
    for row in rows {
        writeln!(file, "{row}")?;
    }
    file.flush()?;
    Ok(())
}
