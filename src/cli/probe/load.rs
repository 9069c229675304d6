//! `mydex probe load`: a pack's schema and data into a database.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use tokio::time::Instant;

use crate::cli::context::Context;
use crate::cli::error::{Error, Outcome};
use crate::cli::message;
use crate::config::settings::Server;
use crate::model::units;
use crate::probes::load::{LoadError, LoadPlan, LoadReport, LoadState, Progress, load};
use crate::report::doc::{Block, Document, Table};
use crate::server::audit::{Audit, Record};

/// Time between two lines of progress where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Options of `mydex probe load`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of a shipped pack, or the folder of one.
    #[arg(value_name = "PACK", value_hint = clap::ValueHint::DirPath)]
    pack: String,

    /// Size of the data; at 1 `cmdb` has about 100,000 rows.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    scale: f64,

    /// Same seed, same rows.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,

    /// Schema to load into, made if it is missing; by default the name of the pack.
    #[arg(long, value_name = "NAME")]
    database: Option<String>,

    /// Connections that insert.
    #[arg(long, value_name = "NUMBER", default_value_t = 4,
          value_parser = clap::value_parser!(u32).range(1..=64))]
    connections: u32,

    /// Rows in a transaction.
    #[arg(long, value_name = "ROWS", default_value_t = 1_000,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    batch: u32,

    /// Drop the pack's own tables, and nothing else, if they are there, and load again.
    #[arg(long)]
    force: bool,

    /// Load into a schema that holds other tables too; those are left as they are.
    #[arg(long)]
    beside_others: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    pack: String,
    version: u32,
    database: String,
    seed: u64,
    scale: f64,
    /// `complete`, `already-complete` or `interrupted`.
    state: &'static str,
    rows_written: u64,
    rows_found: u64,
    seconds: f64,
    rows_per_second: f64,
    tables: Vec<ReportTable>,
}

#[derive(Debug, Serialize)]
struct ReportTable {
    name: String,
    rows: u64,
    estimated_rows: u64,
    data_bytes: u64,
    index_bytes: u64,
}

/// Loads.
pub(super) async fn run(context: &Context, args: &Args) -> Result<Outcome, Error> {
    let pack = super::pack(&args.pack)?;
    let mut server = context.server()?.clone();
    if server.read_only {
        return Err(Error::new(format!("server `{}` is read-only", server.name))
            .hint("loading writes tables; choose another server, or set `read_only = false`"));
    }
    // The schema may have to be made first, so that the connection names none.
    server.database = None;
    let plan = LoadPlan {
        database: args
            .database
            .clone()
            .unwrap_or_else(|| pack.name.to_string()),
        scale: args.scale,
        seed: args.seed,
        connections: args.connections,
        batch: args.batch,
        force: args.force,
        beside_others: args.beside_others,
    };
    record(&server, &plan, &pack.name, "intended").await?;
    let mut shown = Shown::new();
    let options = crate::server::options(&server);
    let cancel = context.cancel.clone();
    let result = load(options, &pack, plan.clone(), |at| shown.show(&at), cancel).await;
    shown.end();
    let outcome = match &result {
        Ok(report) => word(report.state).to_owned(),
        Err(error) => error.to_string(),
    };
    record(&server, &plan, &pack.name, &outcome).await?;
    let report = result.map_err(|error| explain(&error))?;
    if report.state == LoadState::Interrupted {
        message(&format!(
            "interrupted: {} rows are in `{}`, whole batches all; the same command goes on",
            report.found + report.written,
            report.database
        ));
        return Ok(Outcome::Interrupted);
    }
    let json = json(&report, &plan, &pack.name, pack.version);
    context.emit(&document(&report, &pack.name), &json)?;
    Ok(Outcome::Fine)
}

/// Every change to a server is recorded, before and after.
async fn record(server: &Server, plan: &LoadPlan, pack: &str, result: &str) -> Result<(), Error> {
    let place = crate::server::connect::place(server);
    let name = format!("{} ({place})", server.name);
    let statement = format!(
        "probe load {pack} --scale {} --seed {}{}",
        plan.scale,
        plan.seed,
        if plan.force { " --force" } else { "" }
    );
    let line = Record {
        time: jiff::Timestamp::now(),
        server: &name,
        account: &server.user,
        action: "load-pack",
        statement: &statement,
        target: &plan.database,
        result,
    };
    let audit = Audit::of_user().map_err(|error| Error::from_chain(&error))?;
    audit
        .write(&line)
        .await
        .map_err(|error| Error::from_chain(&error))
}

fn explain(error: &LoadError) -> Error {
    let shown = Error::from_chain(error);
    match error {
        LoadError::DiskFull { .. } => shown.hint(
            "nothing of the batch was kept; free space on the server, then run the same command \
             to go on",
        ),
        error if error.is_resumable() => {
            shown.hint("nothing of the batch was kept; run the same command to go on")
        }
        LoadError::Connect { .. } => shown.hint("`mydex check` says what is missing"),
        _ => shown,
    }
}

fn word(state: LoadState) -> &'static str {
    match state {
        LoadState::Complete => "complete",
        LoadState::AlreadyComplete => "already-complete",
        LoadState::Interrupted => "interrupted",
    }
}

fn rate(report: &LoadReport) -> f64 {
    let seconds = report.elapsed.as_secs_f64();
    if report.written > 0 && seconds > 0.0 {
        report.written as f64 / seconds
    } else {
        0.0
    }
}

fn json(report: &LoadReport, plan: &LoadPlan, pack: &str, version: u32) -> Report {
    Report {
        pack: pack.to_owned(),
        version,
        database: report.database.clone(),
        seed: plan.seed,
        scale: plan.scale,
        state: word(report.state),
        rows_written: report.written,
        rows_found: report.found,
        seconds: report.elapsed.as_secs_f64(),
        rows_per_second: rate(report),
        tables: report
            .tables
            .iter()
            .map(|table| ReportTable {
                name: table.name.to_string(),
                rows: table.rows,
                estimated_rows: table.estimated_rows,
                data_bytes: table.data_bytes,
                index_bytes: table.index_bytes,
            })
            .collect(),
    }
}

fn document(report: &LoadReport, pack: &str) -> Document {
    let mut table = Table::new(
        "Rows as generated; sizes by the server's statistics after ANALYZE TABLE",
        &["table", ">rows", ">data", ">indexes"],
    );
    for statistics in &report.tables {
        table.push([
            statistics.name.to_string(),
            statistics.rows.to_string(),
            units::bytes(statistics.data_bytes),
            units::bytes(statistics.index_bytes),
        ]);
    }
    let sentence = match report.state {
        LoadState::AlreadyComplete => {
            "This data was loaded before; nothing was changed. Add --force to load it afresh."
                .to_owned()
        }
        _ => format!(
            "{} rows in {}, {} rows/s{}.",
            report.written,
            units::duration(report.elapsed),
            units::count(rate(report)),
            match report.found {
                0 => String::new(),
                found => format!("; {found} were there from an earlier run"),
            }
        ),
    };
    Document {
        title: format!("Pack {pack} in schema {}", report.database),
        blocks: vec![Block::Paragraph(sentence), Block::Table(table)],
    }
}

/// Progress on standard error: a bar on a terminal, a line now and then elsewhere.
pub(in crate::cli) struct Shown {
    bar: Option<ProgressBar>,
    on_terminal: bool,
    last_line: Option<Instant>,
}

impl Shown {
    pub(in crate::cli) fn new() -> Self {
        Self {
            bar: None,
            on_terminal: std::io::stderr().is_terminal(),
            last_line: None,
        }
    }

    pub(in crate::cli) fn show(&mut self, at: &Progress) {
        let left = at.left.map_or("-".to_owned(), units::duration);
        let rate = units::count(at.rate);
        if self.on_terminal {
            let bar = self.bar.get_or_insert_with(|| {
                let template = "{wide_bar} {percent:>3}%  {msg}";
                let style = ProgressStyle::with_template(template)
                    .unwrap_or_else(|_| ProgressStyle::default_bar());
                ProgressBar::new(at.rows).with_style(style)
            });
            bar.set_position(at.done);
            bar.set_message(format!("{} rows/s, {left} left, {}", rate, at.table));
            return;
        }
        let is_due = self
            .last_line
            .is_none_or(|last| last.elapsed() >= LINE_EVERY);
        if is_due || at.done == at.rows {
            self.last_line = Some(Instant::now());
            message(&format!(
                "{} of {} rows, {rate} rows/s, {left} left, {} {} of {}",
                at.done, at.rows, at.table, at.table_done, at.table_rows
            ));
        }
    }

    pub(in crate::cli) fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
