//! Plain text: readable without colour, aligned, safe on a terminal.

use std::fmt::Write as _;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table as Grid, presets};

use unicode_width::UnicodeWidthStr as _;

use super::doc::{Align, Block, Document, Finding, Severity, Table};
use super::{chart, diagram, series};
use crate::model::text::{block, inline};

/// Renders `document`, tables and paragraphs wrapped to `width` columns where one is given.
#[must_use]
pub fn render(document: &Document, width: Option<u16>) -> String {
    let mut out = String::new();
    let title = inline(&document.title);
    line(&mut out, &title);
    line(&mut out, &"=".repeat(title.width()));
    for part in &document.blocks {
        out.push('\n');
        block_lines(&mut out, part, width);
    }
    out
}

fn block_lines(out: &mut String, part: &Block, width: Option<u16>) {
    match part {
        Block::Heading(heading) => {
            let heading = inline(heading);
            line(out, &heading);
            line(out, &"-".repeat(heading.width()));
        }
        Block::Subheading(heading) => line(out, &format!("# {}", inline(heading))),
        Block::Paragraph(text) => wrapped(out, &inline(text), "", width),
        Block::List(items) => {
            for item in items {
                wrapped(out, &format!("- {}", inline(item)), "  ", width);
            }
        }
        Block::Facts(facts) => facts_lines(out, facts, width),
        Block::Table(table) => table_lines(out, table, width),
        Block::Findings(findings) => {
            for finding in findings {
                finding_lines(out, finding, width);
            }
        }
        Block::Code { text, .. } => {
            for code in block(text).lines() {
                line(out, &format!("    {code}"));
            }
        }
        Block::Details { summary, blocks } => details_lines(out, summary, blocks, width),
        Block::Bars(bars) => plot_lines(out, &bars.caption, &chart::bars(bars), width),
        Block::Histogram(plot) => {
            plot_lines(out, &plot.caption, &chart::histogram(plot), width);
        }
        Block::Lines(lines) => plot_lines(out, &lines.caption, &series::text(lines), width),
        Block::Diagram(diagram) => {
            let caption = format!("{} {}", diagram.caption, diagram::list::LEGEND);
            let lines = diagram::list::lines(diagram);
            plot_lines(out, caption.trim_start(), &lines, width);
        }
    }
}

fn plot_lines(out: &mut String, caption: &str, lines: &[String], width: Option<u16>) {
    if !caption.is_empty() {
        wrapped(out, &inline(caption), "", width);
    }
    for text in lines {
        line(out, text);
    }
}

/// The content indented, so that its end can be seen.
fn details_lines(out: &mut String, summary: &str, blocks: &[Block], width: Option<u16>) {
    const INDENT: &str = "  ";
    wrapped(out, &format!("{}:", inline(summary)), "", width);
    let mut inner = String::new();
    for part in blocks {
        block_lines(&mut inner, part, width.map(|width| width.saturating_sub(2)));
    }
    for text in inner.lines() {
        line(out, &format!("{INDENT}{text}"));
    }
}

fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

fn facts_lines(out: &mut String, facts: &[(String, String)], width: Option<u16>) {
    let widest = facts
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0);
    let indent = " ".repeat(widest + 2);
    for (name, value) in facts {
        let text = format!("{:widest$}  {}", inline(name), inline(value));
        wrapped(out, &text, &indent, width);
    }
}

fn table_lines(out: &mut String, table: &Table, width: Option<u16>) {
    if !table.caption.is_empty() {
        wrapped(out, &inline(&table.caption), "", width);
    }
    if table.rows.is_empty() {
        line(out, "(nothing to show)");
        return;
    }
    let mut grid = Grid::new();
    grid.load_style(presets::NOTHING);
    if let Some(width) = width {
        grid.set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
    }
    let cell = |text: &str, align: Align| {
        Cell::new(inline(text)).set_alignment(match align {
            Align::Left => CellAlignment::Left,
            Align::Right => CellAlignment::Right,
        })
    };
    grid.set_header(
        table
            .columns
            .iter()
            .map(|column| cell(&column.title, column.align)),
    );
    for row in &table.rows {
        grid.add_row(
            row.iter()
                .zip(&table.columns)
                .map(|(text, column)| cell(text, column.align)),
        );
    }
    for column in grid.column_iter_mut() {
        column.set_padding((0, 2));
    }
    grid.lines().for_each(|text| line(out, &text));
}

fn finding_lines(out: &mut String, finding: &Finding, width: Option<u16>) {
    let mark = match finding.severity {
        Severity::Ok => "ok      ",
        Severity::Note => "note    ",
        Severity::Warning => "warning ",
        Severity::Problem => "PROBLEM ",
    };
    wrapped(
        out,
        &format!("{mark}{} [{}]", inline(&finding.message), finding.code),
        "        ",
        width,
    );
    if !finding.remedy.is_empty() {
        // A remedy is often a statement to copy, so it is indented and never wrapped.
        for text in block(&finding.remedy).lines() {
            let _ = writeln!(out, "          {text}");
        }
    }
}

fn wrapped(out: &mut String, text: &str, indent: &str, width: Option<u16>) {
    let Some(width) = width.map(usize::from).filter(|width| *width >= 20) else {
        line(out, text);
        return;
    };
    let mut current = String::new();
    for word in text.split(' ') {
        let full = current.chars().count() + 1 + word.chars().count() > width;
        if full && !current.trim().is_empty() {
            line(out, &current);
            current = format!("{indent}{word}");
        } else {
            if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
    }
    line(out, &current);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        let mut table = Table::new("Calls in 10 s", &["probe", ">calls"]);
        table.push(["vpc by \x1b[2Jid", "12.3k"]);
        table.push(["list", "7"]);
        Document {
            title: "Probes".into(),
            blocks: vec![
                Block::Facts(vec![
                    ("server".into(), "127.0.0.1".into()),
                    ("up".into(), "3m05s".into()),
                ]),
                Block::Table(table),
                Block::Findings(vec![Finding {
                    severity: Severity::Warning,
                    code: "text-cut",
                    message: "statement texts are cut at 1024 bytes".into(),
                    remedy: "max_digest_length = 4096".into(),
                }]),
            ],
        }
    }

    #[test]
    fn text_is_aligned_and_safe() {
        assert_eq!(
            render(&document(), None),
            "Probes\n======\n\nserver  127.0.0.1\nup      3m05s\n\nCalls in 10 s\n\
             probe             calls\nvpc by \\x1b[2Jid  12.3k\nlist                  7\n\n\
             warning statement texts are cut at 1024 bytes [text-cut]\n          max_digest_length = 4096\n"
        );
    }

    #[test]
    fn paragraphs_wrap_to_the_width() {
        let long = Document {
            title: "T".into(),
            blocks: vec![Block::Paragraph("one two three four five six seven".into())],
        };
        assert!(
            render(&long, Some(20))
                .lines()
                .all(|l| l.chars().count() <= 20)
        );
    }
}
