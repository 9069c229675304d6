//! Plots drawn with characters, for text and Markdown.

use unicode_width::UnicodeWidthStr as _;

use super::doc::{Amount, BarRow, Bars, Histogram};
use crate::model::text::inline;

/// Columns of the longest bar.
const LENGTH: usize = 40;

/// Columns that a name may take.
const MAX_LABEL: usize = 40;

/// One line a bar: name, series, bar, amount.
pub(super) fn bars(bars: &Bars) -> Vec<String> {
    let names = if bars.series.len() > 1 {
        bars.series.as_slice()
    } else {
        &[]
    };
    let series: Vec<String> = names.iter().map(|name| cut(name)).collect();
    let labels: Vec<String> = bars.rows.iter().map(|row| cut(&row.label)).collect();
    let label_width = widest(&labels);
    let series_width = widest(&series);
    let largest = bars.largest();
    let mut lines = Vec::new();
    for (row, label) in bars.rows.iter().zip(&labels) {
        for (place, amount) in row.values.iter().enumerate() {
            let label = if place == 0 { label.as_str() } else { "" };
            let name = series.get(place).map_or("", String::as_str);
            let mut line = padded(label, label_width);
            if series_width > 0 {
                line.push_str("  ");
                line.push_str(&padded(name, series_width));
            }
            line.push_str("  ");
            line.push_str(&drawn(amount, largest));
            lines.push(line);
        }
    }
    lines
}

/// One line a range.
pub(super) fn histogram(histogram: &Histogram) -> Vec<String> {
    bars(&Bars {
        rows: histogram
            .buckets
            .iter()
            .map(|(label, amount)| BarRow {
                label: label.clone(),
                values: vec![amount.clone()],
            })
            .collect(),
        ..Bars::default()
    })
}

/// The bar and the amount behind it; what is more than nothing has at least one character.
fn drawn(amount: &Amount, largest: f64) -> String {
    let share = amount.share_of(largest);
    let full = (1..=LENGTH)
        .take_while(|length| *length as f64 <= share * LENGTH as f64 + 0.5)
        .count();
    let length = if share > 0.0 { full.max(1) } else { 0 };
    let gap = if length > 0 { " " } else { "" };
    format!("{}{gap}{}", "#".repeat(length), inline(&amount.shown))
}

fn cut(label: &str) -> String {
    let label = inline(label);
    if label.width() <= MAX_LABEL {
        return label.into_owned();
    }
    let mut short = String::new();
    for c in label.chars() {
        if short.width() >= MAX_LABEL - 2 {
            break;
        }
        short.push(c);
    }
    short.push('…');
    short
}

fn widest(labels: &[String]) -> usize {
    labels.iter().map(|label| label.width()).max().unwrap_or(0)
}

fn padded(label: &str, width: usize) -> String {
    let missing = width.saturating_sub(label.width());
    format!("{label}{}", " ".repeat(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_amounts() {
        let row = |label: &str, before: f64, after: f64| BarRow {
            label: label.to_owned(),
            values: vec![
                Amount::new(before, format!("{before}s")),
                Amount::new(after, format!("{after}s")),
            ],
        };
        let plot = Bars {
            caption: String::new(),
            series: vec!["before".to_owned(), "after".to_owned()],
            rows: vec![row("漢 one", 8.0, 4.0), row("two\x1b[2J", 0.01, 0.0)],
        };
        assert_eq!(
            bars(&plot),
            [
                "漢 one      before  ######################################## 8s",
                "            after   #################### 4s",
                "two\\x1b[2J  before  # 0.01s",
                "            after   0s",
            ]
        );
    }

    #[test]
    fn amounts_that_are_no_numbers_are_drawn_as_nothing() {
        let plot = Histogram {
            buckets: vec![
                ("1ms".to_owned(), Amount::new(f64::NAN, "-")),
                ("2ms".to_owned(), Amount::new(f64::INFINITY, "-")),
            ],
            ..Histogram::default()
        };
        assert_eq!(histogram(&plot), ["1ms  -", "2ms  -"]);
    }
}
