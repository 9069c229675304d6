//! The advisor's side of a stage: what it is asked, what it tells.

use std::sync::Arc;

use super::stage::Stage;
use crate::model::advice::Advice;
use crate::model::feed::{AdvisorNews, AdvisorRequest, Feed, Request};
use crate::tui::message::Effect;

pub(super) const SMALL: (u16, u16) = (80, 24);
pub(super) const LARGE: (u16, u16) = (120, 40);

/// What the advisor was asked since the last time.
pub(super) fn asked(stage: &mut Stage) -> Vec<AdvisorRequest> {
    stage
        .effects
        .drain(..)
        .filter_map(|effect| match effect {
            Effect::Request(Request::Advisor(request)) => Some(request),
            _ => None,
        })
        .collect()
}

/// The advisor tells how far it is.
pub(super) fn working(stage: &mut Stage, step: &str, share: Option<f64>) {
    stage.feed(Feed::Advisor(AdvisorNews::Working {
        step: step.to_owned(),
        share,
    }));
}

/// The advisor has its answer.
pub(super) fn done(stage: &mut Stage, advice: Advice) -> Arc<Advice> {
    let advice = Arc::new(advice);
    stage.feed(Feed::Advisor(AdvisorNews::Done(Arc::clone(&advice))));
    advice
}

/// A stage with an advice that is two minutes old.
pub(super) fn advised(size: (u16, u16), advice: Advice) -> (Stage, Arc<Advice>) {
    let mut stage = Stage::played(size, false);
    stage.press("6a");
    let advice = done(&mut stage, advice);
    stage.effects.clear();
    stage.second(127, false);
    (stage, advice)
}

/// A name as it stands in the table, to look for a row.
pub(super) fn selected(stage: &Stage) -> String {
    let (_, one) = stage.model.chosen_recommendation().unwrap();
    one.index.name.clone()
}
