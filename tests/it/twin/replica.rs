//! A replica that candidates are made on.

use super::*;

#[tokio::test]
async fn a_replica_gets_candidates_and_loses_them_again() {
    let schema = server::schema("twin_replica").await;
    let name = schema.name();
    let mut original = server::connect(&schema.url()).await;
    run(
        &mut original,
        "CREATE TABLE t (id INT PRIMARY KEY, j JSON, x INT)",
    )
    .await;
    let mut target = target().await;
    let catalog = read(&mut target, name).await;
    let endpoint = server::shared().await.endpoint();
    let same = endpoint.server("test");
    let none = workload(vec![]);
    let mut options = TwinOptions::new(Tier::Replica);
    let cancel = CancellationToken::new();
    for tier in [Tier::Replica, Tier::Sample, Tier::Dataless] {
        options.tier = tier;
        let refused = twin::build(
            &mut target,
            &same,
            &catalog,
            &none,
            &[],
            &options,
            &mut |_| {},
            &cancel,
        )
        .await;
        assert!(matches!(refused, Err(twin::Error::SameServer { .. })));
    }
    options.tier = Tier::Replica;
    options.may_be_target = true;
    let mut built = twin::build(
        &mut target,
        &same,
        &catalog,
        &none,
        &[],
        &options,
        &mut |_| {},
        &cancel,
    )
    .await
    .unwrap();
    let candidate = Candidate {
        table: TableName::new(name, "t"),
        index: Index::btree("by_a", vec![KeyPart::column("a"), KeyPart::column("x")]),
        column: Some(GeneratedColumn {
            name: "a".to_owned(),
            full_type: "INT".to_owned(),
            expression: "j->>'$.a'".to_owned(),
        }),
        origins: vec![],
        bytes: 0,
        lock: LockLevel::None,
    };
    assert_eq!(built.create(&[candidate]).await, [Ok(())]);
    let made = read(&mut target, name).await;
    let table = &made.tables[&TableName::new(name, "t")];
    assert!(!table.index("by_a").unwrap().is_visible);
    assert!(table.column("a").unwrap().generated.is_some());
    built.finish().await.unwrap();
    let after = read(&mut target, name).await;
    assert_eq!(
        after.tables[&TableName::new(name, "t")].columns,
        catalog.tables[&TableName::new(name, "t")].columns
    );
    assert_eq!(after.tables[&TableName::new(name, "t")].indexes.len(), 1);
}
