//! Costs of all sets from few plans.

use super::*;

/// Corrects the costs by the plans under one set.
async fn recosted(
    session: &mut Session,
    stage: &Stage,
    questions: &[Question],
    known: &[Known],
    costs: &mut [QueryCosts],
) -> Vec<Correction> {
    let set: Set = [0, 1, 5]
        .into_iter()
        .chain(stage.kept.iter().copied())
        .collect();
    whatif::recost(session, stage.scene(), questions, known, &set, costs, 0.02)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn few_plans_tell_what_all_subsets_tell() {
    let stage = Stage::new("graph", &SHOP, &SHOP_INDEXES).await;
    let mut session = stage.session().await;
    let questions = shop_questions(&stage);
    let explored = explored(&stage, &mut session, &questions).await;
    let few = session.calls().explains;
    assert!(!explored.is_interrupted);
    let mut off = 0;
    let mut compared = 0;
    for bits in 0_u32..64 {
        let set: Set = (0..6).filter(|i| bits >> i & 1 == 1).collect();
        let visible: Set = set.union(&stage.kept).copied().collect();
        let plans = whatif::plans(&mut session, &questions, &explored.queries, &visible)
            .await
            .unwrap();
        for (plans, known) in plans.iter().zip(&explored.queries) {
            let exact = plans.iter().map(|plan| plan.cost).sum::<f64>() / plans.len() as f64;
            let derived = effects::cost(&known.costs, &set);
            compared += 1;
            if (exact - derived).abs() > 0.02 * exact {
                eprintln!("{set:?}: exact {exact}, derived {derived}");
                off += 1;
            }
        }
    }
    let all = session.calls().explains - few;
    eprintln!("{few} plans for {all}, {off} of {compared} costs off by more than 2 %");
    assert!(off * 20 <= compared, "{off} of {compared}");
    assert!(few * 4 < all, "{few} plans in place of {all}");
    // Two samples by 2^3 sets, one by 2^3, one by 2^6.
    assert!((explored.exhaustive - 88.0).abs() < 1e-9);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exact_costs_of_a_set_are_written_back() {
    let stage = Stage::new("recost", &SHOP, &SHOP_INDEXES).await;
    let mut session = stage.session().await;
    let questions = shop_questions(&stage);
    let explored = explored(&stage, &mut session, &questions).await;
    let mut costs: Vec<QueryCosts> = explored
        .queries
        .iter()
        .map(|known| known.costs.clone())
        .collect();
    // One is made too cheap and one too expensive.
    for configuration in &mut costs[0].configurations {
        configuration.cost *= 0.5;
    }
    for configuration in &mut costs[1].configurations {
        configuration.cost *= 3.0;
    }
    let known = &explored.queries;
    let corrected = recosted(&mut session, &stage, &questions, known, &mut costs).await;
    assert!(
        corrected
            .iter()
            .any(|one| one.query == 0 && one.exact > one.derived)
    );
    assert!(
        corrected
            .iter()
            .any(|one| one.query == 1 && one.exact < one.derived)
    );
    let again = recosted(&mut session, &stage, &questions, known, &mut costs).await;
    assert_eq!(again, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_exploration_gives_what_it_has() {
    let stage = Stage::new("cancel", &SHOP, &SHOP_INDEXES).await;
    let mut session = stage.session().await;
    let questions = shop_questions(&stage);
    let stop = CancellationToken::new();
    let mut steps = 0;
    let mut watch = |_| {
        steps += 1;
        if steps == 2 {
            stop.cancel();
        }
    };
    let bounds = Bounds::default();
    let explored = whatif::explore(
        &mut session,
        stage.scene(),
        &questions,
        bounds,
        &mut watch,
        &stop,
    )
    .await
    .unwrap();
    assert!(explored.is_interrupted);
    assert_eq!(steps, 2);
    for known in &explored.queries {
        let today = known.today.unwrap();
        assert!((effects::cost(&known.costs, &stage.existing) - today).abs() < 1e-9);
    }
    assert_eq!(
        stage.invisible().await,
        ["age", "day", "day_amount", "person_day", "town_age"]
    );
    // Cancelled from the start, nothing is asked.
    let asked = session.calls();
    let explored = whatif::explore(
        &mut session,
        stage.scene(),
        &questions,
        bounds,
        &mut |_| {},
        &stop,
    )
    .await
    .unwrap();
    assert_eq!(session.calls().explains, asked.explains);
    assert!(
        explored
            .queries
            .iter()
            .all(|known| known.today.is_none() && known.error.is_some())
    );
}

/// A hundred queries over two tables with a dozen candidates each.
#[allow(
    clippy::too_many_lines,
    reason = "a list of cases, one after the other"
)]
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_queries_take_few_plans() {
    let mut indexes: Vec<(&str, &str, &str, bool)> = vec![
        ("person", "p1", "town", true),
        ("person", "p2", "town, age", false),
        ("person", "p3", "age", false),
        ("person", "p4", "age, town", false),
        ("person", "p5", "name", false),
        ("person", "p6", "town, name", false),
        ("person", "p7", "age, name", false),
        ("sale", "s1", "person_id, day", false),
        ("sale", "s2", "day", false),
        ("sale", "s3", "day, amount", false),
        ("sale", "s4", "amount", false),
        ("sale", "s5", "amount, day", false),
        ("sale", "s6", "person_id", true),
        ("sale", "s7", "person_id, amount", false),
    ];
    indexes.push(("sale", "s8", "day, person_id, amount", false));
    let stage = Stage::new("hundred", &SHOP, &indexes).await;
    let mut session = stage.session().await;
    let people: Set = (0..7).collect();
    let sales: Set = (7..15).collect();
    let all: Set = (0..15).collect();
    let questions: Vec<Question> = (0..100)
        .map(|i| {
            let (town, age, day) = (i % 200, i % 90, i * 7 % 730);
            let (sql, relevant) = match i % 5 {
                0 => (
                    format!("SELECT name FROM person WHERE town = {town} AND age > {age}"),
                    &people,
                ),
                1 => (
                    format!("SELECT SUM(amount) FROM sale WHERE day BETWEEN {day} AND {day} + 9"),
                    &sales,
                ),
                2 => (
                    format!(
                        "SELECT p.name, s.amount FROM person p JOIN sale s ON s.person_id = p.id \
                         WHERE p.age = {age} AND s.day > {day}"
                    ),
                    &all,
                ),
                3 => (
                    format!("SELECT * FROM sale WHERE amount > {town} ORDER BY day LIMIT 20"),
                    &sales,
                ),
                _ => (
                    format!(
                        "SELECT p.town, COUNT(*) FROM person p JOIN sale s ON s.person_id = p.id \
                         WHERE s.amount = {day} GROUP BY p.town ORDER BY 2 DESC LIMIT 5"
                    ),
                    &all,
                ),
            };
            stage.question(&[&sql], relevant.iter().copied())
        })
        .collect();
    let started = Instant::now();
    let explored = explored(&stage, &mut session, &questions).await;
    let calls = session.calls();
    let share = calls.explains as f64 / explored.exhaustive;
    eprintln!(
        "{} plans, {} of all {}, {} changes of visibility, {:?}",
        calls.explains,
        share,
        explored.exhaustive,
        calls.toggles,
        started.elapsed()
    );
    assert!(share <= 0.1, "{share}");
    assert!(
        explored
            .queries
            .iter()
            .all(|known| known.today.is_some() && !known.is_cut)
    );
}

/// The end of an index is read while the statement is planned, and the plan names no index.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_no_plan_names_is_found_by_hiding() {
    let stage = Stage::new("hidden", &SHOP, &SHOP_INDEXES).await;
    let mut session = stage.session().await;
    let questions = [
        stage.question(&["SELECT MIN(age) FROM person"], [0, 1, 2]),
        stage.question(&["SELECT name FROM person WHERE id = 900000"], [0, 1, 2]),
    ];
    let explored = explored(&stage, &mut session, &questions).await;
    let cost = |query: usize, set: &[usize]| {
        effects::cost(
            &explored.queries[query].costs,
            &set.iter().copied().collect(),
        )
    };
    assert!(cost(0, &[2]) < 2.0 && cost(0, &[0, 2]) < 2.0);
    assert!(
        cost(0, &[]) > 500.0 && cost(0, &[0, 1]) > 500.0,
        "{explored:#?}"
    );
    // The primary key answers this one, whatever else is there.
    assert!(cost(1, &[]) < 2.0);
}
