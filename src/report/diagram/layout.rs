//! Where boxes and lines go: parents at the left, children at the right, in columns.
//!
//! The steps are those of layered drawing: columns by the direction of the links (`ranks`), the
//! order within them by barycentres (`order`), positions that make lines short and straight
//! (`place`). Groups that are not connected are drawn by themselves and put side by side (`pack`).

mod grid;
mod order;
mod pack;
mod place;
mod ranks;

use super::Diagram;
use unicode_width::UnicodeWidthStr as _;

/// Width of one character, in pixels; texts are in a monospaced font of 12 pixels.
pub(super) const CHAR: f64 = 7.25;
/// Height of a box's head.
pub(super) const HEAD: f64 = 24.0;
/// Height of a line in a box.
pub(super) const LINE: f64 = 17.0;
/// Room for `PK` and `FK` before a column's name.
pub(super) const MARK: f64 = 30.0;
/// Room at both sides of a text.
pub(super) const PAD: f64 = 8.0;
/// Characters of a name that are shown.
pub(super) const MAX_CHARS: usize = 30;
/// Width of a box at least.
const MIN_WIDTH: f64 = 110.0;
/// Tables that are drawn together at most; the work grows faster than their number.
pub const MAX_ENTITIES: usize = 400;

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Area {
    /// Left.
    pub x: f64,
    /// Top.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Area {
    /// Right edge.
    #[must_use]
    pub fn right(&self) -> f64 {
        self.x + self.width
    }

    /// Lower edge.
    #[must_use]
    pub fn bottom(&self) -> f64 {
        self.y + self.height
    }

    /// Whether both have a point in common.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.x < other.right()
            && other.x < self.right()
            && self.y < other.bottom()
            && other.y < self.bottom()
    }
}

/// A line from one side of a box to one of another.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Line {
    /// The link, by its place among the diagram's whole links.
    pub link: usize,
    /// Points from the parent to the child. Between the first and the second it may bend, between
    /// the second and the third it is straight, and so on in turns.
    pub points: Vec<(f64, f64)>,
    /// 1 where it leaves the parent to the right, -1 to the left.
    pub from_parent: f64,
    /// 1 where it leaves the child to the right, -1 to the left.
    pub from_child: f64,
}

/// A diagram with its places.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Layout {
    /// Width of everything.
    pub width: f64,
    /// Height of everything.
    pub height: f64,
    /// A box for each entity.
    pub boxes: Vec<Area>,
    /// A line for each link.
    pub lines: Vec<Line>,
}

/// Finds a place for everything in `diagram`. The same diagram gives the same layout.
#[must_use]
pub fn of(diagram: &Diagram) -> Layout {
    let sizes: Vec<(f64, f64)> = (0..diagram.entities.len())
        .map(|place| size(diagram, place))
        .collect();
    let (mut alone, mut parts) = (Vec::new(), Vec::new());
    for group in diagram.components() {
        if group.len() == 1 && diagram.whole_links().all(|link| link.child != group[0]) {
            alone.push(group[0]);
        } else {
            parts.push(grid::part(diagram, &group, &sizes));
        }
    }
    pack::all(parts, &alone, &sizes)
}

/// The height of the middle of a field's line, or of the head, below the top of its box.
pub(super) fn port(diagram: &Diagram, entity: usize, field: Option<usize>) -> f64 {
    let fields = diagram
        .entities
        .get(entity)
        .map_or(0, |entity| entity.fields.len());
    match field.filter(|field| *field < fields) {
        Some(field) => HEAD + LINE * (field as f64 + 0.5) + 3.0,
        None => HEAD / 2.0,
    }
}

fn size(diagram: &Diagram, place: usize) -> (f64, f64) {
    let Some(entity) = diagram.entities.get(place) else {
        return (0.0, 0.0);
    };
    let chars = |text: &str| shown(text).width() as f64 * CHAR;
    let fields = entity.fields.iter();
    let widest = fields
        .map(|field| chars(&field.name) + MARK)
        .fold(chars(&entity.name), f64::max);
    let more = if entity.hidden > 0 {
        chars(&more(entity.hidden)) + MARK
    } else {
        0.0
    };
    let lines = entity.fields.len() + usize::from(entity.hidden > 0);
    let foot = if lines > 0 { 6.0 } else { 0.0 };
    (
        (widest.max(more) + 2.0 * PAD).max(MIN_WIDTH),
        HEAD + LINE * lines as f64 + foot,
    )
}

/// The line below the shown columns.
pub(super) fn more(hidden: usize) -> String {
    format!("+ {hidden} more")
}

/// A name as it is shown: without what a screen would obey, and not too long.
pub(super) fn shown(name: &str) -> String {
    let safe = crate::model::text::inline(name);
    if safe.chars().nth(MAX_CHARS).is_none() {
        return safe.into_owned();
    }
    let mut short: String = safe.chars().take(MAX_CHARS - 1).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests;
