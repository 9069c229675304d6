//! `mydex demo`: a private server, the CMDB data, a running load and the dashboard, from nothing.

mod summary;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueHint;
use sqlx::mysql::MySqlConnectOptions;
use tokio_util::sync::CancellationToken;

use super::context::Context;
use super::dashboard::Driving;
use super::dashboard::load::{Begun, Source};
use super::error::{Error, Outcome};
use super::top::Look;
use super::{dashboard, message, probe, sandbox};
use crate::collect::once::once;
use crate::config::settings::Server;
use crate::model::units;
use crate::probes::load::{LoadPlan, LoadReport, LoadState, load};
use crate::probes::pack::Pack;
use crate::sandbox::{Options, Sandbox};
use crate::server;

/// The pack that the demo shows.
const PACK: &str = "cmdb";

/// Options of `mydex demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Without a dashboard: run, print a summary, end.
    #[arg(long)]
    pub headless: bool,

    /// End by itself after this time; without it a headless demo takes 30s.
    #[arg(long, value_name = "TIME", value_parser = probe::duration)]
    pub duration: Option<Duration>,

    /// Size of the data; 1 is about 100,000 rows.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub scale: f64,

    /// Same seed, same rows and same arrival times.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,

    /// Operations per second; without it the rates of the pack.
    #[arg(long, value_name = "NUMBER")]
    pub rate: Option<f64>,

    /// Connections of the load; without it the configuration's.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub concurrency: Option<u32>,

    /// Use this MySQL server program instead of looking for one.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub mysqld: Option<PathBuf>,

    /// How the dashboard looks and polls.
    #[command(flatten)]
    pub look: Look,
}

/// Runs the command. Whatever happens, the server ends with it and nothing is left behind.
pub async fn run(context: &Context, args: Args) -> Result<Outcome, Error> {
    if !args.headless && !std::io::stdout().is_terminal() {
        return Err(
            Error::new("the dashboard needs a terminal").hint("run `mydex demo --headless`")
        );
    }
    let sandbox = tokio::select! {
        sandbox = start_server(&args) => sandbox?,
        () = context.cancel.cancelled() => return Ok(Outcome::Interrupted),
    };
    let outcome = with_server(context, &args, &sandbox).await;
    let ended = sandbox
        .stop()
        .await
        .map_err(|error| Error::from_chain(&error));
    let outcome = outcome?;
    ended?;
    Ok(outcome)
}

async fn start_server(args: &Args) -> Result<Sandbox, Error> {
    let options = Options {
        mysqld: args.mysqld.clone(),
        buffer_pool_mib: 512,
        ..Options::default()
    };
    let mut steps = super::steps::Steps::new();
    let started = Sandbox::start(&options, &mut |progress| steps.show(progress)).await;
    steps.finish();
    started.map_err(|error| sandbox::explain(&error))
}

async fn with_server(context: &Context, args: &Args, sandbox: &Sandbox) -> Result<Outcome, Error> {
    let pack = probe::pack(PACK)?;
    let server = sandbox.endpoint().server("demo");
    let options = server::options(&server);
    let loaded = load_data(context, args, &pack, &options).await?;
    if loaded.state == LoadState::Interrupted {
        return Ok(Outcome::Interrupted);
    }
    let stop = context.cancel.child_token();
    let source = source(context, args, pack, &server);
    let begun = source.begin(&stop).await?;
    if args.headless {
        return headless(context, args, &server, &loaded, begun, stop).await;
    }
    message("starting the dashboard; q ends everything");
    let limit = args.duration.map(|limit| end_after(limit, stop.clone()));
    let driving = Driving {
        source,
        begun: Some(begun),
        baseline: args.look.baseline.clone(),
    };
    let shown = dashboard::show(context, &server, driving, stop.clone()).await;
    let by_itself = limit.is_some_and(|limit| limit.is_finished());
    stop.cancel();
    let (outcome, driven) = shown?;
    message(&format!(
        "drove {} operations; the server and its data are removed",
        units::count(driven as f64),
    ));
    match outcome {
        Outcome::Interrupted if by_itself => Ok(Outcome::Fine),
        outcome => Ok(outcome),
    }
}

async fn load_data(
    context: &Context,
    args: &Args,
    pack: &Pack,
    options: &MySqlConnectOptions,
) -> Result<LoadReport, Error> {
    message(&format!("loading pack `{PACK}` at scale {}", args.scale));
    let plan = LoadPlan {
        database: PACK.to_owned(),
        scale: args.scale,
        seed: args.seed,
        connections: 4,
        batch: 1_000,
        force: false,
        beside_others: false,
    };
    let mut shown = probe::load::Shown::new();
    let result = load(
        options.clone(),
        pack,
        plan,
        |at| shown.show(&at),
        context.cancel.clone(),
    )
    .await;
    shown.end();
    let report = result.map_err(|error| Error::from_chain(&error))?;
    message(&format!(
        "loaded {} rows in {}",
        units::count(report.written as f64),
        units::duration(report.elapsed)
    ));
    Ok(report)
}

/// The load of the demo, over the same kind of connection that an application would use.
fn source(context: &Context, args: &Args, pack: Pack, server: &Server) -> Source {
    Source {
        data: Some((args.seed, args.scale)),
        seed: args.seed,
        rate: args.rate,
        connections: args.concurrency,
        options: server::options(server),
        ..Source::of_server(context.settings(), server, pack, None, false)
    }
}

fn end_after(limit: Duration, stop: CancellationToken) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        tokio::time::sleep(limit).await;
        stop.cancel();
    })
}

/// Drives the load for its time beside one long interval of the server, then prints both.
async fn headless(
    context: &Context,
    args: &Args,
    server: &Server,
    loaded: &LoadReport,
    begun: Begun,
    stop: CancellationToken,
) -> Result<Outcome, Error> {
    let (engine, mut ticks) = (begun.engine, begun.ticks);
    let duration = args.duration.unwrap_or(Duration::from_secs(30));
    message(&format!("driving load for {}", units::duration(duration)));
    // Nobody looks at the windows, but a full channel would be counted as windows dropped.
    let drain = tokio::spawn(async move { while ticks.recv().await.is_some() {} });
    let window = async {
        tokio::select! {
            () = tokio::time::sleep(duration) => {}
            () = context.cancel.cancelled() => {}
        }
    };
    let seen = once(server, &context.settings().monitor, window).await;
    stop.cancel();
    let report = engine
        .finish()
        .await
        .map_err(|error| Error::from_chain(&error))?;
    drain.abort();
    let seen = seen?;
    let pack = probe::pack(PACK)?;
    let levels = summary::service_levels(&context.settings().slo, &pack, &report, &seen.interval);
    context.emit(
        &summary::document(loaded, &report, &seen, &levels),
        &summary::json(loaded, &report, &seen, levels),
    )?;
    Ok(if context.cancel.is_cancelled() {
        Outcome::Interrupted
    } else {
        Outcome::Fine
    })
}
