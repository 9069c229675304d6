//! What only the text of `SHOW CREATE TABLE` tells.

use crate::model::schema::{Index, IndexKind};
use crate::server::quote::ident;

/// Fills in the parsers of full-text indexes.
pub(super) fn add_parsers(indexes: &mut [Index], create: &str) {
    for index in indexes
        .iter_mut()
        .filter(|index| index.kind == IndexKind::FullText)
    {
        let head = format!("FULLTEXT KEY {} (", ident(&index.name));
        // One definition a line; no name or comment holds a line break, since the server escapes it.
        let line = create
            .lines()
            .find(|line| line.trim_start().starts_with(&head));
        index.parser = line
            .and_then(|line| line.rsplit_once(" WITH PARSER `"))
            .and_then(|(_, rest)| rest.split_once('`'))
            .map(|(parser, _)| parser.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsers_are_found_by_the_name_of_their_index() {
        let create = "CREATE TABLE `t` (\n  `s` text,\n  FULLTEXT KEY `ft` (`s`),\n  FULLTEXT KEY \
                      `n``g` (`s`) /*!50100 WITH PARSER `ngram` */ \n) ENGINE=InnoDB";
        let mut indexes: Vec<_> = ["ft", "n`g"]
            .into_iter()
            .map(|name| Index {
                kind: IndexKind::FullText,
                ..Index::btree(name, Vec::new())
            })
            .collect();
        add_parsers(&mut indexes, create);
        assert_eq!(indexes[0].parser, None);
        assert_eq!(indexes[1].parser.as_deref(), Some("ngram"));
    }
}
