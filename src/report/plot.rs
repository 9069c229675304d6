//! Plots as inline SVG among HTML text, so that names keep their size on every screen and in print.

use std::fmt::Write as _;

use super::doc::{Amount, Bars, Histogram};
use super::escape;

/// Labels below a histogram at most.
const MAX_LABELS: usize = 6;

/// Bars in a table: a row each, the bar itself an image, names and amounts as text.
pub(super) fn bars(out: &mut String, bars: &Bars) {
    out.push_str("<figure>\n");
    caption(out, &bars.caption);
    out.push_str("<table class=\"bars\"><tbody>\n");
    let largest = bars.largest();
    let has_names = bars.series.len() > 1;
    for row in &bars.rows {
        for (place, amount) in row.values.iter().enumerate() {
            out.push_str(if place == 0 {
                "<tr class=\"first\">"
            } else {
                "<tr>"
            });
            if place == 0 {
                let _ = write!(
                    out,
                    "<th scope=\"rowgroup\" rowspan=\"{}\">",
                    row.values.len()
                );
                escape::name(out, &row.label);
                out.push_str("</th>");
            }
            if has_names {
                out.push_str("<td class=\"series\">");
                escape::inline(out, bars.series.get(place).map_or("", String::as_str));
                out.push_str("</td>");
            }
            // The last series is the one that matters; those before it stand back.
            let class = if place + 1 < row.values.len() {
                " class=\"before\""
            } else {
                ""
            };
            let _ = write!(
                out,
                "<td class=\"bar\"><svg class=\"bar\" viewBox=\"0 0 1000 10\" \
                 preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect{class} width=\"{:.1}\" \
                 height=\"10\"></rect></svg></td><td class=\"n\">",
                length(amount.share_of(largest), 1000.0)
            );
            escape::inline(out, &amount.shown);
            out.push_str("</td></tr>\n");
        }
    }
    out.push_str("</tbody></table>\n</figure>\n");
}

/// Columns side by side, the figures behind them in a closed table.
pub(super) fn histogram(out: &mut String, histogram: &Histogram) {
    out.push_str("<figure>\n");
    caption(out, &histogram.caption);
    let largest = histogram.largest();
    let _ = write!(
        out,
        "<svg class=\"columns\" viewBox=\"0 0 {} 1000\" preserveAspectRatio=\"none\" \
         aria-hidden=\"true\">",
        histogram.buckets.len().max(1) * 10
    );
    for (place, (label, amount)) in histogram.buckets.iter().enumerate() {
        let height = length(amount.share_of(largest), 1000.0);
        let _ = write!(
            out,
            "<rect x=\"{}\" y=\"{:.1}\" width=\"9\" height=\"{height:.1}\"><title>",
            place * 10,
            1000.0 - height
        );
        escape::inline(out, label);
        out.push_str(": ");
        escape::inline(out, &amount.shown);
        out.push_str("</title></rect>");
    }
    out.push_str("</svg>\n<div class=\"axis\">");
    for label in axis(histogram) {
        out.push_str("<span>");
        escape::inline(out, label);
        out.push_str("</span>");
    }
    out.push_str("</div>\n<p class=\"axis-name\">");
    escape::inline(out, &histogram.axis);
    let is_highest = |amount: &&Amount| amount.share_of(largest) >= 1.0;
    if let Some(highest) = histogram
        .buckets
        .iter()
        .map(|(_, amount)| amount)
        .find(is_highest)
    {
        out.push_str("; the highest column is ");
        escape::inline(out, &highest.shown);
    }
    out.push_str("</p>\n<details><summary>Figures</summary>\n<table><tbody>\n");
    for (label, amount) in &histogram.buckets {
        out.push_str("<tr><th scope=\"row\">");
        escape::inline(out, label);
        out.push_str("</th><td class=\"n\">");
        escape::inline(out, &amount.shown);
        out.push_str("</td></tr>\n");
    }
    out.push_str("</tbody></table></details>\n</figure>\n");
}

/// The first label, the last, and a few at equal distances between them.
fn axis(histogram: &Histogram) -> Vec<&str> {
    let count = histogram.buckets.len();
    let last = count.saturating_sub(1);
    let steps = last.min(MAX_LABELS - 1);
    // Only a number of steps that divides the axis puts the labels below their columns.
    let steps = (1..=steps).rev().find(|steps| last.is_multiple_of(*steps));
    let places = (0..=steps.unwrap_or(0)).map(|step| step * last / steps.unwrap_or(1));
    places
        .filter_map(|place| histogram.buckets.get(place))
        .map(|(label, _)| label.as_str())
        .collect()
}

/// The line above a plot.
pub(super) fn caption(out: &mut String, caption: &str) {
    if !caption.is_empty() {
        out.push_str("<figcaption>");
        escape::prose(out, caption);
        out.push_str("</figcaption>\n");
    }
}

/// What is more than nothing can be seen.
fn length(share: f64, full: f64) -> f64 {
    if share > 0.0 {
        (share * full).max(3.0)
    } else {
        0.0
    }
}
