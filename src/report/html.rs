//! One self-contained HTML file: nothing is fetched, no script is needed, and nothing in the
//! document can bring either in.

use std::fmt::Write as _;

use base64::Engine as _;
use sha2::{Digest as _, Sha256};

use super::diagram::{self, Diagram};
use super::doc::{Align, Block, Document, Finding, Severity, Table};
use super::{escape, plot, series};

/// The only style of the file; the policy in its head names it by its hash.
const STYLE: &str = include_str!("html/style.css");

/// A document with at least so many headings begins with a table of contents.
const MIN_CONTENTS: usize = 4;

/// Cells of at least so many characters get room, so that a statement is not one word a line.
const LONG_CELL: usize = 24;

/// A table of at least so many columns is set closely, and its cells may break.
const WIDE_COLUMNS: usize = 6;

/// Rows of a wide table that can be read one below the other on a narrow screen; each cell then has
/// the title of its column, which would make a long list half as large again.
const LABELLED_ROWS: usize = 1_000;

/// Pixels of a drawing that fits on an upright page; a wider one is printed on a page of its own.
const PAGE_WIDTH: f64 = 900.0;

/// Renders `document`; hostile text stays text wherever it stands.
#[must_use]
pub fn render(document: &Document) -> String {
    let headings = headings(&document.blocks);
    let is_long = headings.len() >= MIN_CONTENTS;
    let mut out = String::with_capacity(32 * 1024);
    head(&mut out, &document.title);
    out.push_str(if is_long {
        "<body class=\"long\">\n"
    } else {
        "<body>\n"
    });
    out.push_str("<header><h1>");
    escape::inline(&mut out, &document.title);
    out.push_str("</h1></header>\n");
    if is_long {
        contents(&mut out, &headings);
    }
    out.push_str("<main>\n");
    let mut page = Page { out, headings: 0 };
    for (place, part) in document.blocks.iter().enumerate() {
        match part {
            Block::Paragraph(text) if place == 0 => page.paragraph(text, " class=\"lead\""),
            part => page.block(part),
        }
    }
    page.out.push_str("</main>\n</body>\n</html>\n");
    page.out
}

fn head(out: &mut String, title: &str) {
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE));
    let _ = writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"generator\" content=\"mydex {}\">",
        env!("CARGO_PKG_VERSION")
    );
    out.push_str("<title>");
    escape::inline(out, title);
    let _ = writeln!(out, "</title>\n<style>{STYLE}</style>\n</head>");
}

/// Headings with their level, 2 or 3, in the order in which they get their numbers.
fn headings(blocks: &[Block]) -> Vec<(u8, &str)> {
    let mut found = Vec::new();
    for block in blocks {
        match block {
            Block::Heading(text) => found.push((2, text.as_str())),
            Block::Subheading(text) => found.push((3, text.as_str())),
            Block::Details { blocks, .. } => found.extend(headings(blocks)),
            _ => {}
        }
    }
    found
}

fn contents(out: &mut String, headings: &[(u8, &str)]) {
    out.push_str("<nav aria-label=\"Contents\"><details open><summary>Contents</summary>\n<ol>\n");
    let mut is_item_open = false;
    let mut is_inner_open = false;
    for (place, (level, text)) in headings.iter().enumerate() {
        // A part without a section before it stands on the outer level.
        let is_inner = *level == 3 && is_item_open;
        if is_inner && !is_inner_open {
            out.push_str("\n<ol>\n");
        }
        if !is_inner {
            if is_inner_open {
                out.push_str("</ol>\n");
            }
            if is_item_open {
                out.push_str("</li>\n");
            }
        }
        is_inner_open = is_inner;
        let _ = write!(out, "<li><a href=\"#s{}\">", place + 1);
        escape::name(out, text);
        out.push_str("</a>");
        if is_inner {
            out.push_str("</li>\n");
        } else {
            is_item_open = true;
        }
    }
    out.push_str(if is_inner_open { "</ol>\n" } else { "" });
    out.push_str(if is_item_open { "</li>\n" } else { "" });
    out.push_str("</ol>\n</details></nav>\n");
}

/// The page so far, and how many headings it has.
struct Page {
    out: String,
    headings: usize,
}

impl Page {
    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading(text) => self.heading(2, text),
            Block::Subheading(text) => self.heading(3, text),
            Block::Paragraph(text) => self.paragraph(text, ""),
            Block::List(items) => {
                self.out.push_str("<ul>\n");
                for item in items {
                    self.out.push_str("<li>");
                    escape::prose(&mut self.out, item);
                    self.out.push_str("</li>\n");
                }
                self.out.push_str("</ul>\n");
            }
            Block::Facts(facts) => self.facts(facts),
            Block::Table(table) => self.table(table),
            Block::Findings(findings) => {
                self.out.push_str("<ul class=\"findings\">\n");
                for finding in findings {
                    self.finding(finding);
                }
                self.out.push_str("</ul>\n");
            }
            Block::Code { language, text } => self.code(language, text),
            Block::Details { summary, blocks } => {
                self.out.push_str("<details><summary>");
                escape::prose(&mut self.out, summary);
                self.out.push_str("</summary>\n");
                for block in blocks {
                    self.block(block);
                }
                self.out.push_str("</details>\n");
            }
            Block::Bars(bars) => plot::bars(&mut self.out, bars),
            Block::Histogram(histogram) => plot::histogram(&mut self.out, histogram),
            Block::Lines(lines) => series::html(&mut self.out, lines),
            Block::Diagram(diagram) => self.diagram(diagram),
        }
    }

    fn heading(&mut self, level: u8, text: &str) {
        self.headings += 1;
        let _ = write!(self.out, "<h{level} id=\"s{}\">", self.headings);
        escape::inline(&mut self.out, text);
        let _ = writeln!(self.out, "</h{level}>");
    }

    fn paragraph(&mut self, text: &str, class: &str) {
        let _ = write!(self.out, "<p{class}>");
        escape::prose(&mut self.out, text);
        self.out.push_str("</p>\n");
    }

    fn facts(&mut self, facts: &[(String, String)]) {
        self.out.push_str("<dl>\n");
        for (name, value) in facts {
            self.out.push_str("<dt>");
            escape::inline(&mut self.out, name);
            self.out.push_str("</dt><dd>");
            escape::inline(&mut self.out, value);
            self.out.push_str("</dd>\n");
        }
        self.out.push_str("</dl>\n");
    }

    /// The caption stands outside of what scrolls, so that it stays in sight.
    fn table(&mut self, table: &Table) {
        if !table.caption.is_empty() {
            self.paragraph(&table.caption, " class=\"caption\"");
        }
        if table.rows.is_empty() {
            self.out
                .push_str("<p class=\"nothing\">nothing to show</p>\n");
            return;
        }
        self.out
            .push_str("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"");
        let label = match table.caption.as_str() {
            "" => "Table",
            caption => caption,
        };
        escape::inline(&mut self.out, label);
        let is_wide = table.columns.len() >= WIDE_COLUMNS;
        let is_labelled = is_wide && table.rows.len() <= LABELLED_ROWS;
        let _ = write!(
            self.out,
            "\"><table{}>\n<thead><tr>",
            match (is_wide, is_labelled) {
                (true, true) => " class=\"wide labelled\"",
                (true, false) => " class=\"wide\"",
                (false, _) => "",
            }
        );
        for column in &table.columns {
            let class = class(column.align, "");
            let _ = write!(self.out, "<th scope=\"col\"{class}>");
            escape::inline(&mut self.out, &column.title);
            self.out.push_str("</th>");
        }
        self.out.push_str("</tr></thead>\n<tbody>\n");
        for row in &table.rows {
            self.out.push_str("<tr>");
            for (cell, column) in row.iter().zip(&table.columns) {
                let _ = write!(self.out, "<td{}", class(column.align, cell));
                if is_labelled && !cell.is_empty() {
                    self.out.push_str(" data-of=\"");
                    escape::inline(&mut self.out, &column.title);
                    self.out.push('"');
                }
                self.out.push('>');
                if is_long(cell) || is_wide && column.align == Align::Left {
                    escape::name(&mut self.out, cell);
                } else {
                    escape::inline(&mut self.out, cell);
                }
                self.out.push_str("</td>");
            }
            self.out.push_str("</tr>\n");
        }
        self.out.push_str("</tbody></table></div>\n");
    }

    fn finding(&mut self, finding: &Finding) {
        let (class, mark) = match finding.severity {
            Severity::Ok => ("ok", "ok"),
            Severity::Note => ("note", "note"),
            Severity::Warning => ("warning", "warning"),
            Severity::Problem => ("problem", "PROBLEM"),
        };
        let _ = write!(
            self.out,
            "<li class=\"{class}\"><p><span class=\"mark\">{mark}</span> "
        );
        escape::prose(&mut self.out, &finding.message);
        self.out.push_str(" <span class=\"code\">[");
        escape::inline(&mut self.out, finding.code);
        self.out.push_str("]</span></p>\n");
        if !finding.remedy.is_empty() {
            self.code("sql", &finding.remedy);
        }
        self.out.push_str("</li>\n");
    }

    /// Its size is kept, so that names can be read; what is wider than the page scrolls.
    fn diagram(&mut self, diagram: &Diagram) {
        let mut drawing = String::new();
        let width = diagram::svg::draw(&mut drawing, diagram);
        self.out.push_str(if width > PAGE_WIDTH {
            "<figure class=\"er wide\">\n"
        } else {
            "<figure class=\"er\">\n"
        });
        let caption = format!("{} {}", diagram.caption, diagram::svg::LEGEND);
        plot::caption(&mut self.out, caption.trim_start());
        self.out.push_str(
            "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Diagram\">",
        );
        self.out.push_str(&drawing);
        self.out.push_str("</div>\n</figure>\n");
    }

    /// Statements are wrapped, so that their end can be seen; the lines of plans tell by where they
    /// begin, and are not.
    fn code(&mut self, language: &str, text: &str) {
        let class = if language == "sql" {
            " class=\"wrapped\""
        } else {
            ""
        };
        // A line break right behind `<pre>` would be dropped, but `<code>` stands between.
        let _ = write!(self.out, "<pre{class} tabindex=\"0\"><code>");
        escape::block(&mut self.out, text);
        self.out.push_str("</code></pre>\n");
    }
}

fn is_long(cell: &str) -> bool {
    cell.chars().nth(LONG_CELL).is_some()
}

fn class(align: Align, cell: &str) -> &'static str {
    match align {
        Align::Right => " class=\"n\"",
        Align::Left if is_long(cell) => " class=\"text\"",
        Align::Left => "",
    }
}

#[cfg(test)]
mod tests;
