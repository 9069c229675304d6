use super::*;
use crate::model::advice::{Tier, fixture};
use crate::report::{html, markdown, text};

#[test]
fn rich_advice_as_text() {
    insta::assert_snapshot!(text::render(&document(&fixture::rich()), Some(120)));
}
