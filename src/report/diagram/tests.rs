//! Diagrams for tests, and what becomes of hostile names.

use super::*;

/// Text that tries to leave every place it is put into.
pub(in crate::report) const HOSTILE: &str =
    "o'r\"d`e</text></svg><script>alert(1)</script>|\u{202e}\x1b[2J&; }";

/// Tables `t0`, `t1`, … with a primary key and a column for each of these `(child, parent)` links.
pub(in crate::report) fn of(count: usize, links: &[(usize, usize)]) -> Diagram {
    let mut diagram = Diagram::default();
    for place in 0..count {
        diagram.entities.push(Entity {
            name: format!("t{place}"),
            fields: vec![Field {
                name: "id".to_owned(),
                full_type: "bigint unsigned".to_owned(),
                is_primary: true,
                ..Field::default()
            }],
            hidden: 3,
            is_outside: false,
        });
    }
    for (child, parent) in links {
        let fields = &mut diagram.entities[*child].fields;
        fields.push(Field {
            name: format!("t{parent}_id"),
            full_type: "bigint unsigned".to_owned(),
            is_foreign: true,
            ..Field::default()
        });
        let child_field = Some(fields.len() - 1);
        diagram.links.push(Link {
            name: format!("fk_{child}_{parent}"),
            child: *child,
            child_field,
            parent: *parent,
            parent_field: Some(0),
            columns: format!("t{parent}_id -> id"),
            ..Link::default()
        });
    }
    diagram
}

fn hostile() -> Diagram {
    let mut diagram = of(2, &[(1, 0)]);
    for entity in &mut diagram.entities {
        HOSTILE.clone_into(&mut entity.name);
        for field in &mut entity.fields {
            HOSTILE.clone_into(&mut field.name);
            HOSTILE.clone_into(&mut field.full_type);
        }
    }
    HOSTILE.clone_into(&mut diagram.links[0].name);
    HOSTILE.clone_into(&mut diagram.links[0].columns);
    diagram
}

#[test]
fn groups_are_what_links_connect() {
    let diagram = of(6, &[(1, 0), (2, 1), (5, 4), (3, 3)]);
    assert_eq!(diagram.components(), [vec![0, 1, 2], vec![4, 5], vec![3]]);
    let part = diagram.part(&[4, 5], "two".to_owned());
    assert_eq!(part.entities[1].name, "t5");
    assert_eq!((part.links[0].child, part.links[0].parent), (1, 0));
    assert_eq!(part.links.len(), 1);
}

#[test]
fn links_to_nowhere_are_left_out() {
    let mut diagram = of(2, &[(1, 0)]);
    diagram.links[0].parent = 9;
    assert_eq!(diagram.whole_links().count(), 0);
    assert_eq!(layout::of(&diagram).lines, []);
    assert_eq!(diagram.components().len(), 2);
}

#[test]
fn the_drawing_holds_no_markup_of_others() {
    let mut out = String::new();
    svg::draw(&mut out, &hostile());
    assert!(!out.contains("<script"), "{out}");
    assert_eq!(out.matches("</svg>").count(), 1);
    assert!(!out.contains('\u{202e}') && !out.contains('\x1b'));
    assert!(out.contains("&lt;/svg&gt;"));
}

#[test]
fn mermaid_gets_words_and_labels_that_mean_nothing_to_it() {
    let text = mermaid::text(&hostile()).unwrap();
    for line in text.lines().skip(1) {
        let quotes = line.matches('"').count();
        assert!(quotes == 0 || quotes == 2, "{line}");
        let inside = line.split('"').nth(1).unwrap_or_default();
        assert!(
            !inside.contains([
                '<', '>', '`', '&', ';', '#', '{', '}', '|', '\u{202e}', '\x1b'
            ]),
            "{line}"
        );
    }
    assert!(text.contains("    t1 ||--o{ t2 : "), "{text}");
    assert!(!text.contains("script>"));
}

#[test]
fn mermaid_says_what_the_keys_are() {
    let mut diagram = of(2, &[(1, 0)]);
    diagram.links[0].is_optional = true;
    diagram.links[0].is_single = true;
    assert_eq!(
        mermaid::text(&diagram).unwrap(),
        "erDiagram\n    t1[\"t0\"] {\n        bigint id PK\n    }\n    t2[\"t1\"] {\n        \
         bigint id PK\n        bigint t0_id FK\n    }\n    t1 |o--o| t2 : \"t0_id to id\"\n"
    );
    assert_eq!(mermaid::text(&Diagram::default()), None);
}

#[test]
fn the_list_shows_children_below_their_parents_once() {
    let diagram = of(5, &[(1, 0), (2, 1), (3, 1), (3, 0), (4, 4)]);
    assert_eq!(
        list::lines(&diagram),
        [
            "t0",
            "<- t1: t0_id -> id [many to 1]",
            "   <- t2: t1_id -> id [many to 1]",
            "   <- t3: t1_id -> id [many to 1]",
            "<- t3: t0_id -> id [many to 1]",
            "t4",
            "<- t4: t4_id -> id [many to 1] ...",
        ]
    );
    let circle = of(2, &[(1, 0), (0, 1)]);
    assert_eq!(
        list::lines(&circle),
        [
            "t0",
            "<- t1: t0_id -> id [many to 1]",
            "   <- t0: t1_id -> id [many to 1] ...",
        ]
    );
    assert!(
        list::lines(&hostile())
            .iter()
            .all(|line| !line.contains('\x1b'))
    );
}
