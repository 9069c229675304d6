//! What a drop breaks on a server.

use super::Judge;
use crate::config::mistake::did_you_mean;
use crate::indexes::facets::{Facet, differences};
use crate::indexes::lint::Breach;
use crate::indexes::{future, rules};
use crate::model::review::{Fate, Required};
use crate::model::schema::Table;

impl Judge<'_> {
    pub(super) fn drop(&self, table: &Table) -> Vec<Breach> {
        let index = &self.file.entry.definition.index;
        let Some(old) = table.index(&index.name) else {
            let known = table.indexes.iter().map(|index| index.name.as_str());
            let remedy = match did_you_mean(&index.name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "leave the definition out".to_owned(),
            };
            let what = format!("`{}` has no index `{}`", table.name, index.name);
            return vec![self.breach(&rules::NO_INDEX, "index", what, remedy)];
        };
        let mut found = Vec::new();
        for one in differences(index, old) {
            // Hiding it first is how a careful drop begins.
            if one.facet == Facet::Visible {
                continue;
            }
            let key = one.facet.key();
            found.push(self.breach(
                &rules::OTHER_INDEX,
                key,
                format!(
                    "`{key}` is `{}`, and the index has `{}`",
                    one.wanted, one.found
                ),
                "state the index as it is, so that taking the drop back brings the same",
            ));
        }
        let near = future::around(self.now, &table.name);
        let verdicts = self.review(&near, table);
        let own = verdicts.iter().find(|one| one.index.name == old.name);
        if let Some(Fate::Required(why)) = own.map(|own| &own.fate) {
            found.push(self.needed(*why, table));
        }
        found
    }

    fn needed(&self, why: Required, table: &Table) -> Breach {
        let (rule, what, remedy) = match why {
            Required::Unique => (
                &rules::LAST_UNIQUE,
                "it keeps values unique, and no other index does",
                "keep it, or allow this with the reason why duplicates may come",
            ),
            Required::ForeignKeyChild => (
                &rules::NEEDED,
                "a foreign key of the table has no other index (error 1553)",
                "write a definition before it that makes another one for the foreign key",
            ),
            Required::ForeignKeyParent => (
                &rules::NEEDED,
                "a foreign key of another table refers to its columns (error 1553)",
                "keep it, or drop the foreign key first",
            ),
            Required::ImplicitPrimaryKey => (
                &rules::NEEDED,
                "it stands for the primary key that the table lacks (error 3522)",
                "add a primary key first",
            ),
            Required::AutoIncrement => (
                &rules::NEEDED,
                "the column that counts up by itself must be the first of an index (error 1075)",
                "write a definition before it that makes another one",
            ),
            Required::Hint => (
                &rules::NEEDED,
                "a query names it in a hint",
                "change the query first",
            ),
        };
        let what = format!("`{}`: {what}", table.name);
        self.breach(rule, "index", what, remedy)
    }
}
