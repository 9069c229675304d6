//! What a browser would make of the file: balanced tags, nothing hostile, nothing fetched.

use super::*;
use crate::report::doc::{Amount, BarRow, Bars, Entity, Field, Histogram, Link};

/// Text that tries to leave every place it is put into.
const HOSTILE: &str = "</title></style></pre><script>alert(1)</script><img src=x onerror=\"x()\">'\"&\u{202e}\x1b[2J`<b>`";

fn every_block(text: &str) -> Document {
    let own = || text.to_owned();
    let mut table = Table::new(text, &[text, ">n"]);
    table.push([text, text]);
    let bars = Bars {
        caption: own(),
        series: vec![own(), own()],
        rows: vec![BarRow {
            label: own(),
            values: vec![Amount::new(4.0, own()), Amount::new(1.0, own())],
        }],
    };
    let histogram = Histogram {
        caption: own(),
        axis: own(),
        buckets: vec![
            (own(), Amount::new(4.0, own())),
            (own(), Amount::new(f64::NAN, own())),
        ],
    };
    let blocks = vec![
        Block::Paragraph(own()),
        Block::Subheading(own()),
        Block::Heading(own()),
        Block::Subheading(own()),
        Block::List(vec![own()]),
        Block::Facts(vec![(own(), own())]),
        Block::Heading(own()),
        Block::Table(table),
        Block::Table(Table::new("", &["empty"])),
        Block::Findings(vec![Finding {
            severity: Severity::Problem,
            code: "a-code",
            message: own(),
            remedy: own(),
        }]),
        Block::Details {
            summary: own(),
            blocks: vec![
                Block::Subheading(own()),
                Block::Code {
                    language: "sql",
                    text: own(),
                },
            ],
        },
        Block::Bars(bars),
        Block::Histogram(histogram),
        Block::Diagram(diagram(text)),
    ];
    Document {
        title: own(),
        blocks,
    }
}

fn diagram(text: &str) -> Diagram {
    let own = || text.to_owned();
    let entity = Entity {
        name: own(),
        fields: vec![Field {
            name: own(),
            full_type: own(),
            is_foreign: true,
            ..Field::default()
        }],
        hidden: 2,
        is_outside: true,
    };
    let link = Link {
        name: own(),
        child: 1,
        child_field: Some(0),
        columns: own(),
        is_optional: true,
        ..Link::default()
    };
    Diagram {
        caption: own(),
        entities: vec![entity.clone(), entity],
        links: vec![link],
    }
}

/// Elements that have no end.
const VOID: &[&str] = &["meta", "wbr"];

/// The names of all elements, in the order of their beginnings; fails where ends do not match.
fn elements(html: &str) -> Vec<&str> {
    let body = html.strip_prefix("<!DOCTYPE html>").unwrap();
    let (mut open, mut all) = (Vec::new(), Vec::new());
    let mut rest = body;
    while let Some(start) = rest.find('<') {
        assert!(
            !rest[..start].contains('>'),
            "a bare `>` in {:?}",
            &rest[..start]
        );
        let end = start + rest[start..].find('>').unwrap();
        let tag = &rest[start + 1..end];
        let name = tag.trim_start_matches('/').split(' ').next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "near {:?}", &rest[..end.min(80)]);
        } else {
            let quotes = tag.matches('"').count();
            assert!(quotes.is_multiple_of(2), "unbalanced quotes in {tag}");
            all.push(name);
            if !VOID.contains(&name) {
                open.push(name);
            }
        }
        rest = &rest[end + 1..];
        if name == "style" && !tag.starts_with('/') {
            rest = &rest[rest.find("</style>").unwrap()..];
        }
    }
    assert_eq!(open, Vec::<&str>::new());
    all
}

#[test]
fn hostile_text_is_never_markup() {
    let html = render(&every_block(HOSTILE));
    let harmless = render(&every_block("plain `code` text that is long enough"));
    assert_eq!(elements(&html), elements(&harmless));
    for raw in [
        "<script",
        "<img",
        "\u{202e}",
        "\x1b",
        "onerror=\"",
        "javascript:",
    ] {
        assert!(!html.contains(raw), "{raw:?} is in the file");
    }
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
}

#[test]
fn nothing_is_fetched_and_no_script_may_run() {
    let html = render(&every_block("x"));
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE));
    assert!(html.contains(&format!(
        "content=\"default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'\""
    )));
    // A style attribute would be refused by that policy.
    for fetch in [
        "http:",
        "https:",
        "url(",
        "@import",
        "src=",
        "<link",
        " style=\"",
    ] {
        assert!(!html.contains(fetch), "{fetch} is in the file");
    }
    // A carriage return would be normalized by the browser, and the hash be another one.
    assert!(!STYLE.contains('\r'));
}

#[test]
fn the_contents_lead_to_their_headings() {
    let html = render(&every_block("x"));
    let count = headings(&every_block("x").blocks).len();
    assert_eq!(count, 5);
    for place in 1..=count {
        assert_eq!(html.matches(&format!("href=\"#s{place}\"")).count(), 1);
        assert_eq!(html.matches(&format!("id=\"s{place}\"")).count(), 1);
    }
}

#[test]
fn numbers_stand_at_the_right() {
    let mut table = Table::new("", &["name", ">calls"]);
    table.push(["a", "12"]);
    let document = Document {
        title: "T".into(),
        blocks: vec![Block::Table(table)],
    };
    let html = render(&document);
    assert!(html.contains("<th scope=\"col\">name</th><th scope=\"col\" class=\"n\">calls</th>"));
    assert!(html.contains("<tr><td>a</td><td class=\"n\">12</td></tr>"));
    assert!(!html.contains("<nav"), "a short document has no contents");
}
