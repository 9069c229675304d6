//! Fingerprints against the digests of a real server.

use std::collections::{BTreeMap, BTreeSet};

use mydex::sql::fingerprint::Fingerprinter;
use sqlx::Connection as _;

use crate::server;

/// One statement a line; `\n` in it stands for a line break.
const CORPUS: &str = include_str!("fingerprint/corpus.sql");

/// Texts that are to be read in several places: a block of places, where `{}` stands for a text,
/// then a block of texts, and so on.
const PLACES: &str = include_str!("fingerprint/places.txt");

/// The corpus, and each text in each of its places.
fn statements() -> Vec<String> {
    let blocks: Vec<Vec<&str>> = PLACES
        .split("\n\n")
        .map(|block| block.lines().collect())
        .collect();
    let (pairs, rest) = blocks.as_chunks::<2>();
    assert!(rest.is_empty(), "places without texts");
    let mut statements: Vec<String> = CORPUS.lines().map(str::to_owned).collect();
    for [places, texts] in pairs {
        for text in texts {
            statements.extend(places.iter().map(|place| place.replace("{}", text)));
        }
    }
    for statement in &mut statements {
        *statement = statement.replace("\\n", "\n");
    }
    statements
}

#[tokio::test(flavor = "multi_thread")]
async fn classes_are_those_of_the_server() {
    let schema = server::schema("fingerprint").await;
    let mut connection = server::connect(&schema.url()).await;
    let statements = statements();
    assert!(
        statements.len() >= 750,
        "only {} statements",
        statements.len()
    );
    let mut prints = Fingerprinter::new();
    let mut theirs: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
    let mut ours: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    let (mut refused, mut equal, mut different) = (Vec::new(), 0, Vec::new());
    for statement in &statements {
        let row: Result<(String, String), sqlx::Error> =
            sqlx::query_as("SELECT STATEMENT_DIGEST(?), STATEMENT_DIGEST_TEXT(?)")
                .bind(statement)
                .bind(statement)
                .fetch_one(&mut connection)
                .await;
        let Ok((digest, text)) = row else {
            refused.push(statement);
            continue;
        };
        let hash = prints.hash(statement.as_bytes());
        let own = prints.text(statement.as_bytes());
        if own == text {
            equal += 1;
        } else {
            different.push(format!("{statement}\n  server {text}\n  mydex  {own}"));
        }
        theirs.entry(hash).or_default().insert(digest.clone());
        ours.entry(digest).or_default().insert(hash);
    }
    connection.close().await.unwrap();
    let judged = statements.len() - refused.len();
    eprintln!(
        "{judged} statements in {} classes, {equal} texts equal, {} refused by the server",
        ours.len(),
        refused.len()
    );
    assert!(
        refused.len() * 50 <= statements.len(),
        "the server refused {refused:#?}"
    );
    assert!(
        ours.len() >= 300 && ours.len() + 200 <= judged,
        "{} classes",
        ours.len()
    );
    let merged: Vec<_> = theirs
        .values()
        .filter(|digests| digests.len() > 1)
        .collect();
    let split: Vec<_> = ours.iter().filter(|(_, hashes)| hashes.len() > 1).collect();
    assert!(
        merged.is_empty() && split.is_empty(),
        "{merged:?} {split:?} {different:#?}"
    );
    assert!(equal * 100 >= judged * 99, "{different:#?}");
}
