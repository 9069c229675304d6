//! Ranges on a twin without data: the optimizer always looks into the index for them and finds
//! nothing there, so that they are asked as lists of as many values as the range has.

mod text;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use text::{Range, id, joined, ranges};

use crate::advisor::workload::Sample;
use crate::sql::pieces::tokens;

/// A column: schema, table and its name, in lower case.
pub(super) type ColumnKey = (String, String, String);

/// What is known about ranges and columns of a twin without data.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Estimates {
    /// What stands for ranges: `BETWEEN` and comparisons as they are in the text.
    pub(super) stands: BTreeMap<String, Stand>,
    /// Distinct values of columns by histograms.
    pub(super) distinct: BTreeMap<ColumnKey, u64>,
    /// Columns whose histograms the twin has, although ranges on them are asked as lists.
    pub(super) histograms: BTreeSet<ColumnKey>,
    /// Distinct values that the twin takes for granted, whatever indexes say.
    pub(super) fixed: BTreeMap<ColumnKey, f64>,
    /// Columns that refer to a key of so many rows.
    pub(super) references: Vec<Reference>,
    /// Columns of the indexes on the twin, by schema and table, in lower case.
    pub(super) indexes: BTreeMap<(String, String), Vec<Vec<String>>>,
}

/// Columns of a table whose values are those of a key of another table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    /// Schema and table, in lower case.
    pub(super) table: (String, String),
    /// In lower case.
    pub(super) columns: BTreeSet<String>,
    /// Rows of the other table.
    pub(super) rows: u64,
}

/// What stands for a range.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Stand {
    /// Of the column that is compared.
    pub(super) column: ColumnKey,
    /// Values of the range, as literals.
    pub(super) values: Vec<String>,
    /// Share of the rows that the optimizer sees in the range without an index.
    pub(super) share: f64,
    /// The column has a histogram on the twin.
    pub(super) has_histogram: bool,
}

/// What the optimizer takes for the share of the rows that have one value of a list, and all of
/// them at most, where it has no histogram (tried on MySQL 9.7).
const IN_LIST: f64 = 0.1;
const LONG_IN_LIST: f64 = 0.5;

impl Stand {
    /// The condition, on the column as the text writes it. `is_later`: every index that has the
    /// column has another range before it, so that it only filters.
    fn condition(&self, column: &str, is_later: bool) -> String {
        if is_later {
            return match filter(column, self.share) {
                filter if filter.is_empty() => "TRUE".to_owned(),
                filter => format!("({filter})"),
            };
        }
        if self.has_histogram {
            // The histogram is asked for each value, also of a list (`IN`) that an index has been
            // read by; of alternatives only where none has.
            let all: Vec<String> = self
                .values
                .iter()
                .map(|value| format!("{column} = {value}"))
                .collect();
            return format!("({})", all.join(" OR "));
        }
        let in_list = |values: &[String]| format!("{column} IN ({})", values.join(", "));
        let share = |values: &[String]| (IN_LIST * values.len() as f64).min(LONG_IN_LIST);
        let mut listed = share(&self.values);
        let mut lists = vec![in_list(&self.values)];
        // The same values again change nothing but the share that is seen in them.
        let again = &self.values[..self.values.len().min(5)];
        while listed < self.share && lists.len() < 12 {
            lists.push(in_list(again));
            listed = 1.0 - (1.0 - listed) * (1.0 - share(again));
        }
        let list = lists.join(" OR ");
        match filter(column, self.share / listed) {
            filter if filter.is_empty() => format!("({list})"),
            filter => format!("(({list}) AND {filter})"),
        }
    }
}

/// Conditions that no index can serve and in which the optimizer sees about this share of the
/// rows: its constants for comparisons of unknown outcome (tried on MySQL 9.7), here of a column
/// with itself.
fn filter(column: &str, share: f64) -> String {
    const SHARES: [f64; 9] = [0.1111, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0];
    let with = |share: f64| match share {
        share if share < 0.15 => format!("{column} BETWEEN {column} AND {column}"),
        share => {
            let is_in = share < 0.55;
            let times = if is_in { share } else { 1.0 - share } * 10.0;
            let list = (1..=5)
                .filter(|number| f64::from(*number) < times + 0.5)
                .map(|_| column)
                .collect::<Vec<_>>()
                .join(", ");
            format!("{column} {} ({list})", if is_in { "IN" } else { "NOT IN" })
        }
    };
    let mut rest = share.clamp(1e-6, 1.0);
    let mut conditions = Vec::new();
    while rest < 0.9 {
        let off = |one: f64| (one / rest).ln().abs();
        let next = SHARES
            .into_iter()
            .map(|one| one.max(0.1111))
            .min_by(|one, other| off(*one).total_cmp(&off(*other)))
            .unwrap_or(1.0);
        if next >= 1.0 {
            break;
        }
        conditions.push(with(next));
        rest /= next;
    }
    conditions.join(" AND ")
}

/// The sample with lists in place of ranges, for costing only.
pub(super) fn rewritten(sample: &Sample, estimates: &Estimates) -> Sample {
    if estimates.stands.is_empty() {
        return sample.clone();
    }
    let all = tokens(&sample.sql);
    let found = ranges(&sample.sql);
    let conditions = joined(&sample.sql, &found);
    let stands: Vec<Option<&Stand>> = found
        .iter()
        .zip(&conditions)
        .map(|(range, (condition, _))| estimates.stands.get(&id(&range.name, condition)))
        .collect();
    let ranged: BTreeSet<&ColumnKey> = stands.iter().flatten().map(|s| &s.column).collect();
    let mut sql = String::new();
    let mut place = 0;
    for ((range, (_, stays)), stand) in found.iter().zip(&conditions).zip(&stands) {
        let Some(stand) = stand else {
            continue;
        };
        let head: String = all[place..range.tokens.0]
            .iter()
            .map(|t| t.text())
            .collect();
        sql.push_str(&head);
        if *stays {
            let is_later = is_later(&stand.column, &ranged, estimates);
            sql.push_str(&stand.condition(&range.column, is_later));
        } else {
            sql.push_str("TRUE");
        }
        place = range.tokens.1;
    }
    let tail: String = all[place..].iter().map(|t| t.text()).collect();
    sql.push_str(&tail);
    Sample {
        sql,
        is_made_up: sample.is_made_up,
    }
}

/// Whether each index that holds the column has another range of the statement before it: an index
/// is read along its first range, and what stands behind it only filters. As two lists they would
/// be read as all their combinations.
fn is_later(column: &ColumnKey, ranged: &BTreeSet<&ColumnKey>, estimates: &Estimates) -> bool {
    let (schema, table, name) = column;
    let is_ranged = |other: &String| {
        other != name && ranged.contains(&(schema.clone(), table.clone(), other.clone()))
    };
    let indexes = estimates.indexes.get(&(schema.clone(), table.clone()));
    let mut places = indexes
        .into_iter()
        .flatten()
        .filter_map(|index| Some((index, index.iter().position(|part| part == name)?)))
        .peekable();
    places.peek().is_some() && places.all(|(index, place)| index[..place].iter().any(is_ranged))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Estimates {
        let mut estimates = Estimates::default();
        for (condition, list, share) in [
            ("d {} BETWEEN '2024-01-01' AND '2024-01-07'", "1, 2", 0.2),
            ("n {} >= 3 AND {} < 9", "3, 4", 0.2),
            ("n {} < 9 + 1", "5, 6, 7, 8", 0.2),
            ("n {} <> 4", "1", 0.1),
            ("n {} LIKE 'a%'", "2", 0.1),
            ("n {} IS NOT NULL", "3", 0.1),
            ("m {} < 9", "5, 6", 0.35),
            ("h {} < 9", "5, 6", 0.3),
            ("e {} < DATE '2024-01-01' + INTERVAL 1 DAY", "6", 0.1),
        ] {
            let (column, rest) = condition.split_once(' ').unwrap();
            let stand = Stand {
                column: (String::new(), "t".to_owned(), column.to_owned()),
                values: list.split(", ").map(str::to_owned).collect(),
                share,
                has_histogram: column == "h",
            };
            estimates.stands.insert(id(column, rest), stand);
        }
        estimates.indexes.insert(
            (String::new(), "t".to_owned()),
            vec![vec!["d".to_owned(), "e".to_owned()]],
        );
        estimates
    }

    #[test]
    fn ranges_become_lists() {
        let estimates = known();
        for (sql, expected) in [
            (
                "SELECT * FROM t WHERE t.`d` BETWEEN '2024-01-01' AND '2024-01-07' AND a = 1",
                "SELECT * FROM t WHERE (t.`d` IN (1, 2)) AND a = 1",
            ),
            (
                "SELECT * FROM t WHERE n >= 3 AND x = 2 AND n < 9 LIMIT 5",
                "SELECT * FROM t WHERE (n IN (3, 4)) AND x = 2 AND TRUE LIMIT 5",
            ),
            (
                "SELECT * FROM t WHERE n >= 3 OR n < 9",
                "SELECT * FROM t WHERE n >= 3 OR n < 9",
            ),
            (
                "SELECT * FROM t WHERE n < 9 + 1",
                "SELECT * FROM t WHERE ((n IN (5, 6, 7, 8)) AND n IN (n, n, n, n, n))",
            ),
            (
                "SELECT * FROM t WHERE m < 9 AND h < 9",
                "SELECT * FROM t WHERE (m IN (5, 6) OR m IN (5, 6)) AND (h = 5 OR h = 6)",
            ),
            (
                "SELECT * FROM t WHERE e < DATE '2024-01-01' + INTERVAL 1 DAY ORDER BY e",
                "SELECT * FROM t WHERE (e IN (6)) ORDER BY e",
            ),
            (
                "SELECT * FROM t WHERE d BETWEEN '2024-01-01' AND '2024-01-07' \
                 AND e < DATE '2024-01-01' + INTERVAL 1 DAY",
                "SELECT * FROM t WHERE (d IN (1, 2)) AND (e BETWEEN e AND e)",
            ),
            (
                "SELECT * FROM t WHERE n >= 4",
                "SELECT * FROM t WHERE n >= 4",
            ),
            (
                "SELECT * FROM t WHERE n <=> 4",
                "SELECT * FROM t WHERE n <=> 4",
            ),
            (
                "SELECT * FROM t WHERE n <> 4 AND n NOT LIKE 'a%' AND n LIKE '%a'",
                "SELECT * FROM t WHERE (n IN (1)) AND n NOT LIKE 'a%' AND n LIKE '%a'",
            ),
            (
                "SELECT * FROM t WHERE n LIKE 'a%' AND n IS NOT NULL AND n IS NULL",
                "SELECT * FROM t WHERE (n IN (2)) AND (n IN (3)) AND n IS NULL",
            ),
            (
                "SELECT * FROM t WHERE n >= 3 + 1",
                "SELECT * FROM t WHERE n >= 3 + 1",
            ),
        ] {
            let sample = Sample {
                sql: sql.to_owned(),
                is_made_up: false,
            };
            assert_eq!(rewritten(&sample, &estimates).sql, expected);
        }
    }

    #[test]
    fn filters_let_the_share_through() {
        for (share, condition) in [
            (1.0, ""),
            (0.33, "c IN (c, c, c)"),
            (0.1, "c BETWEEN c AND c"),
            (0.46, "c IN (c, c, c, c, c)"),
            (0.72, "c NOT IN (c, c, c)"),
            (0.06, "c BETWEEN c AND c AND c IN (c, c, c, c, c)"),
        ] {
            assert_eq!(filter("c", share), condition, "{share}");
        }
    }
}
