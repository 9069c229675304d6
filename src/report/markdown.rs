//! Markdown (the GitHub flavour), for job summaries and pull requests.

use std::fmt::Write as _;

use super::doc::{Align, Block, Document, Finding, Severity, Table};
use super::escape::{self, Piece};
use super::{chart, diagram, series};
use crate::model::text::{block, inline};

/// Renders `document`; hostile text can neither leave its cell nor become markup.
#[must_use]
pub fn render(document: &Document) -> String {
    let mut out = format!("# {}\n", escaped(&document.title));
    for part in &document.blocks {
        out.push('\n');
        block_lines(&mut out, part);
    }
    out
}

fn block_lines(out: &mut String, part: &Block) {
    match part {
        Block::Heading(heading) => {
            let _ = writeln!(out, "## {}", escaped(heading));
        }
        Block::Subheading(heading) => {
            let _ = writeln!(out, "### {}", escaped(heading));
        }
        Block::Paragraph(text) => {
            let _ = writeln!(out, "{}", prose(text));
        }
        Block::List(items) => {
            for item in items {
                let _ = writeln!(out, "- {}", prose(item));
            }
        }
        Block::Facts(facts) => {
            for (name, value) in facts {
                let _ = writeln!(out, "- **{}**: {}", escaped(name), escaped(value));
            }
        }
        Block::Table(table) => table_lines(out, table),
        Block::Findings(findings) => {
            for finding in findings {
                finding_lines(out, finding);
            }
        }
        Block::Code { language, text } => code(out, language, text, ""),
        // GitHub's own element. Its summary is HTML, in which no Markdown is read; what is inside
        // is Markdown again because of the empty lines around it.
        Block::Details { summary, blocks } => {
            let mut safe = String::new();
            escape::prose(&mut safe, summary);
            let safe = safe.replace('@', "&#64;");
            let _ = writeln!(out, "<details><summary>{safe}</summary>");
            for part in blocks {
                out.push('\n');
                block_lines(out, part);
            }
            out.push_str("\n</details>\n");
        }
        Block::Bars(bars) => plot(out, &bars.caption, &chart::bars(bars)),
        Block::Histogram(histogram) => {
            plot(out, &histogram.caption, &chart::histogram(histogram));
        }
        Block::Lines(lines) => plot(out, &lines.caption, &series::text(lines)),
        Block::Diagram(diagram) => {
            if !diagram.caption.is_empty() {
                let _ = writeln!(out, "{}\n", prose(&diagram.caption));
            }
            if let Some(text) = diagram::mermaid::text(diagram) {
                code(out, "mermaid", &text, "");
            }
        }
    }
}

fn finding_lines(out: &mut String, finding: &Finding) {
    let mark = match finding.severity {
        Severity::Ok => "ok",
        Severity::Note => "note",
        Severity::Warning => "**warning**",
        Severity::Problem => "**PROBLEM**",
    };
    let message = prose(&finding.message);
    let _ = writeln!(out, "- {mark} `{}`: {message}", finding.code);
    if !finding.remedy.is_empty() {
        code(out, "sql", &finding.remedy, "  ");
    }
}

fn plot(out: &mut String, caption: &str, lines: &[String]) {
    if !caption.is_empty() {
        let _ = writeln!(out, "{}\n", prose(caption));
    }
    code(out, "text", &lines.join("\n"), "");
}

fn table_lines(out: &mut String, table: &Table) {
    if !table.caption.is_empty() {
        let _ = writeln!(out, "{}\n", prose(&table.caption));
    }
    let row = |cells: &mut dyn Iterator<Item = String>| {
        cells.fold("|".to_owned(), |line, cell| format!("{line} {cell} |"))
    };
    let _ = writeln!(
        out,
        "{}",
        row(&mut table.columns.iter().map(|c| escaped(&c.title)))
    );
    let rule = |align| match align {
        Align::Left => "---".to_owned(),
        Align::Right => "---:".to_owned(),
    };
    let _ = writeln!(
        out,
        "{}",
        row(&mut table.columns.iter().map(|c| rule(c.align)))
    );
    for cells in &table.rows {
        let _ = writeln!(out, "{}", row(&mut cells.iter().map(|cell| escaped(cell))));
    }
}

/// A fenced block whose fence is longer than any run of backticks in the text.
fn code(out: &mut String, language: &str, text: &str, indent: &str) {
    let text = block(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(out, "{indent}{fence}{language}");
    for line in text.lines() {
        let _ = writeln!(out, "{indent}{line}");
    }
    let _ = writeln!(out, "{indent}{fence}");
}

/// A sentence; what stands in backticks becomes a code span.
fn prose(raw: &str) -> String {
    let mut safe = String::with_capacity(raw.len() + 8);
    for piece in escape::pieces(&inline(raw)) {
        match piece {
            Piece::Words(words) => safe.push_str(&escaped(words)),
            Piece::Code(code) => span(&mut safe, code),
        }
    }
    safe
}

/// A code span, in which nothing is escaped: its fence is longer than any run of backticks inside,
/// and a space keeps it apart from those at the ends.
fn span(out: &mut String, code: &str) {
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let is_blank = code.trim_matches(' ').is_empty();
    let is_spaced = code.starts_with(' ') && code.ends_with(' ') && !is_blank;
    let space = if is_spaced || code.starts_with('`') || code.ends_with('`') {
        " "
    } else {
        ""
    };
    let _ = write!(out, "{fence}{space}{code}{space}{fence}");
}

fn escaped(raw: &str) -> String {
    let mut safe = String::with_capacity(raw.len() + 8);
    for c in inline(raw).chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            // An @ or # at the start of a word would notify people or link issues.
            '@' => safe.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_cells_stay_in_their_cell() {
        let mut table = Table::new("", &["text", ">n"]);
        table.push(["a|b <script>\n# [x](y)", "1"]);
        let document = Document {
            title: "T".into(),
            blocks: vec![Block::Table(table)],
        };
        assert_eq!(
            render(&document),
            "# T\n\n| text | n |\n| --- | ---: |\n| a\\|b &lt;script&gt; \\# \\[x\\](y) | 1 |\n"
        );
    }

    #[test]
    fn code_in_sentences_is_a_span_with_a_fence_that_fits() {
        for (raw, shown) in [
            ("table `a_b` of <x>", "table `a_b` of &lt;x&gt;"),
            ("`ti``ck` is *new*", "```ti``ck``` is \\*new\\*"),
            ("`` `x` ``", "``  `x`  ``"),
            ("``` `` ```", "```  ``  ```"),
            ("not `closed", "not \\`closed"),
            ("`@all #1 <b> \\`", "`@all #1 <b> \\`"),
        ] {
            let document = Document {
                title: "T".into(),
                blocks: vec![Block::Paragraph(raw.into())],
            };
            assert_eq!(render(&document), format!("# T\n\n{shown}\n"), "{raw}");
        }
    }

    #[test]
    fn details_are_html_outside_and_markdown_inside() {
        let document = Document {
            title: "T".into(),
            blocks: vec![Block::Details {
                summary: "plan of `a_b` <b> @all".into(),
                blocks: vec![Block::Paragraph("a_b".into())],
            }],
        };
        assert_eq!(
            render(&document),
            "# T\n\n<details><summary>plan of <code>a_b</code> &lt;b&gt; &#64;all</summary>\n\n\
             a\\_b\n\n</details>\n"
        );
    }

    #[test]
    fn a_fence_is_longer_than_the_backticks_inside() {
        let document = Document {
            title: "T".into(),
            blocks: vec![Block::Code {
                language: "sql",
                text: "SELECT ````".into(),
            }],
        };
        assert!(render(&document).contains("`````sql\nSELECT ````\n`````\n"));
    }
}
