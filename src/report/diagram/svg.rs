//! The diagram as inline SVG. Colours come from the page's style, so that it follows the light or
//! dark theme and the printer.

use std::fmt::Write as _;

use super::layout::{self, Area, HEAD, LINE, Line, MARK, PAD};
use super::{Diagram, Entity, Field, Link};
use crate::report::escape;

/// How the drawing is to be read.
pub(in crate::report) const LEGEND: &str = "Parents stand at the left. A crow's foot marks the \
    many rows that refer to one, two bars exactly one, a circle and a bar one or none. Columns of \
    keys are shown; those in italics may be NULL.";

/// Colours that the lines of different parents are told apart by.
const COLOURS: usize = 8;

/// Appends the drawing, nothing for a diagram without tables; gives its width in pixels.
pub(in crate::report) fn draw(out: &mut String, diagram: &Diagram) -> f64 {
    if diagram.entities.is_empty() {
        return 0.0;
    }
    let layout = layout::of(diagram);
    let _ = write!(
        out,
        "<svg class=\"er\" width=\"{0:.0}\" height=\"{1:.0}\" viewBox=\"0 0 {0:.0} {1:.0}\" \
         role=\"img\" aria-label=\"Entity-relationship diagram\">",
        layout.width, layout.height
    );
    let links: Vec<&Link> = diagram.whole_links().collect();
    for drawn in &layout.lines {
        if let Some(link) = links.get(drawn.link) {
            line(out, diagram, link, drawn);
        }
    }
    for (entity, area) in diagram.entities.iter().zip(&layout.boxes) {
        table(out, entity, *area);
    }
    out.push_str("</svg>\n");
    layout.width
}

fn line(out: &mut String, diagram: &Diagram, link: &Link, drawn: &Line) {
    let (Some(start), Some(end)) = (drawn.points.first(), drawn.points.last()) else {
        return;
    };
    let _ = write!(out, "<g class=\"l c{}\"><title>", link.parent % COLOURS);
    let name = |place: usize| {
        let entity = diagram.entities.get(place);
        entity.map_or("", |entity| entity.name.as_str())
    };
    let sentence = format!(
        "{} refers to {}: {} ({}{})",
        name(link.child),
        name(link.parent),
        link.columns,
        link.name,
        if link.is_optional {
            ", may be NULL"
        } else {
            ""
        }
    );
    escape::inline(out, &sentence);
    let _ = write!(out, "</title><path d=\"{}\"></path>", path(drawn));
    child_mark(out, *end, drawn.from_child, link.is_single);
    parent_mark(out, *start, drawn.from_parent, link.is_optional);
    out.push_str("</g>\n");
}

/// Bends and straight stretches in turns; a bend begins and ends horizontally.
fn path(drawn: &Line) -> String {
    let mut text = String::new();
    let Some(start) = drawn.points.first() else {
        return text;
    };
    // Writing to a String cannot fail.
    let _ = write!(text, "M{:.0} {:.0}", start.0, start.1);
    for (place, pair) in drawn.points.windows(2).enumerate() {
        let ((x, y), (to_x, to_y)) = (pair[0], pair[1]);
        let is_short = (x - to_x).abs() < 0.5 && (y - to_y).abs() < 0.5;
        if is_short {
            continue;
        }
        if place % 2 == 1 || (y - to_y).abs() < 0.5 {
            let _ = write!(text, "L{to_x:.0} {to_y:.0}");
            continue;
        }
        let reach = ((to_x - x).abs() / 2.0).max(30.0);
        let (out, into) = if (to_x - x).abs() < 0.5 {
            (drawn.from_parent * reach, drawn.from_child * reach)
        } else {
            let side = (to_x - x).signum();
            (side * reach, -side * reach)
        };
        let _ = write!(
            text,
            "C{:.0} {y:.0} {:.0} {to_y:.0} {to_x:.0} {to_y:.0}",
            x + out,
            to_x + into
        );
    }
    text
}

/// A crow's foot: many; a bar: one at most.
fn child_mark(out: &mut String, (x, y): (f64, f64), side: f64, is_single: bool) {
    let tip = x + side * 10.0;
    let _ = if is_single {
        let bar = x + side * 7.0;
        write!(
            out,
            "<path d=\"M{bar:.0} {:.0}V{:.0}\"></path>",
            y - 5.0,
            y + 5.0
        )
    } else {
        write!(
            out,
            "<path d=\"M{x:.0} {:.0}L{tip:.0} {y:.0}L{x:.0} {:.0}\"></path>",
            y - 5.0,
            y + 5.0
        )
    };
}

/// Two bars: exactly one; a circle and a bar: one or none.
fn parent_mark(out: &mut String, (x, y): (f64, f64), side: f64, is_optional: bool) {
    let bar = |out: &mut String, away: f64| {
        let at = x + side * away;
        let _ = write!(
            out,
            "<path d=\"M{at:.0} {:.0}V{:.0}\"></path>",
            y - 5.0,
            y + 5.0
        );
    };
    bar(out, 5.0);
    if is_optional {
        let _ = write!(
            out,
            "<circle cx=\"{:.0}\" cy=\"{y:.0}\" r=\"4\"></circle>",
            x + side * 12.0
        );
    } else {
        bar(out, 9.0);
    }
}

fn table(out: &mut String, entity: &Entity, area: Area) {
    let class = if entity.is_outside { "t outside" } else { "t" };
    let _ = write!(
        out,
        "<g class=\"{class}\" transform=\"translate({:.0} {:.0})\"><title>",
        area.x, area.y
    );
    escape::inline(out, &entity.name);
    let _ = write!(
        out,
        "</title><rect class=\"box\" width=\"{0:.0}\" height=\"{1:.0}\" rx=\"4\"></rect>\
         <rect class=\"head\" width=\"{0:.0}\" height=\"{HEAD:.0}\" rx=\"4\"></rect>\
         <text class=\"name\" x=\"{PAD:.0}\" y=\"{2:.0}\">",
        area.width,
        area.height,
        HEAD - 7.5
    );
    escape::inline(out, &layout::shown(&entity.name));
    out.push_str("</text>");
    for (place, field) in entity.fields.iter().enumerate() {
        self::field(out, field, HEAD + LINE * place as f64 + LINE - 1.5);
    }
    if entity.hidden > 0 {
        let y = HEAD + LINE * entity.fields.len() as f64 + LINE - 1.5;
        let _ = write!(
            out,
            "<text class=\"m\" x=\"{:.0}\" y=\"{y:.1}\">{}</text>",
            PAD + MARK,
            layout::more(entity.hidden)
        );
    }
    out.push_str("</g>\n");
}

fn field(out: &mut String, field: &Field, y: f64) {
    let mark = match (field.is_primary, field.is_foreign) {
        (true, true) => "PFK",
        (true, false) => "PK",
        (false, true) => "FK",
        (false, false) => "",
    };
    if !mark.is_empty() {
        let _ = write!(
            out,
            "<text class=\"m\" x=\"{PAD:.0}\" y=\"{y:.1}\">{mark}</text>"
        );
    }
    let class = if field.is_nullable {
        " class=\"o\""
    } else {
        ""
    };
    let _ = write!(out, "<text{class} x=\"{:.0}\" y=\"{y:.1}\">", PAD + MARK);
    escape::inline(out, &layout::shown(&field.name));
    out.push_str("</text>");
}
