//! `SHOW CREATE TABLE` as a statement that a private server can carry out.

use super::ddl;
use crate::model::schema::TableName;
use crate::sql::pieces::{Token, tokens};

/// A definition for a private server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// `CREATE TABLE`, with the name qualified.
    pub sql: String,
    /// Names of the options that were left out and can matter for costs.
    pub lost: Vec<&'static str>,
}

/// Table options that name something of the other server, and whether costs can depend on them.
const OPTIONS: &[(&[&str], Option<&str>)] = &[
    (&["AUTO_INCREMENT"], None),
    (&["DATA", "DIRECTORY"], None),
    (&["INDEX", "DIRECTORY"], None),
    (&["ENCRYPTION"], None),
    (&["COMPRESSION"], Some("COMPRESSION")),
    (&["TABLESPACE"], None),
    (&["CONNECTION"], None),
    (&["SECONDARY_ENGINE"], Some("SECONDARY_ENGINE")),
    (&["AUTOEXTEND_SIZE"], None),
    (&["STATS_PERSISTENT"], None),
    (&["STATS_AUTO_RECALC"], None),
    (&["STATS_SAMPLE_PAGES"], None),
    (&["ENGINE_ATTRIBUTE"], None),
    (&["SECONDARY_ENGINE_ATTRIBUTE"], None),
];

/// The definition without options of the other server, and with those constraints whose names
/// `keeps` wants.
///
/// Where hiding and dropping indexes must be free, or the rows need not keep to them, none is
/// kept; the indexes that support foreign keys stay.
#[must_use]
pub fn definition(name: &TableName, create: &str, keeps: impl Fn(&str) -> bool) -> Definition {
    let mut lines: Vec<&str> = create
        .lines()
        .filter(|line| constraint(line).is_none_or(|name| keeps(&name)))
        .collect();
    if let Some(first) = lines.first_mut()
        && first.starts_with("CREATE ")
    {
        *first = "(";
    }
    let end = lines
        .iter()
        .rposition(|line| line.starts_with(')'))
        .unwrap_or(lines.len());
    let mut body = lines.get(..end).unwrap_or_default().join("\n");
    // What was removed may have been the last of the list.
    if body.ends_with(',') {
        body.pop();
    }
    let (options, lost) = without_options(&lines.get(end..).unwrap_or_default().join("\n"));
    Definition {
        sql: format!("CREATE TABLE {} {body}\n{options}", ddl::table(name)),
        lost,
    }
}

/// The name of the constraint that a line of `SHOW CREATE TABLE` defines.
fn constraint(line: &str) -> Option<String> {
    let rest = line.trim_start().strip_prefix("CONSTRAINT ")?;
    tokens(rest).first()?.name()
}

/// The part behind the columns, without the options in [`OPTIONS`].
fn without_options(text: &str) -> (String, Vec<&'static str>) {
    let all = tokens(text);
    let mut kept = String::with_capacity(text.len());
    let mut lost = Vec::new();
    let mut place = 0;
    while place < all.len() {
        let found = OPTIONS
            .iter()
            .find_map(|(words, matters)| Some((option_end(&all, place, words)?, *matters)));
        if let Some((end, matters)) = found {
            lost.extend(matters);
            place = end;
        } else {
            kept.push_str(all[place].text());
            place += 1;
        }
    }
    (kept, lost)
}

/// Where the option `words [=] value` ends that begins at `place`, with the space before it.
fn option_end(all: &[Token<'_>], place: usize, words: &[&str]) -> Option<usize> {
    let mut next = place;
    let skip_space = |next: &mut usize| {
        while matches!(all.get(*next), Some(Token::Space(_))) {
            *next += 1;
        }
    };
    for word in words {
        skip_space(&mut next);
        if !all.get(next)?.is(word) {
            return None;
        }
        next += 1;
    }
    skip_space(&mut next);
    if matches!(all.get(next), Some(Token::Other("="))) {
        next += 1;
        skip_space(&mut next);
    }
    matches!(
        all.get(next)?,
        Token::Word(_) | Token::Quoted(_) | Token::Text(_) | Token::Number(_)
    )
    .then_some(next + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_lose_constraints_and_places() {
        let create = "CREATE TABLE `t` (\n  `id` int NOT NULL AUTO_INCREMENT,\n  `p` int \
                      DEFAULT NULL COMMENT 'DATA DIRECTORY=''x''',\n  PRIMARY KEY (`id`),\n  KEY \
                      `p` (`p`),\n  CONSTRAINT `f` FOREIGN KEY (`p`) REFERENCES `t` (`id`),\n  \
                      CONSTRAINT `c` CHECK ((`p` > 0))\n) /*!50100 TABLESPACE `ts` */ \
                      ENGINE=InnoDB AUTO_INCREMENT=17 DEFAULT CHARSET=utf8mb4 \
                      COMPRESSION='zlib' COMMENT='AUTO_INCREMENT=3'\n/*!50100 PARTITION BY RANGE \
                      (`id`)\n(PARTITION a VALUES LESS THAN (10) DATA DIRECTORY = '/x' ENGINE = \
                      InnoDB) */";
        let made = definition(&TableName::new("s`x", "t"), create, |_| false);
        assert_eq!(
            made.sql,
            "CREATE TABLE `s``x`.`t` (\n  `id` int NOT NULL AUTO_INCREMENT,\n  `p` int DEFAULT \
             NULL COMMENT 'DATA DIRECTORY=''x''',\n  PRIMARY KEY (`id`),\n  KEY `p` (`p`)\n) \
             /*!50100 */ ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='AUTO_INCREMENT=3'\n\
             /*!50100 PARTITION BY RANGE (`id`)\n(PARTITION a VALUES LESS THAN (10) ENGINE = \
             InnoDB) */"
        );
        assert_eq!(made.lost, ["COMPRESSION"]);
        let some = definition(&TableName::new("s", "t"), create, |name| name == "f");
        assert!(
            some.sql.contains("REFERENCES `t` (`id`)\n) "),
            "{}",
            some.sql
        );
        assert!(!some.sql.contains("CHECK"), "{}", some.sql);
    }
}
