//! View 7: a load that is begun, steered and ended, and a baseline beside it.

use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;

use super::fixture;
use super::stage::Stage;
use crate::model::feed::{Feed, LoadNews, LoadOffer, LoadRequest, OfferedProbe, Request};
use crate::model::probe::latencies;
use crate::model::recorded::{RecordedLoad, RecordedProbe};
use crate::tui::message::{Effect, Message};
use crate::tui::model::Phase;
use crate::tui::settings::TuiConfig;

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (160, 45);

/// What was asked of whoever drives the load.
fn asked(stage: &mut Stage) -> Vec<LoadRequest> {
    stage
        .effects
        .drain(..)
        .filter_map(|effect| match effect {
            Effect::Request(Request::Load(request)) => Some(request),
            _ => None,
        })
        .collect()
}

fn rates(stage: &mut Stage) -> Vec<Arc<[f64]>> {
    asked(stage)
        .into_iter()
        .map(|request| match request {
            LoadRequest::Rates(rates) => rates,
            other => panic!("{other:?}"),
        })
        .collect()
}

pub(super) fn offer() -> LoadOffer {
    let probes = fixture::load(0).probes;
    LoadOffer {
        pack: "cmdb".to_owned(),
        schema: "cmdb".to_owned(),
        place: "cmdb-prod:3306".to_owned(),
        connections: 16,
        probes: probes
            .iter()
            .map(|probe| OfferedProbe {
                name: Arc::clone(&probe.name),
                is_write: probe.is_write,
                rate: 25.0,
                statements: vec!["SELECT ?".into()],
            })
            .collect(),
        is_private: false,
        refusal: None,
    }
}

fn with(size: (u16, u16), offer: LoadOffer, with_load: bool) -> Stage {
    let config = TuiConfig {
        offer: Some(Arc::new(offer)),
        ..TuiConfig::default()
    };
    let mut stage = Stage::with(size, config).play(with_load);
    stage.press("7");
    stage.effects.clear();
    stage
}

/// The load's next window has these rates.
fn in_force(stage: &mut Stage, second: i64, rates: &Arc<[f64]>) {
    let mut tick = fixture::load(second);
    tick.rates.now = Arc::clone(rates);
    tick.rates.changed = Some(fixture::at(second - 1));
    tick.window = Duration::from_millis(740);
    stage.time(second);
    stage.feed(Feed::Load(Arc::new(tick)));
}

pub(super) fn recorded() -> RecordedLoad {
    let mut probes = std::collections::BTreeMap::new();
    for (n, probe) in fixture::load(3).probes.iter().enumerate() {
        if n == 4 {
            continue;
        }
        let mut service = latencies();
        for value in probe.service.iter_recorded() {
            let nanos = value.value_iterated_to() * if n == 2 { 3 } else { 1 };
            service.record_n(nanos, value.count_at_value()).unwrap();
        }
        let recorded = RecordedProbe {
            service: (n != 7).then_some(service),
            rows_examined: Some(12.0 * (n + 1) as f64),
        };
        probes.insert(Arc::clone(&probe.name), recorded);
    }
    RecordedLoad {
        file: "baselines/cmdb.json".to_owned(),
        data: "cmdb version 1, seed 1, scale 1".to_owned(),
        version: "8.4.6".to_owned(),
        seconds: Some(20.0),
        probes,
        lacks: Vec::new(),
    }
}

#[test]
fn a_load_on_a_server_begins_after_a_typed_word_only() {
    let mut stage = with(SMALL, offer(), false);
    assert_snapshot!("pool_offer", stage.text());
    stage.press("S");
    assert_snapshot!("load_question", stage.picture());
    stage.press("y<enter>");
    assert_eq!(asked(&mut stage), []);
    stage.says("no load was begun");
    stage.press("S<esc>Srunn<enter>");
    assert_eq!(asked(&mut stage), []);
    stage.press("Srun<enter>");
    assert_eq!(asked(&mut stage), [LoadRequest::Begin]);
    stage.feed(Feed::Driving(LoadNews::Beginning));
    stage.says("beginning: reading which data is loaded");
    let reason = "pack `cmdb` is not loaded in schema `cmdb`; load it with `mydex probe load cmdb`";
    stage.feed(Feed::Driving(LoadNews::Ended(Err(reason.to_owned()))));
    stage.says("failed 10:42:07: pack `cmdb` is not loaded");
    // Again, and ended before its first window.
    stage.press("Srun<enter>S");
    assert_eq!(asked(&mut stage), [LoadRequest::Begin, LoadRequest::End]);
    stage.says("ending");
    stage.feed(Feed::Driving(LoadNews::Ended(Ok("nothing".to_owned()))));
    assert_eq!(stage.model.load.phase, Phase::Off);
}

#[test]
fn read_only_begins_nothing_and_a_private_server_needs_no_question() {
    let mut refused = offer();
    refused.refusal = Some("read-only: mydex drives no load here".to_owned());
    let mut stage = with(SMALL, refused, false);
    stage.says("read-only: none can be begun");
    stage.press("S");
    stage.says("read-only: mydex drives no load here");
    stage.press("run<enter>y");
    assert_eq!(asked(&mut stage), []);
    let mut private = offer();
    private.is_private = true;
    let mut stage = with(SMALL, private, true);
    stage.press("S");
    assert_eq!(asked(&mut stage), [LoadRequest::End]);
    stage.feed(Feed::Driving(LoadNews::Ended(Ok(
        "1.2K operations in 41s, 1.2K completed, 0 not".to_owned(),
    ))));
    assert_snapshot!("load_ended", stage.text());
    stage.press("S");
    assert_eq!(asked(&mut stage), [LoadRequest::Begin]);
    // Without an offer there is nothing to begin.
    let mut stage = Stage::played(SMALL, false);
    stage.press("7S");
    assert_eq!(asked(&mut stage), []);
    stage.says("no load to begin here");
}

#[test]
fn a_probe_stops_starts_and_changes_its_rate() {
    let mut stage = with(SMALL, offer(), true);
    // The slowest probe is at the top: vpcs_by_tag, the fifth, at 8/s.
    stage.press("s");
    let stopped = rates(&mut stage);
    assert_eq!(
        (stopped.len(), stopped[0][4], stopped[0][0]),
        (1, 0.0, 180.0)
    );
    stage.says("vpcs_by_tag: stopped, was 8/s; u takes it back");
    stage.says("0?");
    in_force(&mut stage, 8, &stopped[0]);
    stage.says("off");
    stage.says("rates since 10:42:07");
    assert_snapshot!("load_stopped_80x24", stage.picture());
    stage.press("s]][");
    let steps: Vec<f64> = rates(&mut stage).iter().map(|rates| rates[4]).collect();
    assert_eq!(steps, [8.0, 10.0, 15.0, 10.0]);
    stage.press("e25<enter>ex2<enter>e50%<enter>r");
    let typed: Vec<f64> = rates(&mut stage).iter().map(|rates| rates[4]).collect();
    assert_eq!(typed, [25.0, 50.0, 25.0, 8.0]);
    stage.press("uuuuuuuuuuuu");
    let back: Vec<f64> = rates(&mut stage).iter().map(|rates| rates[4]).collect();
    assert_eq!(back, [25.0, 50.0, 25.0, 10.0, 15.0, 10.0, 8.0, 0.0, 8.0]);
    stage.says("no change of rates to take back");
    stage.press("eplenty<enter>");
    stage.says("`plenty` is no rate");
    stage.press("e-1<enter>e2e6<enter>");
    assert!(rates(&mut stage).is_empty());
}

#[test]
fn all_probes_change_together_and_far_more_is_asked_about() {
    let mut stage = with(LARGE, offer(), true);
    stage.press("}{E898<enter>Ex2<enter>");
    let sums: Vec<f64> = rates(&mut stage)
        .iter()
        .map(|rates| rates.iter().sum::<f64>().round())
        .collect();
    assert_eq!(sums, [561.0, 449.0, 898.0, 1_796.0]);
    stage.press("E10000<enter>");
    assert_eq!(asked(&mut stage), []);
    stage.says("Drive 10");
    stage.press("n");
    assert_eq!(asked(&mut stage), []);
    stage.press("E10000<enter>y");
    let far = rates(&mut stage);
    assert!((far[0].iter().sum::<f64>() - 10_000.0).abs() < 1e-6);
    stage.press("E1000000<enter>y}");
    let limit = rates(&mut stage);
    assert_eq!(limit.len(), 1);
    stage.says("above the limit of 1");
    stage.press("E0<enter>");
    let stopped = rates(&mut stage);
    assert!(stopped[0].iter().all(|rate| *rate <= 0.0));
    in_force(&mut stage, 8, &stopped[0]);
    stage.says("0/s");
    stage.press("E100<enter>P");
    let again = rates(&mut stage);
    assert!((again[0].iter().sum::<f64>() - 100.0).abs() < 1e-6);
    assert_eq!((again[1][0], again[1][4]), (180.0, 8.0));
}

#[test]
fn what_was_not_taken_is_taken_back() {
    let mut stage = with(SMALL, offer(), true);
    stage.press("]");
    assert_eq!(rates(&mut stage).len(), 1);
    stage.feed(Feed::Driving(LoadNews::Refused(
        "the load has ended".to_owned(),
    )));
    stage.says("rates not changed: the load has ended");
    assert!(stage.model.load.wanted.is_none());
    stage.press("u");
    assert!(rates(&mut stage).is_empty());
    stage.press("]");
    let asked = rates(&mut stage);
    stage.tell(Message::Refused(Request::Load(LoadRequest::Rates(
        Arc::clone(&asked[0]),
    ))));
    assert!(stage.model.load.wanted.is_none());
}

#[test]
fn a_recorded_baseline_stands_beside_the_interval() {
    for (size, name) in [(SMALL, "baseline_80x24"), (LARGE, "baseline_160x45")] {
        let mut stage = with(size, offer(), true);
        stage.press("b");
        stage.says(":baseline");
        stage.press("baselines/cmdb.json<enter>");
        assert_eq!(
            asked(&mut stage),
            [LoadRequest::Baseline("baselines/cmdb.json".to_owned())]
        );
        stage.feed(Feed::Driving(LoadNews::Baseline {
            file: "baselines/cmdb.json".to_owned(),
            result: Ok(Arc::new(recorded())),
        }));
        assert_snapshot!(name, stage.picture());
        stage.says("it lacks 1 of these probes");
        // Every column sorts, and hiding it brings the other columns back.
        for _ in 0..14 {
            stage.press(">");
        }
        stage.press("b");
        stage.says("resp p95");
        stage.press("b");
        stage.says("was p95");
    }
}

#[test]
fn a_baseline_that_is_none_or_lacks_something_is_told() {
    let mut stage = with(LARGE, offer(), true);
    stage.feed(Feed::Driving(LoadNews::Baseline {
        file: "a.json".to_owned(),
        result: Err("`a.json` is no baseline: line 1\x1b[2J, column 2".to_owned()),
    }));
    stage.says("no baseline from a.json");
    assert!(!stage.model.load.shows_baseline);
    let mut bare = recorded();
    bare.seconds = None;
    bare.lacks = vec!["no times: record it again with `--timed TIME`".to_owned()];
    for probe in bare.probes.values_mut() {
        probe.service = None;
    }
    stage.feed(Feed::Driving(LoadNews::Baseline {
        file: "a.json".to_owned(),
        result: Ok(Arc::new(bare)),
    }));
    stage.says("it has no times: record it");
    stage.says("not timed");
}
