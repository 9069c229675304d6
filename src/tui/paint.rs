//! Drawing primitives. All text reaches the screen through [`Canvas::put`], which makes hostile
//! text harmless, cuts by display width, and keeps within the screen.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::message::Target;
use super::model::Model;
use super::theme::{Glyphs, Theme};
use crate::model::text;

/// A buffer with the styles and glyphs in force, and the places that can be clicked.
pub(super) struct Canvas<'a> {
    pub(super) buf: &'a mut Buffer,
    pub(super) theme: Theme,
    pub(super) g: &'static Glyphs,
    pub(super) hits: Vec<(Rect, Target)>,
    /// First line of the text that scrolls, where there is one.
    pub(super) first_line: Option<usize>,
}

/// Display width in columns.
pub(super) fn width(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

/// The text made harmless and cut to `columns`, with the ellipsis where something is missing.
pub(super) fn fit<'t>(raw: &'t str, columns: u16, g: &Glyphs) -> Cow<'t, str> {
    let limit = usize::from(columns);
    // A character takes at least one column or is escaped; more of them are never shown.
    let end = raw
        .char_indices()
        .nth(limit + 1)
        .map_or(raw.len(), |(at, _)| at);
    let more = end < raw.len();
    let mut safe = text::inline(&raw[..end]);
    if g.is_ascii && !safe.is_ascii() {
        safe = Cow::Owned(
            safe.chars()
                .map(|c| if c.is_ascii() { c } else { '?' })
                .collect(),
        );
    }
    if !more && safe.width() <= limit {
        return safe;
    }
    let room = limit.saturating_sub(g.ellipsis.width());
    let mut cut = String::new();
    let mut used = 0;
    for c in safe.chars() {
        used += c.width().unwrap_or(0);
        if used > room {
            break;
        }
        cut.push(c);
    }
    if limit > 0 {
        cut.push_str(g.ellipsis);
    }
    Cow::Owned(cut)
}

impl<'a> Canvas<'a> {
    pub(super) fn new(buf: &'a mut Buffer, model: &Model) -> Self {
        Self {
            buf,
            theme: model.theme,
            g: model.glyphs,
            hits: Vec::new(),
            first_line: None,
        }
    }

    pub(super) fn area(&self) -> Rect {
        self.buf.area
    }

    /// Writes at most `columns` columns of `text`; returns how many were used.
    pub(super) fn put(&mut self, x: u16, y: u16, columns: u16, text: &str, style: Style) -> u16 {
        let area = self.buf.area;
        if y < area.y || y >= area.bottom() || x < area.x || x >= area.right() || columns == 0 {
            return 0;
        }
        let columns = columns.min(area.right() - x);
        let text = fit(text, columns, self.g);
        let (end, _) = self
            .buf
            .set_stringn(x, y, &text, usize::from(columns), style);
        end - x
    }

    /// Writes flush right within `columns`.
    pub(super) fn put_right(&mut self, x: u16, y: u16, columns: u16, text: &str, style: Style) {
        let used = width(text).min(columns);
        self.put(x + columns - used, y, used, text, style);
    }

    /// Writes parts one after the other; returns the column after the last.
    pub(super) fn spans(&mut self, x: u16, y: u16, columns: u16, parts: &[(&str, Style)]) -> u16 {
        let end = x.saturating_add(columns);
        let mut at = x;
        for (text, style) in parts {
            at += self.put(at, y, end.saturating_sub(at), text, *style);
        }
        at
    }

    /// Lays a style over an area, leaving the text.
    pub(super) fn tint(&mut self, area: Rect, style: Style) {
        let area = area.intersection(self.buf.area);
        self.buf.set_style(area, style);
    }

    /// Empties an area.
    pub(super) fn clear(&mut self, area: Rect, style: Style) {
        let area = area.intersection(self.buf.area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                self.buf[(x, y)].reset();
            }
        }
        self.buf.set_style(area, style);
    }

    /// A rule with a title at the left and a remark at the right: `── Title ─────── remark ──`.
    pub(super) fn rule(&mut self, x: u16, y: u16, columns: u16, title: &str, remark: &str) {
        let (rule, head, dim) = (self.theme.rule, self.theme.title, self.theme.dim);
        for column in x..x.saturating_add(columns) {
            self.put(column, y, 1, self.g.horizontal, rule);
        }
        let title = format!(" {title} ");
        let used = self.put(x + 1, y, columns.saturating_sub(2), &title, head);
        let room = columns.saturating_sub(used + 4);
        if !remark.is_empty() && room > 8 {
            let remark = format!(" {} ", fit(remark, room.saturating_sub(2), self.g));
            self.put_right(x + 1, y, columns.saturating_sub(2), &remark, dim);
        }
    }

    /// A sparkline of the latest values, flush right; gaps are drawn as such.
    ///
    /// `floor` is the least value that fills the height.
    pub(super) fn spark(&mut self, area: Rect, values: &[f64], floor: f64, style: Style) {
        let top = values
            .iter()
            .copied()
            .filter(|v| v.is_finite())
            .fold(floor, f64::max);
        self.columns(area, values, top, style);
    }

    /// Columns of the latest values over an area, `top` reaching the upper edge.
    pub(super) fn columns(&mut self, area: Rect, values: &[f64], top: f64, style: Style) {
        let shown = &values[values.len().saturating_sub(usize::from(area.width))..];
        let missing = area
            .width
            .saturating_sub(u16::try_from(shown.len()).unwrap_or(u16::MAX));
        let dim = self.theme.dim;
        for (x, value) in (area.x + missing..).zip(shown) {
            if !value.is_finite() {
                self.put(x, area.bottom().saturating_sub(1), 1, self.g.gap, dim);
                continue;
            }
            let mut eighths = eighths(*value, top, area.height);
            for y in (area.top()..area.bottom()).rev() {
                let level = eighths.min(8);
                eighths -= level;
                if level > 0 {
                    self.put(x, y, 1, self.g.levels[level], style);
                }
            }
        }
    }

    /// A bar filled to `share` (0 to 1).
    pub(super) fn bar(&mut self, x: u16, y: u16, columns: u16, share: f64, style: Style) {
        let full = scaled(share, columns);
        for n in 0..columns {
            let (glyph, style) = if n < full {
                (self.g.bar_full, style)
            } else {
                (self.g.bar_empty, self.theme.rule)
            };
            self.put(x + n, y, 1, glyph, style);
        }
    }

    /// A framed box, emptied; returns its inside.
    pub(super) fn popup(&mut self, area: Rect, title: &str) -> Rect {
        let area = area.intersection(self.buf.area);
        let style = self.theme.popup;
        self.clear(area, style);
        if area.width < 4 || area.height < 3 {
            return area;
        }
        let (right, bottom) = (area.right() - 1, area.bottom() - 1);
        let border = style.patch(self.theme.accent);
        for x in area.x + 1..right {
            self.put(x, area.y, 1, self.g.horizontal, border);
            self.put(x, bottom, 1, self.g.horizontal, border);
        }
        for y in area.y + 1..bottom {
            self.put(area.x, y, 1, self.g.vertical, border);
            self.put(right, y, 1, self.g.vertical, border);
        }
        let [nw, ne, sw, se] = self.g.corners;
        for (x, y, corner) in [
            (area.x, area.y, nw),
            (right, area.y, ne),
            (area.x, bottom, sw),
            (right, bottom, se),
        ] {
            self.put(x, y, 1, corner, border);
        }
        let head = style.patch(self.theme.title);
        self.put(
            area.x + 2,
            area.y,
            area.width - 4,
            &format!(" {title} "),
            head,
        );
        Rect::new(area.x + 2, area.y + 1, area.width - 4, area.height - 2)
    }

    pub(super) fn hit(&mut self, area: Rect, target: Target) {
        self.hits.push((area, target));
    }
}

/// Height of a column in eighths of a row; what is not zero shows at least one.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is clamped to the height before"
)]
fn eighths(value: f64, top: f64, rows: u16) -> usize {
    if value <= 0.0 || top <= 0.0 {
        return 0;
    }
    let full = f64::from(rows) * 8.0;
    (value / top * full).round().clamp(1.0, full) as usize
}

/// `share` of `columns`, rounded; what is not zero shows at least one.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is clamped to the width before"
)]
pub(super) fn scaled(share: f64, columns: u16) -> u16 {
    if !share.is_finite() || share <= 0.0 || columns == 0 {
        return 0;
    }
    (share * f64::from(columns))
        .round()
        .clamp(1.0, f64::from(columns)) as u16
}

/// Breaks text into lines of at most `columns`, at spaces where there are any; the spaces at a
/// break are dropped.
pub(super) fn wrap(text: &str, columns: u16) -> Vec<String> {
    let limit = usize::from(columns.max(1));
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        let size = word.trim_end().width();
        if used > 0 && size > 0 && used + size > limit {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
            used = 0;
        }
        for c in word.chars() {
            let size = c.width().unwrap_or(0);
            if c == ' ' && (used + size > limit || (used == 0 && !lines.is_empty())) {
                continue;
            }
            if used + size > limit {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += size;
        }
    }
    lines.push(line.trim_end().to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::{ASCII, UNICODE};

    #[test]
    fn text_is_cut_by_display_width() {
        for (raw, columns, shown) in [
            ("short", 10, "short"),
            ("exactly10!", 10, "exactly10!"),
            ("longer than that", 10, "longer th…"),
            ("漢字漢字", 5, "漢字…"),
            ("漢字", 4, "漢字"),
            ("a\x1b[31mred", 20, "a\\x1b[31mred"),
            ("x", 0, ""),
        ] {
            assert_eq!(fit(raw, columns, &UNICODE), shown, "{raw:?} in {columns}");
        }
        assert_eq!(fit("漢字 ok", 10, &ASCII), "?? ok");
    }

    #[test]
    fn lines_break_at_spaces_and_inside_long_words() {
        assert_eq!(wrap("select a from b", 8), ["select a", "from b"]);
        assert_eq!(wrap("aaaaaaaaaa", 4), ["aaaa", "aaaa", "aa"]);
        assert_eq!(wrap("  a,    b", 4), ["  a,", "b"]);
        assert_eq!(wrap("", 4), [""]);
    }
}
