//! What surrounds every view: the first line, tabs, banners, the message line and the keys.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::model::feed::Link;
use crate::model::status::Var;
use crate::model::units;
use crate::tui::history::elapsed;
use crate::tui::keys::Action;
use crate::tui::message::Target;
use crate::tui::model::{Model, NOTE_TIME, Phase, Tone, View};
use crate::tui::paint::{Canvas, width};

/// How long a break in the counting stays on the screen.
const GAP_TIME: u32 = 8;

/// Draws the frame and returns what is left for the view.
pub(super) fn frame(canvas: &mut Canvas<'_>, model: &Model) -> Rect {
    let area = canvas.area();
    status(canvas, model, area.y);
    tabs(canvas, model, area.y + 1);
    let mut top = area.y + 2;
    let most = if model.maximised { 1 } else { area.height / 6 };
    let banners = banners(model, canvas);
    for (text, style) in banners.iter().take(usize::from(most.max(1))) {
        let text = format!(" {} {text}", canvas.g.warn);
        let row = Rect::new(area.x, top, area.width, 1);
        canvas.tint(row, *style);
        canvas.put(area.x, top, area.width, &text, *style);
        top += 1;
    }
    let mut bottom = area.bottom() - 1;
    footer(canvas, model, bottom);
    if model.note_shown
        && let Some(note) = model.notes.back()
    {
        bottom -= 1;
        let (mark, style) = match note.tone {
            Tone::Info => (canvas.g.dot, canvas.theme.accent),
            Tone::Good => (canvas.g.yes, canvas.theme.good),
            Tone::Bad => (canvas.g.warn, canvas.theme.bad),
        };
        let text = format!(" {mark} {}", note.text);
        canvas.put(area.x, bottom, area.width, &text, style);
    }
    Rect::new(area.x, top, area.width, bottom.saturating_sub(top))
}

fn status(canvas: &mut Canvas<'_>, model: &Model, y: u16) {
    let area = canvas.area();
    let bar = canvas.theme.bar;
    canvas.tint(Rect::new(area.x, y, area.width, 1), bar);
    let right = state_parts(canvas, model);
    let right_width: u16 = right.iter().map(|(text, _)| width(text)).sum();
    let mut at = area.right().saturating_sub(right_width);
    let room = at.saturating_sub(area.x + 1);
    for (text, style) in &right {
        at += canvas.put(at, y, area.right() - at, text, *style);
    }
    let strong = bar.patch(canvas.theme.strong);
    let mut x = area.x;
    x += canvas.put(x, y, room, " mydex ", strong.patch(canvas.theme.title));
    let limit = area.x + room;
    let mut parts = vec![(model.config.title.clone(), bar)];
    if let Some(facts) = &model.facts {
        parts = vec![
            (facts.name.clone(), strong),
            (format!("MySQL {}", facts.version), bar),
            (
                format!("up {}", units::duration(elapsed(facts.started, model.now))),
                bar,
            ),
        ];
        parts.push(match facts.tls_cipher {
            Some(_) => ("TLS".to_owned(), bar),
            None => ("no TLS".to_owned(), bar.patch(canvas.theme.warn)),
        });
        if model.config.read_only {
            parts.push(("read-only".to_owned(), bar));
        }
    } else if model.config.title == "mydex" {
        parts.clear();
    }
    for (text, style) in parts {
        if x + width(&text) + 1 < limit || x < area.x + 8 {
            x += canvas.put(x, y, limit.saturating_sub(x), &format!(" {text} "), style);
        }
    }
}

/// The right end of the first line: the state of the link, the time of the data, the interval.
fn state_parts(canvas: &Canvas<'_>, model: &Model) -> Vec<(String, Style)> {
    let theme = &canvas.theme;
    let bar = theme.bar;
    let mut parts = Vec::new();
    if let Some(frozen) = &model.frozen {
        parts.push((format!(" PAUSED {} ", model.clock(frozen.at)), theme.alarm));
    }
    let (word, style) = match (&model.link, model.stale()) {
        (Link::Connecting, _) if !model.config.steps.is_empty() && model.is_empty() => {
            ("starting", bar.patch(theme.warn))
        }
        (Link::Connecting, _) if model.live.load.is_none() => ("connecting", bar.patch(theme.warn)),
        (Link::Connecting, _) => ("", bar),
        (Link::Down { .. }, _) => ("DOWN", theme.alarm),
        (Link::Stalled(_), _) => ("STALLED", theme.alarm),
        (Link::Up(_), Some(_)) => ("STALE", theme.alarm),
        (Link::Up(_), None) => ("live", bar.patch(theme.good)),
    };
    let last = model.live.interval.as_ref().map(|interval| interval.to);
    let last = last.max(model.live.load.as_ref().map(|tick| tick.to));
    if !word.is_empty() {
        parts.push((format!(" {} {word} ", canvas.g.live), style));
    }
    if let Some(at) = last {
        parts.push((format!(" {} ", model.clock(at)), bar));
    }
    parts.push((format!("every {} ", short(model.interval)), bar));
    parts
}

/// A round interval in few characters: `1s`, `500ms`, `1m`.
pub(super) fn short(interval: std::time::Duration) -> String {
    let ms = interval.as_millis();
    match ms {
        _ if ms.is_multiple_of(60_000) && ms > 0 => format!("{}m", ms / 60_000),
        _ if ms.is_multiple_of(1_000) => format!("{}s", ms / 1_000),
        _ => format!("{ms}ms"),
    }
}

fn tabs(canvas: &mut Canvas<'_>, model: &Model, y: u16) {
    let area = canvas.area();
    let remarks = remarks(model).join("  ");
    let long: u16 = View::ALL.iter().map(|view| width(view.tab().1) + 5).sum();
    // Where not all of it fits, what is filtered matters more than the names of the views.
    let is_narrow = area.width < 60 || long + width(&remarks) > area.width;
    let short: u16 = View::ALL.iter().map(|view| width(view.tab().2) + 4).sum();
    let mut x = area.x;
    for view in View::ALL {
        let (digit, long, abbreviated) = view.tab();
        let title = if is_narrow { abbreviated } else { long };
        let is_open = *view == model.view;
        // Brackets tell the open tab without colours.
        let text = if is_open {
            format!("[{digit} {title}]")
        } else if short > area.width {
            format!(" {digit} ")
        } else {
            format!(" {digit} {title} ")
        };
        let style = if is_open {
            canvas.theme.tab
        } else {
            canvas.theme.text
        };
        let used = canvas.put(x, y, area.right().saturating_sub(x), &text, style);
        canvas.hit(Rect::new(x, y, used, 1), Target::Tab(*view));
        x += used + u16::from(!is_narrow);
    }
    let room = area.right().saturating_sub(x + 1);
    let style = canvas.theme.warn;
    canvas.put_right(x, y, room, &remarks, style);
}

/// What is switched on in this view.
fn remarks(model: &Model) -> Vec<String> {
    let list = model.list();
    let mut remarks = Vec::new();
    if model.view != View::Overview && !list.filter.is_empty() {
        remarks.push(format!("filter: {}", list.filter.raw()));
    }
    if list.follow {
        remarks.push("following".to_owned());
    }
    if !model.tags.is_empty() {
        remarks.push(format!("{} tagged", model.tags.len()));
    }
    remarks
}

/// What can't be seen or is at risk, the worst first.
fn banners(model: &Model, canvas: &Canvas<'_>) -> Vec<(String, Style)> {
    let theme = &canvas.theme;
    let mut banners = Vec::new();
    let last = model
        .live
        .interval
        .as_ref()
        .map(|interval| format!("; last data {}", model.clock(interval.to)))
        .unwrap_or_default();
    match &model.link {
        Link::Down {
            reason,
            since,
            retry_in,
        } => {
            let passed = elapsed(model.link_since, model.now);
            let retry = match retry_in.checked_sub(passed) {
                Some(left) if left.as_secs() > 0 => format!("next try in {}s", left.as_secs()),
                _ => "trying again now".to_owned(),
            };
            let text = format!(
                "no connection since {}, {retry}: {reason}{last}",
                model.clock(*since)
            );
            banners.push((text, theme.alarm));
        }
        Link::Stalled(silence) => {
            let text = format!("no answer for {} s{last}", silence.as_secs());
            banners.push((text, theme.alarm));
        }
        Link::Up(_) => {
            if let Some(age) = model.stale() {
                let text = format!("no new data for {} s{last}", age.as_secs());
                banners.push((text, theme.alarm));
            }
        }
        Link::Connecting => {}
    }
    if let Some(gap) = &model.gap
        && elapsed(gap.at, model.now) < NOTE_TIME * GAP_TIME
    {
        banners.push((
            format!("{}: {}", model.clock(gap.at), gap.text),
            theme.banner,
        ));
    }
    banners.extend(limits(model).into_iter().map(|text| (text, theme.banner)));
    banners
}

fn limits(model: &Model) -> Vec<String> {
    let mut limits = Vec::new();
    if let Some(digests) = &model.shown().digests {
        if let Some(lost) = &digests.lost
            && lost.calls > 0
        {
            let share = super::share_text(lost.time_ps, digests.total.time_ps);
            limits.push(format!(
                "{share} of the statement time is in lost digests: raise performance_schema_digests_size"
            ));
        } else if let Some(capacity) = digests.capacity
            && capacity > 0
            && digests.rows.saturating_mul(10) >= capacity.saturating_mul(9)
        {
            limits.push(format!(
                "digest table {} of {} full: new statements will soon be lost",
                digests.rows, capacity
            ));
        }
    }
    if let Some(interval) = &model.shown().interval {
        if interval
            .growth(Var::ConnectionErrorsMaxConnections)
            .is_some_and(|n| n > 0)
        {
            limits.push("connections were refused: max_connections is reached".to_owned());
        }
        limits.extend(interval.missing.iter().cloned());
    }
    if let Some(facts) = &model.facts {
        limits.extend(facts.limits.iter().cloned());
    }
    limits
}

fn footer(canvas: &mut Canvas<'_>, model: &Model, y: u16) {
    let area = canvas.area();
    let scope = model.scope();
    let mut x = area.x + 1;
    let mut shown: Vec<(String, &str)> = Vec::new();
    for action in Action::ALL {
        let word = action.footer();
        if word.is_empty() || action.scopes() & scope == 0 {
            continue;
        }
        let is_idle = match action {
            Action::KillQuery | Action::KillConnection => model.config.read_only,
            Action::Advise | Action::AdviseQuery => model.advisor.run.is_some(),
            Action::StopAdvisor => model.advisor.run.is_none(),
            Action::WriteDefinition => model.advice_rows.is_empty(),
            Action::AdviceNotes => model.shown().advice.is_none(),
            Action::ApplyDefinition | Action::RollBack | Action::HideIndex | Action::ShowIndex => {
                is_beside_the_point(model, *action)
            }
            Action::StopChange => model.indexes.run.is_none(),
            Action::IndexNotes => model.shown().indexes.is_none(),
            Action::ToggleProbe
            | Action::SlowerProbe
            | Action::FasterProbe
            | Action::ProbeRate
            | Action::SlowerLoad
            | Action::FasterLoad
            | Action::UndoRates => model.rates().is_none(),
            Action::SwitchLoad => model.load.phase == Phase::Off && model.config.offer.is_none(),
            Action::Baseline => model.shown().load.is_none(),
            _ => false,
        };
        if is_idle {
            continue;
        }
        let key = model.keys.first(*action);
        match shown.last_mut() {
            Some((keys, last)) if *last == word => keys.push_str(&key),
            _ => shown.push((key, word)),
        }
    }
    // Help and quit stand at the right end on every screen; the rest is cut there.
    let known = shown.len().min(2);
    let rest = shown.split_off(known);
    let (key_style, dim) = (canvas.theme.key, canvas.theme.dim);
    let size = |(key, word): &(String, &str)| width(key) + width(word) + 3;
    let mut right = area.right().saturating_sub(shown.iter().map(size).sum());
    let limit = right;
    for (key, word) in &shown {
        let parts = [(key.as_str(), key_style), (" ", dim), (*word, dim)];
        right = canvas.spans(right, y, area.right() - right, &parts) + 2;
    }
    for (key, word) in &rest {
        let needed = width(key) + width(word) + 3;
        if x + needed > limit {
            break;
        }
        let parts = [(key.as_str(), key_style), (" ", dim), (*word, dim)];
        x = canvas.spans(x, y, needed, &parts) + 2;
    }
}

/// Whether a change of indexes can't be asked for now, so that its key is left out.
fn is_beside_the_point(model: &Model, action: Action) -> bool {
    if model.config.read_only || model.indexes.run.is_some() {
        return true;
    }
    let Some(entry) = model.chosen_index() else {
        return true;
    };
    let is_visible = entry.facts().map(|facts| facts.verdict.index.is_visible);
    match action {
        Action::ApplyDefinition => entry.to_apply().is_none(),
        Action::RollBack => entry.to_roll_back().is_none(),
        Action::HideIndex => is_visible != Some(true) || entry.visibility().is_none(),
        _ => is_visible != Some(false) || entry.visibility().is_none(),
    }
}

/// The screen before the first data: the steps of the start, or the state of the connection.
pub(super) fn start(canvas: &mut Canvas<'_>, model: &Model, body: Rect) {
    let theme = canvas.theme;
    let x = body.x + body.width / 8;
    let columns = body.width - body.width / 8;
    let mut y = body.y + body.height / 5;
    canvas.put(x, y, columns, &model.config.title, theme.title);
    y += 2;
    let room = usize::from(body.bottom().saturating_sub(y + 2)).max(1);
    let steps = &model.config.steps;
    let skipped = steps.len().saturating_sub(room);
    for (n, step) in steps.iter().enumerate().skip(skipped) {
        let is_last = n + 1 == steps.len();
        let (mark, style) = if is_last {
            (spinner(canvas, model), theme.strong)
        } else {
            (canvas.g.yes, theme.dim)
        };
        canvas.put(x, y, columns, &format!("{mark} {step}"), style);
        y += 1;
    }
    let text = match &model.link {
        Link::Connecting if steps.is_empty() => {
            format!("{} connecting", spinner(canvas, model))
        }
        Link::Up(facts) => format!(
            "connected to {}; waiting for the first interval",
            facts.name
        ),
        _ => String::new(),
    };
    canvas.put(x, y + 1, columns, &text, theme.dim);
}

pub(super) fn spinner(canvas: &Canvas<'_>, model: &Model) -> &'static str {
    const UNICODE: [&str; 4] = ["◐", "◓", "◑", "◒"];
    const ASCII: [&str; 4] = ["|", "/", "-", "\\"];
    let frames = if canvas.g.is_ascii { ASCII } else { UNICODE };
    let phase = usize::try_from(model.elapsed.as_millis() / 250 % 4).unwrap_or(0);
    frames[phase]
}
