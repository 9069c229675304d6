//! Whether a table's columns can be in an index of some kind.

use super::{Breach, Experts, File};
use crate::config::mistake::did_you_mean;
use crate::indexes::rules;
use crate::model::schema::{Column, Index, IndexKind, KeyPart, Part, Table};
use crate::server::ddl::{Algorithm, Mode};

/// What the server would refuse about the parts of a new index.
pub(super) fn check(file: &File, table: &Table, experts: &Experts) -> Vec<Breach> {
    let index = &file.entry.definition.index;
    let mut found = Vec::new();
    for (at, part) in index.parts.iter().enumerate() {
        let Some(name) = part.column_name() else {
            continue;
        };
        let spot = file.places.item("columns", at);
        let own = file.entry.definition.column.as_ref();
        if own.is_some_and(|own| own.name.eq_ignore_ascii_case(name)) {
            continue;
        }
        let Some(column) = table.column(name) else {
            let known = table.columns.iter().map(|column| column.name.as_str());
            let remedy = match did_you_mean(name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "correct the name, or add the column first".to_owned(),
            };
            let what = format!("`{}` has no column `{name}`", table.name);
            found.push(Breach::new(&rules::NO_COLUMN, spot, what, remedy));
            continue;
        };
        if let Some((what, remedy)) = unfit(index, part, column) {
            found.push(Breach::new(&rules::UNFIT_PART, spot, what, remedy));
        }
    }
    if found.is_empty() {
        found.extend(too_wide(file, table, experts));
        found.extend(in_place(file, table));
    }
    found
}

/// The hidden column of an expression takes its place by the index's name; one that would come
/// before another, or a generated column, which comes before all of them, is refused with
/// `ALGORITHM=INPLACE` and `INSTANT` (tried on MySQL 9.7: error 1846).
fn in_place(file: &File, table: &Table) -> Option<Breach> {
    let definition = &file.entry.definition;
    let name = definition.index.name.to_lowercase();
    let others = table.indexes.iter().filter(|other| other.is_functional());
    if let Some(column) = &definition.column {
        let other = others.into_iter().next()?;
        return Some(Breach::new(
            &rules::IN_PLACE,
            file.places.key("generated_column"),
            format!(
                "`{}` has an index on an expression, `{}`: the server adds no generated column beside \
                 it without a copy of the table (error 1846)",
                table.name, other.name
            ),
            format!("index the expression of `{}` itself", column.name),
        ));
    }
    // What is copied with the whole table finds its place.
    let mode = Mode::to_build_on(table, &definition.index);
    if !definition.index.is_functional() || mode.algorithm != Algorithm::InPlace {
        return None;
    }
    let last = others
        .map(|other| other.name.to_lowercase())
        .filter(|other| *other > name)
        .max()?;
    Some(Breach::new(
        &rules::IN_PLACE,
        file.places.key("index"),
        format!(
            "`{}` sorts before `{last}`, which is on an expression too: the server does not build it \
             without a copy of the table (error 1846)",
            definition.index.name
        ),
        format!("give it a name that sorts behind `{last}`"),
    ))
}

fn is_blob(column: &Column) -> bool {
    column.data_type.ends_with("text") || column.data_type.ends_with("blob")
}

fn is_string(column: &Column) -> bool {
    let kind = column.data_type.as_str();
    is_blob(column) || matches!(kind, "char" | "varchar" | "binary" | "varbinary")
}

fn is_spatial(column: &Column) -> bool {
    matches!(
        column.data_type.as_str(),
        "geometry"
            | "point"
            | "linestring"
            | "polygon"
            | "multipoint"
            | "multilinestring"
            | "multipolygon"
            | "geomcollection"
            | "geometrycollection"
    )
}

/// Why the column can't be this part of this index, and what to do (tried on MySQL 9.7: errors
/// 1089, 1170, 1252, 1283 and 3152).
fn unfit(index: &Index, part: &KeyPart, column: &Column) -> Option<(String, String)> {
    let (name, kind) = (&column.name, &column.full_type);
    let said = |what: String, remedy: &str| Some((what, remedy.to_owned()));
    match index.kind {
        IndexKind::FullText if !is_string(column) || column.collation.is_none() => said(
            format!("`{name}` is `{kind}`, and a full-text index has texts only"),
            "leave it out",
        ),
        IndexKind::Spatial if !is_spatial(column) || column.is_nullable => said(
            format!("`{name}` is `{kind}`, and a spatial index has a geometry that is NOT NULL"),
            "choose such a column",
        ),
        IndexKind::FullText | IndexKind::Spatial => None,
        _ if column.data_type == "json" => said(
            format!("`{name}` is JSON, which has no order"),
            "index an expression such as `cast(doc->>'$.name' as char(64))`",
        ),
        _ if is_spatial(column) => said(
            format!("`{name}` is `{kind}`, which has no order"),
            "write `kind = \"spatial\"`",
        ),
        _ if is_blob(column) && part.prefix.is_none() => said(
            format!("`{name}` is `{kind}`, of which only a beginning can be in a key"),
            "write it as `{ column = \"…\", prefix = 20 }`",
        ),
        _ => long_prefix(part, column),
    }
}

fn long_prefix(part: &KeyPart, column: &Column) -> Option<(String, String)> {
    let prefix = u64::from(part.prefix?);
    let (name, kind) = (&column.name, &column.full_type);
    if !is_string(column) {
        let what = format!("`{name}` is `{kind}`, and only texts have a beginning");
        return Some((what, "leave `prefix` out".to_owned()));
    }
    let length = column.max_chars.filter(|_| !is_blob(column))?;
    (prefix > length).then(|| {
        (
            format!("`prefix` is {prefix}, and `{name}` is `{kind}`"),
            "leave `prefix` out for the whole column".to_owned(),
        )
    })
}

fn too_wide(file: &File, table: &Table, experts: &Experts) -> Option<Breach> {
    let index = &file.entry.definition.index;
    if matches!(index.kind, IndexKind::FullText | IndexKind::Spatial) {
        return None;
    }
    let (whole, one) = (experts.key_limits)(table);
    let bytes = |part: &KeyPart| match part.what {
        // Nothing is known of an expression's type.
        Part::Expression(_) => 0,
        Part::Column(_) => (experts.key_bytes)(table, part),
    };
    let wide = index.parts.iter().position(|part| bytes(part) > one);
    if let Some(at) = wide {
        return Some(Breach::new(
            &rules::TOO_WIDE,
            file.places.item("columns", at),
            format!(
                "`{}` takes up to {} bytes, and one part has {one}",
                index.parts[at].column_name().unwrap_or_default(),
                bytes(&index.parts[at])
            ),
            "index its beginning with `prefix`",
        ));
    }
    let sum: u64 = index.parts.iter().map(bytes).sum();
    (sum > whole).then(|| {
        Breach::new(
            &rules::TOO_WIDE,
            file.places.key("columns"),
            format!("the key takes up to {sum} bytes, and has {whole}"),
            "leave columns out, or index their beginnings with `prefix`",
        )
    })
}
