//! Values over time: as lines in HTML, as small bars in text.

use std::fmt::Write as _;

use super::{escape, plot};
use crate::model::text::inline;

/// Series that can be told apart; more are left out.
pub const MAX_SERIES: usize = 4;

/// Columns of a drawing in text.
const COLUMNS: usize = 60;

/// Heights of a column in text, lowest first.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Values over time, on one scale.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lines {
    /// What is drawn, with the window of each value.
    pub caption: String,
    /// The two ends of the axis.
    pub ends: (String, String),
    /// The highest value, with its unit.
    pub top: String,
    /// Where the scale begins; 0 unless changes would be too small to see.
    pub bottom: f64,
    /// Places that are marked, from 0, each with a few words.
    pub marks: Vec<(usize, String)>,
    /// The lines.
    pub series: Vec<Series>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// What it is.
    pub name: String,
    /// Its values at equal distances in time; `None` and what is not finite is a gap.
    pub values: Vec<Option<f64>>,
    /// The values in a few words, such as their mean and their highest.
    pub shown: String,
}

impl Lines {
    fn largest(&self) -> f64 {
        let values = self.series.iter().flat_map(|series| &series.values);
        let known = values.filter_map(|value| *value);
        known.filter(|value| value.is_finite()).fold(0.0, f64::max)
    }

    /// Values of the longest line.
    fn count(&self) -> usize {
        let counts = self.series.iter().map(|series| series.values.len());
        counts.max().unwrap_or(0)
    }

    fn drawn(&self) -> &[Series] {
        &self.series[..self.series.len().min(MAX_SERIES)]
    }
}

/// A value between 0 and 1, or a gap.
fn share(value: Option<f64>, (bottom, largest): (f64, f64)) -> Option<f64> {
    let share = (value? - bottom) / (largest - bottom);
    share.is_finite().then(|| share.clamp(0.0, 1.0))
}

/// Lines as one inline SVG, their names and figures as text below it.
pub(super) fn html(out: &mut String, lines: &Lines) {
    const WIDTH: f64 = 1_000.0;
    const HEIGHT: f64 = 300.0;
    out.push_str("<figure>\n");
    plot::caption(out, &lines.caption);
    out.push_str("<p class=\"top\">");
    escape::inline(out, &lines.top);
    out.push_str(
        "</p>\n<svg class=\"lines\" viewBox=\"0 0 1000 300\" preserveAspectRatio=\"none\" \
         aria-hidden=\"true\">",
    );
    let scale = (lines.bottom, lines.largest());
    let last = lines.count().saturating_sub(1).max(1) as f64;
    for (place, words) in &lines.marks {
        let x = *place as f64 / last * WIDTH;
        let _ = write!(
            out,
            "<polyline class=\"mark\" points=\"{x:.1},0 {x:.1},{HEIGHT}\"><title>"
        );
        escape::inline(out, words);
        out.push_str("</title></polyline>");
    }
    for (place, series) in lines.drawn().iter().enumerate() {
        let steps = series.values.len().saturating_sub(1).max(1) as f64;
        let mut is_open = false;
        for (n, value) in series.values.iter().enumerate() {
            let Some(share) = share(*value, scale) else {
                out.push_str(if is_open { "\"></polyline>" } else { "" });
                is_open = false;
                continue;
            };
            if !is_open {
                let _ = write!(out, "<polyline class=\"s{}\" points=\"", place + 1);
                is_open = true;
            }
            let (x, y) = (n as f64 / steps * WIDTH, (1.0 - share) * HEIGHT);
            let _ = write!(out, "{x:.1},{y:.1} ");
        }
        out.push_str(if is_open { "\"></polyline>" } else { "" });
    }
    out.push_str("</svg>\n<div class=\"axis\"><span>");
    escape::inline(out, &lines.ends.0);
    out.push_str("</span><span>");
    escape::inline(out, &lines.ends.1);
    out.push_str("</span></div>\n<ul class=\"legend\">\n");
    for (place, series) in lines.drawn().iter().enumerate() {
        let _ = write!(
            out,
            "<li><svg class=\"key\" viewBox=\"0 0 40 10\" aria-hidden=\"true\">\
             <polyline class=\"s{}\" points=\"0,5 40,5\"></polyline></svg> ",
            place + 1
        );
        escape::inline(out, &series.name);
        if !series.shown.is_empty() {
            out.push_str(": ");
            escape::inline(out, &series.shown);
        }
        out.push_str("</li>\n");
    }
    out.push_str("</ul>\n</figure>\n");
}

/// One line for each series: name, small bars, the values in words.
pub(super) fn text(lines: &Lines) -> Vec<String> {
    use unicode_width::UnicodeWidthStr as _;
    let names: Vec<_> = lines.drawn().iter().map(|one| inline(&one.name)).collect();
    let widest = names.iter().map(|name| name.width()).max().unwrap_or(0);
    let scale = (lines.bottom, lines.largest());
    let mut out: Vec<String> = lines
        .drawn()
        .iter()
        .zip(&names)
        .map(|(series, name)| {
            let gap = " ".repeat(widest - name.width());
            format!(
                "{name}{gap}  {}  {}",
                spark(&series.values, scale),
                inline(&series.shown)
            )
        })
        .collect();
    let (from, to) = (inline(&lines.ends.0), inline(&lines.ends.1));
    let columns = COLUMNS.min(lines.count());
    if !lines.marks.is_empty() {
        let marked = |column: usize| {
            let of_it = |(place, _): &(usize, String)| place * columns / lines.count() == column;
            if lines.marks.iter().any(of_it) {
                '^'
            } else {
                ' '
            }
        };
        let marks: String = (0..columns).map(marked).collect();
        out.push(format!("{}  {}", " ".repeat(widest), marks.trim_end()));
    }
    let space = columns.saturating_sub(from.width() + to.width()).max(1);
    out.push(format!(
        "{}  {from}{}{to}  top {}",
        " ".repeat(widest),
        " ".repeat(space),
        inline(&lines.top)
    ));
    out
}

/// The highest value of each part, so that a peak is never lost.
fn spark(values: &[Option<f64>], scale: (f64, f64)) -> String {
    let columns = values.len().min(COLUMNS);
    (0..columns)
        .map(|column| {
            let part =
                &values[column * values.len() / columns..(column + 1) * values.len() / columns];
            let highest = part
                .iter()
                .filter_map(|value| share(*value, scale))
                .max_by(f64::total_cmp);
            match highest {
                None => ' ',
                Some(share) => {
                    let last = LEVELS.len() - 1;
                    let level = (0..last).take_while(|n| *n as f64 + 0.5 < share * last as f64);
                    LEVELS[level.count()]
                }
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Lines {
        Lines {
            caption: "statements a second".to_owned(),
            ends: ("10:42:00".to_owned(), "10:43:00".to_owned()),
            top: "40/s".to_owned(),
            bottom: 0.0,
            marks: Vec::new(),
            series: vec![
                Series {
                    name: "p50".to_owned(),
                    values: vec![Some(0.0), Some(20.0), None, Some(f64::NAN), Some(40.0)],
                    shown: "at most 40/s".to_owned(),
                },
                Series {
                    name: "<script>\x1b[2J".to_owned(),
                    values: vec![Some(10.0); 5],
                    shown: String::new(),
                },
            ],
        }
    }

    #[test]
    fn lines_break_at_gaps_and_names_stay_text() {
        let mut out = String::new();
        html(&mut out, &lines());
        assert_eq!(
            out.matches("<polyline class=\"s1\" points=\"0.0,300.0 250.0,150.0 \">")
                .count(),
            1
        );
        assert_eq!(
            out.matches("<polyline class=\"s1\" points=\"1000.0,0.0 \">")
                .count(),
            1
        );
        assert_eq!(
            out.matches("<polyline").count(),
            out.matches("</polyline>").count()
        );
        assert!(!out.contains("<script") && !out.contains('\x1b'), "{out}");
        assert!(out.contains("p50: at most 40/s"));
    }

    #[test]
    fn text_has_a_column_for_each_value_and_no_more_than_fit() {
        let text = super::text(&lines());
        assert!(
            text[0].starts_with("p50              ▁▄  █  at most 40/s"),
            "{text:?}"
        );
        assert!(text[1].contains("▃▃▃▃▃"), "{text:?}");
        let many: Vec<Option<f64>> = (0..1_000_u32).map(|n| Some(f64::from(n % 500))).collect();
        let drawn = spark(&many, (0.0, 499.0));
        assert_eq!(drawn.chars().count(), COLUMNS);
        assert_eq!(drawn.matches('█').count(), 6, "{drawn}");
    }

    #[test]
    fn places_are_marked_and_the_scale_may_begin_above_zero() {
        let mut lines = lines();
        lines.bottom = 20.0;
        lines.marks = vec![(2, "2<3".to_owned())];
        let text = super::text(&lines);
        assert!(text[0].contains("▁▁  █"), "{text:?}");
        assert_eq!(text[2].find('^').unwrap(), text[2].len() - 1, "{text:?}");
        let mut out = String::new();
        html(&mut out, &lines);
        let mark = "<polyline class=\"mark\" points=\"500.0,0 500.0,300\"><title>2&lt;3";
        assert!(out.contains(mark), "{out}");
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        let empty = Lines::default();
        assert_eq!(super::text(&empty).len(), 1);
        let mut out = String::new();
        html(&mut out, &empty);
        assert!(!out.contains("polyline"));
    }
}
