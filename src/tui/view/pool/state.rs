//! Whether a load runs, and how to begin one.

use ratatui::layout::Rect;

use crate::model::units;
use crate::tui::keys::Action;
use crate::tui::model::{Model, Phase};
use crate::tui::paint::Canvas;

/// One line: the state of the load while no window of it is new.
pub(super) fn line(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let theme = canvas.theme;
    let key = model.keys.first(Action::SwitchLoad);
    let offer = model.config.offer.as_ref();
    let (mark, style, text) = match model.load.phase {
        Phase::Beginning => {
            let text = "beginning: reading which data is loaded, opening connections";
            (
                super::super::chrome::spinner(canvas, model),
                theme.strong,
                text.to_owned(),
            )
        }
        Phase::Ending => {
            let text = "ending: what is in flight has a second to end";
            (
                super::super::chrome::spinner(canvas, model),
                theme.strong,
                text.to_owned(),
            )
        }
        Phase::On => (canvas.g.live, theme.good, "running".to_owned()),
        Phase::Off => {
            let (mark, style, ended) = match &model.load.ended {
                Some((Ok(done), at)) => (
                    canvas.g.dot,
                    theme.strong,
                    format!("ended {}: {done}", model.clock(*at)),
                ),
                Some((Err(reason), at)) => (
                    canvas.g.warn,
                    theme.bad,
                    format!("failed {}: {reason}", model.clock(*at)),
                ),
                None => (canvas.g.dot, theme.dim, "none".to_owned()),
            };
            let begins = match offer {
                None => "there is none to begin here".to_owned(),
                Some(offer) if offer.refusal.is_some() => "read-only: none can be begun".to_owned(),
                Some(offer) if offer.is_private => format!("{key} begins it again"),
                Some(offer) => {
                    let rate: f64 = offer.probes.iter().map(|probe| probe.rate).sum();
                    format!(
                        "{key} runs pack {} here: {} probes, {}/s; asks first",
                        offer.pack,
                        offer.probes.len(),
                        units::count(rate)
                    )
                }
            };
            let text = match &model.load.ended {
                // The reason of a failure comes before what may be tried again.
                Some((Err(_), _)) | None => format!("{ended}; {begins}"),
                Some((Ok(_), _)) => format!("{begins}; {ended}"),
            };
            (mark, style, text)
        }
    };
    canvas.spans(
        area.x + 1,
        area.y,
        area.width.saturating_sub(1),
        &[
            ("Load ", theme.title),
            (mark, style),
            (" ", style),
            (&text, style),
        ],
    );
}
