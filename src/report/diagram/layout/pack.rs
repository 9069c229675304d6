//! Groups side by side, and the tables that are related to none.

use super::{Area, Layout, Line};

/// Room around everything, so that no line is cut.
const MARGIN: f64 = 14.0;
/// Room between groups.
const GAP: f64 = 44.0;
/// Room between tables that stand alone.
const ALONE: f64 = 18.0;
/// Width that is filled before a new row begins, at least.
const MIN_WIDTH: f64 = 1_000.0;

/// A group with its own places.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    /// Its tables, by their places in the diagram.
    pub(super) group: Vec<usize>,
    /// Its width.
    pub(super) width: f64,
    /// Its height.
    pub(super) height: f64,
    /// A box for each of its tables.
    pub(super) boxes: Vec<Area>,
    /// Its lines.
    pub(super) lines: Vec<Line>,
}

/// Puts the groups into rows, the largest first, and below them the tables that stand alone.
pub(super) fn all(parts: Vec<Part>, alone: &[usize], sizes: &[(f64, f64)]) -> Layout {
    let widest = parts.iter().map(|part| part.width).fold(0.0, f64::max);
    let area: f64 = parts
        .iter()
        .map(|part| (part.width + GAP) * (part.height + GAP))
        .sum();
    let room = widest.max(MIN_WIDTH).max((area * 1.5).sqrt());
    let mut layout = Layout {
        boxes: vec![Area::default(); sizes.len()],
        ..Layout::default()
    };
    let mut shelf = Shelf::new(room, GAP);
    for part in parts {
        let (x, y) = shelf.put(part.width, part.height);
        for (place, area) in part.group.iter().zip(&part.boxes) {
            layout.boxes[*place] = Area {
                x: area.x + x,
                y: area.y + y,
                ..*area
            };
        }
        layout.lines.extend(part.lines.into_iter().map(|mut line| {
            for point in &mut line.points {
                point.0 += x;
                point.1 += y;
            }
            line
        }));
    }
    let mut below = Shelf::new(room, ALONE);
    below.y = if layout.lines.is_empty() && shelf.height == 0.0 {
        MARGIN
    } else {
        shelf.y + shelf.height + GAP
    };
    for place in alone {
        let (width, height) = sizes[*place];
        let (x, y) = below.put(width, height);
        layout.boxes[*place] = Area {
            x,
            y,
            width,
            height,
        };
    }
    layout.lines.sort_by_key(|line| line.link);
    layout.width = shelf.width.max(below.width) + MARGIN;
    layout.height = layout.boxes.iter().map(Area::bottom).fold(0.0, f64::max) + MARGIN;
    layout
}

/// Rows that are filled from the left.
struct Shelf {
    room: f64,
    gap: f64,
    x: f64,
    y: f64,
    /// Height of the row so far.
    height: f64,
    /// Right edge of the widest row so far.
    width: f64,
}

impl Shelf {
    fn new(room: f64, gap: f64) -> Self {
        Self {
            room,
            gap,
            x: MARGIN,
            y: MARGIN,
            height: 0.0,
            width: MARGIN,
        }
    }

    fn put(&mut self, width: f64, height: f64) -> (f64, f64) {
        if self.x > MARGIN && self.x + width > MARGIN + self.room {
            self.x = MARGIN;
            self.y += self.height + self.gap;
            self.height = 0.0;
        }
        let place = (self.x, self.y);
        self.x += width + self.gap;
        self.height = self.height.max(height);
        self.width = self.width.max(place.0 + width);
        place
    }
}
