//! The pools of applications as the server sees them.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::model::units;
use crate::tui::model::{Model, PoolGroup, pool_groups};
use crate::tui::paint::Canvas;

/// Sessions by account and schema: the pools of applications as the server sees them.
pub(super) fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let Some(interval) = &model.shown().interval else {
        canvas.rule(area.x, area.y, area.width, "Application pools", "no server");
        return;
    };
    let groups = pool_groups(&interval.sessions);
    let title = format!("Application pools at {}", model.clock(interval.to));
    canvas.rule(
        area.x,
        area.y,
        area.width,
        &title,
        &format!("{} pools", groups.len()),
    );
    let theme = canvas.theme;
    let all = [
        ("act", 4_u16),
        ("idle", 5),
        ("trx!", 5),
        ("wait", 5),
        ("oldest", 7),
    ];
    let numbers = if area.width < 60 { &all[..4] } else { &all[..] };
    let fixed: u16 = numbers.iter().map(|(_, columns)| columns).sum();
    let name = area.width.saturating_sub(fixed + 2);
    canvas.tint(Rect::new(area.x, area.y + 1, area.width, 1), theme.head);
    canvas.put(area.x + 1, area.y + 1, name, "account / schema", theme.head);
    let mut x = area.x + 1 + name;
    for (title, columns) in numbers {
        canvas.put_right(x, area.y + 1, *columns, title, theme.head);
        x += columns;
    }
    let room = usize::from(area.height.saturating_sub(2));
    let shown = if groups.len() > room {
        room.saturating_sub(1)
    } else {
        groups.len()
    };
    for (y, group) in (area.y + 2..area.bottom()).zip(groups.iter().take(shown)) {
        group_row(
            canvas,
            group,
            numbers,
            name,
            Rect::new(area.x, y, area.width, 1),
        );
    }
    if groups.len() > shown && room > 0 {
        let rest = &groups[shown..];
        let sessions: usize = rest.iter().map(|group| group.all).sum();
        let text = format!("and {} more with {sessions} sessions", rest.len());
        canvas.put(
            area.x + 1,
            area.bottom() - 1,
            area.width - 1,
            &text,
            theme.dim,
        );
    }
}

fn group_row(
    canvas: &mut Canvas<'_>,
    group: &PoolGroup,
    numbers: &[(&str, u16)],
    name: u16,
    area: Rect,
) {
    let theme = canvas.theme;
    let text = format!("{} {}", group.account, group.schema);
    canvas.put(
        area.x + 1,
        area.y,
        name.saturating_sub(1),
        &text,
        theme.text,
    );
    let idle = group.all - group.active - group.idle_in_transaction;
    let oldest = group
        .oldest_transaction
        .map_or_else(|| "-".to_owned(), units::duration);
    let quiet = |n: usize, style: Style| if n == 0 { theme.dim } else { style };
    let values = [
        (group.active.to_string(), quiet(group.active, theme.strong)),
        (idle.to_string(), theme.dim),
        (
            group.idle_in_transaction.to_string(),
            quiet(group.idle_in_transaction, theme.warn),
        ),
        (group.waiting.to_string(), quiet(group.waiting, theme.bad)),
        (oldest, theme.text),
    ];
    let mut x = area.x + 1 + name;
    for ((text, style), (_, columns)) in values.into_iter().zip(numbers) {
        canvas.put_right(x, area.y, *columns, &text, style);
        x += columns;
    }
}
