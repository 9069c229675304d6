//! Annotations: workflow commands in the log of a build, which code hosts show beside the lines.
//!
//! A command is one line, `::error file=NAME,line=N,col=N,title=TEXT::TEXT`. What could end a
//! property, the properties or the line is written as `%` and two digits.

use std::fmt::Write as _;

use super::words::counted;
use crate::model::check::{Checked, Found};
use crate::model::finding::Severity;
use crate::model::text;

/// The run as one command for each finding and each note.
#[must_use]
pub fn render(checked: &Checked) -> String {
    let mut out = String::new();
    for found in &checked.found {
        command(&mut out, checked, found);
    }
    for note in &checked.notes {
        line(&mut out, "notice", &[("title", &checked.name)], note);
    }
    let (problems, warnings) = (
        checked.count(Severity::Problem),
        checked.count(Severity::Warning),
    );
    // The last line is for people who read the log; it begins with no colon and is no command.
    let _ = writeln!(
        out,
        "{}: {}, {}",
        text::inline(&checked.name),
        counted(problems, "problem", "problems"),
        counted(warnings, "warning", "warnings")
    );
    out
}

fn command(out: &mut String, checked: &Checked, found: &Found) {
    let kind = match found.rule.severity {
        Severity::Problem => "error",
        Severity::Warning => "warning",
        Severity::Note | Severity::Ok => "notice",
    };
    let title = format!("{}: {} {}", checked.name, found.rule.code, found.rule.name);
    let (row, column);
    let mut properties: Vec<(&str, &str)> = Vec::new();
    if let Some(spot) = &found.spot {
        row = spot.line.max(1).to_string();
        column = spot.column.max(1).to_string();
        properties.extend([
            ("file", spot.file.as_str()),
            ("line", row.as_str()),
            ("col", column.as_str()),
        ]);
    }
    properties.push(("title", &title));
    let about = match &found.object {
        Some(object) => format!("{object}: "),
        None => format!("{}: ", found.subject),
    };
    let fix = if found.remedy.is_empty() {
        String::new()
    } else {
        format!("\nfix: {}", found.remedy)
    };
    line(
        out,
        kind,
        &properties,
        &format!("{about}{}{fix}", found.message),
    );
}

fn line(out: &mut String, kind: &str, properties: &[(&str, &str)], message: &str) {
    let _ = write!(out, "::{kind} ");
    for (place, (name, value)) in properties.iter().enumerate() {
        let comma = if place > 0 { "," } else { "" };
        let _ = write!(out, "{comma}{name}={}", property(value));
    }
    let _ = writeln!(out, "::{}", data(message));
}

/// A value of a property, which a comma or a colon would end.
fn property(value: &str) -> String {
    data(value).replace(':', "%3A").replace(',', "%2C")
}

/// A message: line breaks are kept as such, other control characters are shown.
fn data(message: &str) -> String {
    text::block(message)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::super::checked::fixture;
    use super::*;

    /// Kind, properties and message.
    type Command = (String, Vec<(String, String)>, String);

    /// What a build server reads.
    fn read(out: &str) -> Vec<Command> {
        let back = |text: &str| {
            let text = text.replace("%0A", "\n").replace("%0D", "\r");
            let text = text.replace("%3A", ":").replace("%2C", ",");
            text.replace("%25", "%")
        };
        out.lines()
            .filter_map(|line| line.strip_prefix("::"))
            .map(|line| {
                let (head, message) = line.split_once("::").unwrap();
                let (kind, properties) = head.split_once(' ').unwrap();
                let properties = properties
                    .split(',')
                    .map(|one| one.split_once('=').unwrap())
                    .map(|(name, value)| (name.to_owned(), back(value)));
                (kind.to_owned(), properties.collect(), back(message))
            })
            .collect()
    }

    #[test]
    fn each_finding_is_a_command_and_nothing_hostile_is_another() {
        let mut checked = fixture();
        checked.found[1].message = "100%: a,b\n::error file=x::forged\r\n::stop".to_owned();
        let out = render(&checked);
        let commands = read(&out);
        assert_eq!(commands.len(), 3, "{out}");
        let (kind, properties, message) = &commands[0];
        assert_eq!(kind, "error");
        assert_eq!(properties[1], ("line".to_owned(), "2".to_owned()));
        assert_eq!(properties[2], ("col".to_owned(), "9".to_owned()));
        assert_eq!(properties[3].1, "index lint: MYX030 no-table");
        assert!(message.ends_with("\nfix: correct `table`"), "{message}");
        let (kind, properties, message) = &commands[1];
        assert_eq!((kind.as_str(), properties.len()), ("warning", 1));
        assert!(
            message.contains("100%: a,b\n::error file=x::forged"),
            "{message}"
        );
        assert_eq!(commands[2].0, "notice");
        assert!(!out.contains(['\u{1b}', '\u{202e}']), "{out}");
        assert!(out.ends_with("index lint: 1 problem, 1 warning\n"), "{out}");
    }
}
