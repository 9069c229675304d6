//! The question before a change of an index: exactly what will happen.

use tui_input::Input;

use super::may_change;
use crate::model::advice::Action;
use crate::model::feed::{DefinitionText, IndexChange, SOAK, Statement};
use crate::model::ledger::{DefinitionState, State};
use crate::model::units;
use crate::tui::model::{
    Change, Confirm, Entry, Model, Overlay, Tone, action_word, parts_text, state_word,
};
use crate::tui::update::open;

/// Statements that a question spells out.
const SPELLED: usize = 4;

/// A question, or why there is none.
type Asked = Result<Confirm, String>;

fn ask_with(model: &mut Model, question: fn(Entry<'_>) -> Asked) {
    if !may_change(model) {
        return;
    }
    let asked = match model.chosen_index() {
        Some(entry) => question(entry),
        None => Err("no index selected".to_owned()),
    };
    match asked {
        Ok(confirm) => open(model, Some(Overlay::Confirm(Box::new(confirm)))),
        Err(why) => model.say(Tone::Info, why),
    }
}

pub(in crate::tui::update) fn ask_to_apply(model: &mut Model) {
    ask_with(model, |entry| {
        let Some(one) = entry.to_apply() else {
            return Err(match entry.definition() {
                Some(one) => format!("{} is applied already", file_name(one)),
                None => "no definition of this index; `mydex index new` writes one".to_owned(),
            });
        };
        let what = match one.state {
            State::Pending => "Carry out this definition?",
            State::Rejected => "Carry out this definition, though it did not keep its promise?",
            State::RolledBack => "Carry out this definition again?",
            State::Soaking if one.action == Action::Create => {
                "Keep this definition after all? Its index is hidden, and waits to be dropped."
            }
            _ => "Go on with this definition?",
        };
        let mut lines = about(what, one);
        let text = entry.text_of(one);
        lines.extend(spelled(text.map(|text| text.up.as_slice())));
        lines.extend(obstacle(text));
        lines.push(match one.action {
            Action::Create => "In steps, each of which can be interrupted: the index is built \
                                   invisible, judged, and then shown."
                .to_owned(),
            Action::Drop => format!(
                "In steps, each of which can be interrupted: the index is hidden at once, and \
                     dropped when this is done again after {}.",
                units::duration(SOAK)
            ),
        });
        Ok(Confirm {
            change: Change::Index(IndexChange::Apply {
                definition: one.clone(),
                statements: text.map(statements).unwrap_or_default(),
            }),
            lines,
            typed: Some((Input::default(), format!("apply {}", one.version))),
            or: None,
        })
    });
}

pub(in crate::tui::update) fn ask_to_roll_back(model: &mut Model) {
    ask_with(model, |entry| {
        let Some(one) = entry.to_roll_back() else {
            return Err(match entry.definition() {
                Some(one) => format!(
                    "nothing to take back: {} is {}",
                    file_name(one),
                    state_word(one.state)
                ),
                None => "no definition of this index, so that nothing can be taken back".to_owned(),
            });
        };
        let mut lines = about("Take this definition back?", one);
        let text = entry.text_of(one);
        lines.extend(spelled(text.map(|text| text.down.as_slice())));
        let word = format!("roll back {}", one.version);
        let of = |now| {
            Change::Index(IndexChange::RollBack {
                definition: one.clone(),
                now,
            })
        };
        let or = (one.action == Action::Create).then(|| (format!("{word} now"), of(true)));
        let soak = units::duration(SOAK);
        lines.push(match &or {
            Some((now, _)) => format!(
                "The index is hidden at once, and stays so for {soak}, in which it can be shown \
                 again at once; a rollback after that drops it. `{now}` drops it right away."
            ),
            None => {
                "The index is shown again, or built again exactly as the ledger has it.".to_owned()
            }
        });
        Ok(Confirm {
            change: of(false),
            lines,
            typed: Some((Input::default(), word)),
            or,
        })
    });
}

pub(in crate::tui::update) fn ask_to_hide(model: &mut Model) {
    ask_with(model, |entry| visibility(entry, false));
}

pub(in crate::tui::update) fn ask_to_show(model: &mut Model) {
    ask_with(model, |entry| visibility(entry, true));
}

fn visibility(entry: Entry<'_>, show: bool) -> Asked {
    let Some(facts) = entry.facts() else {
        return Err(format!("index {} is not there", entry.name()));
    };
    let index = &facts.verdict.index;
    if index.is_visible == show {
        let is = if show { "visible" } else { "hidden" };
        return Err(format!("index {} is {is} already", index.name));
    }
    let Some((hide_it, show_it)) = entry.visibility() else {
        return Err(format!("MySQL does not let {} be hidden", index.name));
    };
    let table = facts.verdict.table.clone();
    let (what, word, statement, note) = if show {
        let note = "The optimizer may use it from then on.";
        ("Show this index?", "show", show_it, note)
    } else {
        let note = "No plan uses it from then on, and a statement that names it in a hint fails. \
                    It is kept up to date all the same, so that showing it again takes no time.";
        ("Hide this index?", "hide", hide_it, note)
    };
    let mut lines = vec![
        what.to_owned(),
        String::new(),
        format!("{} on {table}", index.name),
        format!("({})", parts_text(index)),
        String::new(),
        format!("{statement};"),
        note.to_owned(),
    ];
    if let Some(one) = entry.definition() {
        lines.push(format!(
            "Its definition {} does not know of this; `mydex index drift` will tell it.",
            file_name(one)
        ));
    }
    let index = index.clone();
    let change = if show {
        IndexChange::Show { table, index }
    } else {
        IndexChange::Hide { table, index }
    };
    Ok(Confirm {
        change: Change::Index(change),
        lines,
        typed: Some((Input::default(), word.to_owned())),
        or: None,
    })
}

fn about(what: &str, one: &DefinitionState) -> Vec<String> {
    let mut lines = vec![
        what.to_owned(),
        String::new(),
        format!("{} ({})", file_name(one), state_word(one.state)),
        format!(
            "{} index {} on {}",
            action_word(one.action),
            one.index,
            one.table
        ),
    ];
    lines.extend(one.problems.first().cloned());
    lines.push(String::new());
    lines
}

fn file_name(one: &DefinitionState) -> String {
    format!("{:04}_{}", one.version, one.name)
}

fn statements(text: &DefinitionText) -> Vec<String> {
    text.up.iter().map(|one| one.sql.clone()).collect()
}

/// What an apply would stop at.
fn obstacle(text: Option<&DefinitionText>) -> Option<String> {
    let why = text?.obstacle.as_ref()?;
    Some(format!("As the table is now, it stops there: {why}"))
}

fn spelled(statements: Option<&[Statement]>) -> Vec<String> {
    let Some(statements) = statements else {
        return vec!["Its file is gone; the ledger has its text.".to_owned()];
    };
    let mut lines: Vec<String> = statements
        .iter()
        .take(SPELLED)
        .map(Statement::shown)
        .collect();
    if statements.len() > SPELLED {
        lines.push(format!("and {} more", statements.len() - SPELLED));
    }
    lines
}
