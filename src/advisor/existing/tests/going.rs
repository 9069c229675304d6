//! Indexes that go: those that nobody reads, and those that a new one stands in for.

use super::*;

/// Three days of counts of `x.t`: nothing was read through `x` and `u`.
fn counted() -> IndexUsage {
    let mut usage = IndexUsage {
        window: Some(Duration::from_hours(72)),
        ..IndexUsage::default()
    };
    let name = TableName::new("x", "t");
    for (index, reads) in [("x", 0), ("y", 5), ("u", 0)] {
        usage.counts.insert(
            (name.clone(), index.to_owned()),
            Counts { reads, writes: 9 },
        );
    }
    usage
}

fn reviewed(usage: &IndexUsage) -> Vec<Verdict> {
    let table = table("t", &["PRIMARY (id)", "u! (c)", "x (a)", "y (b)", "z (e)"]);
    let catalog = Catalog {
        tables: BTreeMap::from([(table.name.clone(), table)]),
        ..Catalog::default()
    };
    review(&catalog, usage, &[])
}

#[test]
fn what_is_not_read_is_unused() {
    let verdicts = reviewed(&counted());
    let of = |name: &str| {
        verdicts
            .iter()
            .find(|verdict| verdict.index.name == name)
            .unwrap()
    };
    assert_eq!(of("x").fate, Fate::Unused);
    assert!(of("x").reason.contains("in the 3d") && of("x").reason.contains("less than a month"));
    assert_eq!(
        of("x").ddl,
        [
            "ALTER TABLE `x`.`t` ALTER INDEX `x` INVISIBLE",
            "ALTER TABLE `x`.`t` DROP INDEX `x`, ALGORITHM=INPLACE, LOCK=NONE",
        ]
    );
    assert_eq!(
        of("x").undo,
        [
            "ALTER TABLE `x`.`t` ALTER INDEX `x` VISIBLE",
            "ALTER TABLE `x`.`t` ADD INDEX `x` (`a`), ALGORITHM=INPLACE, LOCK=NONE",
        ]
    );
    assert_eq!(of("y").fate, Fate::Keep);
    // Complaint mysql-sys #108: a unique one is not unused.
    assert_eq!(of("u").fate, Fate::Required(Required::Unique));
    // Not counted is not unused.
    assert_eq!(of("z").fate, Fate::Keep);
}

#[test]
fn the_window_of_the_counts_is_said() {
    let mut usage = counted();
    let name = TableName::new("x", "t");
    usage.window = Some(Duration::from_hours(24 * 40));
    let later = reviewed(&usage);
    let unused = later
        .iter()
        .find(|verdict| verdict.index.name == "x")
        .unwrap();
    assert!(!unused.reason.contains("less than a month"));
    // The server forgets the counts of a table that is altered.
    for (ago, fate) in [(23, Fate::Keep), (24, Fate::Unused)] {
        let ago = Duration::from_hours(ago);
        usage.altered.insert(name.clone(), ago);
        let after = reviewed(&usage);
        let own = after.iter().find(|one| one.index.name == "x").unwrap();
        assert_eq!(own.fate, fate, "{}", own.reason);
        assert!(own.reason.contains("was altered"), "{}", own.reason);
        assert_eq!(is_unread_so_far(&usage, own), fate == Fate::Keep);
    }
    usage.altered.clear();
    usage.window = Some(Duration::from_hours(23));
    let early = reviewed(&usage);
    let own = early.iter().find(|one| one.index.name == "x").unwrap();
    assert_eq!(own.fate, Fate::Keep);
    assert!(
        own.reason.ends_with("too short to call it unused"),
        "{}",
        own.reason
    );
    usage.window = None;
    assert!(
        reviewed(&usage)
            .iter()
            .all(|verdict| !verdict.fate.is_drop())
    );
}

#[test]
fn an_index_gives_way_to_a_new_one_that_does_all_it_does() {
    let gives_way = |table: &Table, shapes: &[(usize, Shape)], old: &str, new: &str| {
        let catalog = Catalog {
            tables: BTreeMap::from([(table.name.clone(), table.clone())]),
            ..Catalog::default()
        };
        super::gives_way(
            &catalog,
            shapes,
            table,
            table.index(old).unwrap(),
            &index(new),
        )
    };
    let plain = table(
        "t",
        &["PRIMARY (id)", "x (a)", "u! (b)", "y (a c)", "late (n id)"],
    );
    for (old, new, expected) in [
        ("x", "new (a b)", true),
        ("y", "new (a c b)", true),
        ("x", "new (a-)", true),
        ("x", "new (b a)", false),
        ("y", "new (a b)", false),
        // Uniqueness, and what costs far more to read.
        ("u", "new (b c)", false),
        ("x", "new (a w)", false),
    ] {
        assert_eq!(gives_way(&plain, &[], old, new), expected, "{old} {new}");
    }
    let hinted = [reads("t", |used| used.hints.push("x".to_owned()))];
    assert!(!gives_way(&plain, &hinted, "x", "new (a b)"));
    // The new one has another tail, and a query reads in the order of the old one's.
    let ordered = [reads("t", |used| used.order = parts("id"))];
    assert!(!gives_way(&plain, &ordered, "x", "new (a b)"));

    // It supports a foreign key that `x` supports, though `y` does as well and may go by itself.
    let mut child = plain.clone();
    child.foreign_keys.push(ForeignKey {
        name: "fk".to_owned(),
        columns: vec!["a".to_owned()],
        parent: TableName::new("x", "parent"),
        parent_columns: vec!["id".to_owned()],
    });
    assert!(gives_way(&child, &[], "x", "new (a b)"));
    // A descending part supports none.
    assert!(!gives_way(&child, &[], "x", "new (a-)"));
}
