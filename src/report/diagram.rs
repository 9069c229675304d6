//! An entity-relationship diagram: boxes of tables, and links from the foreign keys to what they
//! refer to.

pub mod layout;
pub(super) mod list;
pub(super) mod mermaid;
pub(super) mod svg;

/// Tables and the relationships between them. Texts are raw.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Diagram {
    /// What is shown, and how it is to be read.
    pub caption: String,
    /// The tables.
    pub entities: Vec<Entity>,
    /// The relationships; those whose ends do not exist are left out.
    pub links: Vec<Link>,
}

/// A table in the diagram.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Entity {
    /// Its name.
    pub name: String,
    /// The columns that are shown, in order.
    pub fields: Vec<Field>,
    /// How many columns are not shown.
    pub hidden: usize,
    /// It is not part of what is documented: a link leads to it from there.
    pub is_outside: bool,
}

/// A column in the diagram.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type, as in `CREATE TABLE`.
    pub full_type: String,
    /// It is part of the primary key.
    pub is_primary: bool,
    /// It is part of a foreign key.
    pub is_foreign: bool,
    /// It may be NULL.
    pub is_nullable: bool,
}

/// A foreign key in the diagram.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Link {
    /// Name of the constraint.
    pub name: String,
    /// The table that has it, by its place in [`Diagram::entities`].
    pub child: usize,
    /// Its first column, by its place in the child's fields.
    pub child_field: Option<usize>,
    /// The table that it refers to.
    pub parent: usize,
    /// The first column there.
    pub parent_field: Option<usize>,
    /// The columns of both sides, such as `vpc_id -> id`.
    pub columns: String,
    /// Its columns may be NULL: a row need not have a parent.
    pub is_optional: bool,
    /// Its columns are unique: a parent has one row at most.
    pub is_single: bool,
}

impl Diagram {
    /// The links whose ends exist.
    pub(super) fn whole_links(&self) -> impl Iterator<Item = &Link> {
        let count = self.entities.len();
        self.links
            .iter()
            .filter(move |link| link.child < count && link.parent < count)
    }

    /// The tables in groups that are connected by links, the largest first; within a group in
    /// their order here.
    #[must_use]
    pub fn components(&self) -> Vec<Vec<usize>> {
        let mut leader: Vec<usize> = (0..self.entities.len()).collect();
        for link in self.whole_links() {
            let (one, other) = (root(&leader, link.child), root(&leader, link.parent));
            let (low, high) = (one.min(other), one.max(other));
            leader[high] = low;
        }
        let mut groups: std::collections::BTreeMap<usize, Vec<usize>> =
            std::collections::BTreeMap::new();
        for place in 0..self.entities.len() {
            groups.entry(root(&leader, place)).or_default().push(place);
        }
        let mut groups: Vec<_> = groups.into_values().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
        groups
    }

    /// The part of the diagram with these tables and the links among them.
    #[must_use]
    pub fn part(&self, places: &[usize], caption: String) -> Self {
        let places_here: std::collections::BTreeMap<usize, usize> = places
            .iter()
            .enumerate()
            .map(|(new, old)| (*old, new))
            .collect();
        let new_place = |old: usize| places_here.get(&old).copied();
        Self {
            caption,
            entities: places
                .iter()
                .filter_map(|place| self.entities.get(*place).cloned())
                .collect(),
            links: self
                .whole_links()
                .filter_map(|link| {
                    Some(Link {
                        child: new_place(link.child)?,
                        parent: new_place(link.parent)?,
                        ..link.clone()
                    })
                })
                .collect(),
        }
    }
}

fn root(leader: &[usize], mut place: usize) -> usize {
    while leader[place] != place {
        place = leader[place];
    }
    place
}

#[cfg(test)]
pub(in crate::report) mod tests;
