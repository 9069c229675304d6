//! What a reader expects of every layout, on schemas made at random.

use proptest::prelude::*;

use super::order::{self, Segment};
use super::*;
use crate::report::diagram::tests::of as diagram;

fn boxes_are_apart(layout: &Layout) {
    for (place, one) in layout.boxes.iter().enumerate() {
        assert!(one.x >= 0.0 && one.y >= 0.0);
        assert!(one.right() <= layout.width && one.bottom() <= layout.height);
        for other in &layout.boxes[place + 1..] {
            assert!(!one.meets(other), "{one:?} and {other:?}");
        }
    }
}

/// Every line begins at the side of its parent and ends at the side of its child, at the height of
/// their columns.
fn lines_meet_their_boxes(diagram: &Diagram, layout: &Layout) {
    let links: Vec<_> = diagram.whole_links().collect();
    assert_eq!(layout.lines.len(), links.len());
    for line in &layout.lines {
        let link = links[line.link];
        let ends = [
            (link.parent, link.parent_field, line.points[0]),
            (link.child, link.child_field, *line.points.last().unwrap()),
        ];
        for (entity, field, (x, y)) in ends {
            let area = layout.boxes[entity];
            let height = area.y + port(diagram, entity, field);
            assert!((y - height).abs() < 0.5, "{y} is not {height}");
            let is_at_side = (x - area.x).abs() < 0.5 || (x - area.right()).abs() < 0.5;
            assert!(is_at_side, "{x} is not at {area:?}");
        }
    }
}

/// Where a line passes a column it meets no box.
fn straight_stretches_are_free(layout: &Layout) {
    for line in &layout.lines {
        let stretches = line.points.windows(2).enumerate();
        for (_, pair) in stretches.filter(|(place, _)| place % 2 == 1) {
            let ((x, y), (to_x, _)) = (pair[0], pair[1]);
            let (left, right) = (x.min(to_x), x.max(to_x));
            let path = Area {
                x: left + 0.5,
                y: y - 0.5,
                width: (right - left - 1.0).max(0.0),
                height: 1.0,
            };
            let met: Vec<_> = layout
                .boxes
                .iter()
                .filter(|area| area.meets(&path))
                .collect();
            assert!(met.is_empty(), "{path:?} meets {met:?}");
        }
    }
}

#[test]
fn parents_stand_left_of_their_children() {
    let diagram = diagram(5, &[(1, 0), (2, 0), (3, 1), (3, 2), (4, 0), (4, 3)]);
    let layout = of(&diagram);
    for link in &diagram.links {
        assert!(layout.boxes[link.parent].right() < layout.boxes[link.child].x);
    }
    boxes_are_apart(&layout);
    lines_meet_their_boxes(&diagram, &layout);
    straight_stretches_are_free(&layout);
}

#[test]
fn circles_and_links_to_itself_have_a_place() {
    let diagram = diagram(3, &[(1, 0), (2, 1), (0, 2), (1, 1)]);
    let layout = of(&diagram);
    boxes_are_apart(&layout);
    lines_meet_their_boxes(&diagram, &layout);
}

#[test]
fn one_table_and_none_are_drawn() {
    let none = of(&Diagram::default());
    assert_eq!((none.boxes.len(), none.lines.len()), (0, 0));
    let one = of(&diagram(1, &[]));
    assert_eq!(one.boxes.len(), 1);
    boxes_are_apart(&one);
}

#[test]
fn a_high_column_becomes_several() {
    let star: Vec<(usize, usize)> = (1..61).map(|child| (child, 0)).collect();
    let diagram = diagram(61, &star);
    let layout = of(&diagram);
    boxes_are_apart(&layout);
    straight_stretches_are_free(&layout);
    assert!(
        layout.height < 2.5 * layout.width,
        "{} x {}",
        layout.width,
        layout.height
    );
}

#[test]
fn a_tangle_is_combed() {
    // Two columns of ten, linked in the opposite order: only the order of one has to turn.
    let layers = vec![(0..10).collect::<Vec<_>>(), (10..20).collect()];
    let segments: Vec<Segment> = (0..10)
        .map(|left| Segment {
            left,
            left_port: 0.5,
            right: 19 - left,
            right_port: 0.5,
        })
        .collect();
    assert_eq!(order::crossings(&layers, &segments), 45);
    let mut sorted = layers;
    order::sort(&mut sorted, &segments);
    assert_eq!(order::crossings(&sorted, &segments), 0);
}

#[test]
fn crossings_are_counted_with_the_heights_of_the_ends() {
    let layers = vec![vec![0], vec![1]];
    let segment = |left_port, right_port| Segment {
        left: 0,
        left_port,
        right: 1,
        right_port,
    };
    let crossed = [segment(0.2, 0.8), segment(0.8, 0.2)];
    assert_eq!(order::crossings(&layers, &crossed), 1);
    assert_eq!(
        order::crossings(&layers, &[segment(0.2, 0.2), segment(0.8, 0.8)]),
        0
    );
}

#[test]
fn long_names_are_cut_and_wide_ones_have_room() {
    assert_eq!(shown(&"x".repeat(200)).chars().count(), MAX_CHARS);
    assert_eq!(shown("short"), "short");
    assert_eq!(shown("a\u{202e}b"), "a\\u{202e}b");
    let mut wide = diagram(1, &[]);
    wide.entities[0].name = "漢".repeat(20);
    let narrow = of(&diagram(1, &[])).boxes[0].width;
    assert!(of(&wide).boxes[0].width > narrow * 2.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_schema_is_drawn_without_overlaps(
        count in 1_usize..60,
        raw in proptest::collection::vec((0_usize..60, 0_usize..60), 0..90),
    ) {
        let links: Vec<(usize, usize)> = raw
            .into_iter()
            .map(|(child, parent)| (child % count, parent % count))
            .collect();
        let diagram = diagram(count, &links);
        let layout = of(&diagram);
        boxes_are_apart(&layout);
        lines_meet_their_boxes(&diagram, &layout);
        straight_stretches_are_free(&layout);
        prop_assert_eq!(of(&diagram), layout);
    }

    #[test]
    fn sorting_never_makes_more_crossings(
        raw in proptest::collection::vec((0_usize..12, 0_usize..12), 1..50),
    ) {
        let layers = vec![(0..12).collect::<Vec<_>>(), (12..24).collect()];
        let segments: Vec<Segment> = raw
            .into_iter()
            .map(|(left, right)| Segment { left, left_port: 0.5, right: right + 12, right_port: 0.5 })
            .collect();
        let before = order::crossings(&layers, &segments);
        let mut sorted = layers;
        order::sort(&mut sorted, &segments);
        prop_assert!(order::crossings(&sorted, &segments) <= before);
        for layer in &mut sorted {
            layer.sort_unstable();
        }
        prop_assert_eq!(sorted, vec![(0..12).collect::<Vec<_>>(), (12..24).collect()]);
    }
}
