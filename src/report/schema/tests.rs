//! The document of a schema made by hand, in all forms.

use super::*;
use crate::model::schema::{Column, Index, KeyPart, TableName, View};
use crate::report::diagram::tests::HOSTILE;
use crate::report::escape::{self, Piece};
use crate::report::{html, markdown, text};

fn column(name: &str, is_nullable: bool) -> Column {
    Column {
        name: name.to_owned(),
        data_type: "bigint".to_owned(),
        full_type: "bigint unsigned".to_owned(),
        is_nullable,
        max_chars: None,
        max_bytes: None,
        collation: None,
        is_auto_increment: name == "id",
        generated: None,
    }
}

fn table(name: &str, columns: &[Column], indexes: Vec<Index>, keys: Vec<ForeignKey>) -> Facts {
    let mut all = vec![Index {
        is_unique: true,
        cardinality: vec![Some(1_200)],
        bytes: Some(16_384),
        ..Index::btree("PRIMARY", vec![KeyPart::column("id")])
    }];
    all.extend(indexes);
    Facts {
        name: TableName::new("shop", name),
        engine: "InnoDB".to_owned(),
        columns: columns.to_vec(),
        indexes: all,
        foreign_keys: keys,
        rows: 1_200,
        data_bytes: 16_384,
        index_bytes: 32_768,
        partitioning: None,
        create: String::new(),
    }
}

fn key(name: &str, column: &str, parent: &str) -> ForeignKey {
    ForeignKey {
        name: name.to_owned(),
        columns: vec![column.to_owned()],
        parent: TableName::new("shop", parent),
        parent_columns: vec!["id".to_owned()],
    }
}

fn catalog(tables: Vec<Facts>) -> Catalog {
    Catalog {
        version: "9.7.4".to_owned(),
        tables: tables
            .into_iter()
            .map(|table| (table.name.clone(), table))
            .collect(),
        ..Catalog::default()
    }
}

fn shop() -> Catalog {
    let customers = table("customers", &[column("id", false)], Vec::new(), Vec::new());
    let unique = Index {
        is_unique: true,
        ..Index::btree("only", vec![KeyPart::column("order_id")])
    };
    let orders = table(
        "orders",
        &[column("id", false), column("customer_id", true)],
        vec![Index::btree("c", vec![KeyPart::column("customer_id")])],
        vec![key("fk_customer", "customer_id", "customers")],
    );
    let invoices = table(
        "invoices",
        &[column("id", false), column("order_id", false)],
        vec![unique],
        vec![key("fk_order", "order_id", "orders")],
    );
    catalog(vec![customers, orders, invoices])
}

fn shown(catalog: &Catalog, schemas: &[&str]) -> Document {
    let schemas: Vec<String> = schemas.iter().map(|name| (*name).to_owned()).collect();
    document(&Subject {
        server: "db1",
        at: Timestamp::UNIX_EPOCH,
        schemas: &schemas,
        catalog,
        notes: &["no views: grant SHOW VIEW".to_owned()],
        cost: Cost::default(),
    })
}

fn diagrams(document: &Document) -> Vec<&crate::report::diagram::Diagram> {
    document
        .blocks
        .iter()
        .filter_map(|block| match block {
            Block::Diagram(diagram) => Some(diagram),
            _ => None,
        })
        .collect()
}

#[test]
fn every_table_column_key_and_relationship_is_there() {
    let text = text::render(&shown(&shop(), &["shop"]), None);
    for line in [
        "3 tables with 5 columns and 2 foreign keys take 144KiB: 48.0KiB of data and 96.0KiB of \
         secondary indexes.",
        "no views: grant SHOW VIEW [not-seen]",
        "<- orders: customer_id -> id [many to 0..1]",
        "   <- invoices: order_id -> id [0..1 to 1]",
        "id           bigint unsigned        primary  counts up by itself",
        "customer_id  bigint unsigned  yes   foreign",
        "- refers to `customers`: customer_id -> id (fk_customer)",
        "- is referred to by `invoices`: order_id -> id (fk_order)",
        "PRIMARY  id        primary     1.20k  16.0KiB",
        "only     order_id  unique          -        -",
    ] {
        assert!(text.contains(line), "no `{line}` in\n{text}");
    }
}

#[test]
fn tables_keep_their_schema_where_there_are_several() {
    let mut both = shop();
    let mut other = both.tables[&TableName::new("shop", "customers")].clone();
    other.name.schema = "crm".to_owned();
    both.tables.insert(other.name.clone(), other);
    let document = shown(&both, &["crm", "shop"]);
    let names: Vec<&str> = diagrams(&document)[0]
        .entities
        .iter()
        .map(|entity| entity.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "crm.customers",
            "shop.customers",
            "shop.invoices",
            "shop.orders"
        ]
    );
}

#[test]
fn parents_elsewhere_are_boxes_without_columns() {
    let mut key = key("fk", "customer_id", "customers");
    key.parent.schema = "crm".to_owned();
    let columns = [column("id", false), column("customer_id", true)];
    let only = catalog(vec![table("orders", &columns, Vec::new(), vec![key])]);
    let document = shown(&only, &["shop"]);
    let outside = &diagrams(&document)[0].entities[1];
    assert_eq!(outside.name, "crm.customers");
    assert!(outside.is_outside && outside.fields.is_empty());
}

#[test]
fn many_tables_are_drawn_by_what_belongs_together() {
    let mut tables = Vec::new();
    for place in 0..60 {
        tables.push(table(
            &format!("p{place}"),
            &[column("id", false)],
            Vec::new(),
            Vec::new(),
        ));
        tables.push(table(
            &format!("c{place}"),
            &[column("id", false), column("p", false)],
            Vec::new(),
            vec![key("fk", "p", &format!("p{place}"))],
        ));
    }
    tables.push(table(
        "alone",
        &[column("id", false)],
        Vec::new(),
        Vec::new(),
    ));
    let document = shown(&catalog(tables), &["shop"]);
    let drawn = diagrams(&document);
    assert_eq!(drawn.len(), 30);
    assert!(drawn.iter().all(|diagram| diagram.entities.len() == 2));
    let text = text::render(&document, None);
    assert!(text.contains("120 of 121 tables are related, in 60 groups; 1 is not."));
    assert!(text.contains("The 30 largest groups are drawn"));
}

#[test]
fn nothing_to_document_is_said() {
    let text = text::render(&shown(&Catalog::default(), &["empty"]), None);
    assert!(text.contains("There are no tables here that this account may see."));
    let unrelated = catalog(vec![table(
        "t",
        &[column("id", false)],
        Vec::new(),
        Vec::new(),
    )]);
    let text = text::render(&shown(&unrelated, &["shop"]), None);
    assert!(text.contains("No table refers to another by a foreign key."));
}

#[test]
fn hostile_names_stay_text_in_every_form() {
    let mut hostile = table(
        HOSTILE,
        &[column(HOSTILE, true), column("id", false)],
        vec![Index::btree(HOSTILE, vec![KeyPart::column(HOSTILE)])],
        vec![key(HOSTILE, HOSTILE, HOSTILE)],
    );
    hostile.partitioning = Some(HOSTILE.to_owned());
    hostile.engine = HOSTILE.to_owned();
    let mut all = catalog(vec![hostile]);
    let view = View {
        name: TableName::new("shop", HOSTILE),
        query: format!("select '{HOSTILE}'"),
    };
    all.views.insert(view.name.clone(), view);
    let document = shown(&all, &["shop"]);
    let page = html::render(&document);
    let plain = text::render(&document, Some(100));
    let marked = markdown::render(&document);
    for rendered in [&page, &plain, &marked] {
        assert!(!rendered.contains(['\x1b', '\u{202e}']));
    }
    assert!(!page.contains("<script") && !page.contains("alert(1)</script>"));
    // In Markdown nothing outside of code blocks and code spans is markup.
    let mut is_code = false;
    for line in marked.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            let unescaped = line.replace("\\`", "");
            for piece in escape::pieces(&unescaped) {
                if let Piece::Words(words) = piece {
                    assert!(!words.contains("<script"), "{line}");
                }
            }
        }
    }
    assert!(!is_code);
}
