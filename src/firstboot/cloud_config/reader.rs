//! Values of the types that cloud-config has, each checked, and each problem with its place.

use std::borrow::Cow;
use std::fmt::Display;

pub(in crate::firstboot) use super::fields::Fields;
use crate::firstboot::configuration::{Command, Placed};
use crate::firstboot::problem::{Place, Problems, Severity, shown};
use crate::firstboot::yaml::{Node, Value};

/// For how many unknown keys a known one is looked for: each is compared with all known ones.
const MOST_HINTS: usize = 50;
/// The longest key that may be a known one, misspelt, in bytes: comparing takes quadratic time.
const LONGEST_KEY: usize = 64;

/// Collects what is wrong, so that all of it is told at once.
#[derive(Debug, Default)]
pub(in crate::firstboot) struct Reader {
    pub(in crate::firstboot) problems: Problems,
    /// Keys for which a known one was looked for.
    hinted: usize,
}

impl Reader {
    /// One that goes on from what is wrong so far.
    pub(in crate::firstboot) fn after(problems: Problems) -> Self {
        Self { problems, hinted: 0 }
    }

    pub(in crate::firstboot) fn error(&mut self, place: &Place, what: impl Display) {
        self.problems.add(Severity::Error, place, what);
    }

    pub(in crate::firstboot) fn warn(&mut self, place: &Place, what: impl Display) {
        self.problems.add(Severity::Warning, place, what);
    }

    fn wrong(&mut self, node: &Node, name: &str, expected: &str) {
        let kind = node.kind();
        self.error(&node.place, format_args!("{name} must be {expected}, and this is {kind}"));
    }

    /// A mapping; keys that are not `known` are named.
    pub(in crate::firstboot) fn fields<'a>(
        &mut self,
        node: &'a Node,
        name: &str,
        known: &[&str],
    ) -> Option<Fields<'a>> {
        let Value::Map(pairs) = &node.value else {
            self.wrong(node, name, "a mapping");
            return None;
        };
        for (key, _) in pairs {
            let written = key.text().unwrap_or_default();
            if !known.contains(&&*written) {
                let hint = self.did_you_mean(&written, known);
                let shown = shown(&written);
                let what = format_args!("{name} has no key {shown:?}, so it is ignored{hint}");
                self.warn(&key.place, what);
            }
        }
        Some(Fields::of(node))
    }

    /// As [`did_you_mean`], for the first of many keys.
    pub(super) fn did_you_mean(&mut self, written: &str, known: &[&str]) -> String {
        self.hinted += 1;
        if self.hinted > MOST_HINTS { String::new() } else { did_you_mean(written, known) }
    }

    /// A list.
    pub(in crate::firstboot) fn list<'a>(&mut self, node: &'a Node, name: &str) -> &'a [Node] {
        if let Value::Seq(items) = &node.value {
            return items;
        }
        self.wrong(node, name, "a list: lines that begin with \"- \"");
        &[]
    }

    /// Text. A number is taken as text, as `str()` has it.
    pub(in crate::firstboot) fn text(&mut self, node: &Node, name: &str) -> Option<Placed<String>> {
        let value = match &node.value {
            Value::Str(text) => text.clone(),
            Value::Int(number) => {
                self.altered(node, name);
                number.to_string()
            }
            Value::Bool(_) => {
                self.wrong(node, name, "text: put it in quotes, or YAML takes yes and no for more");
                return None;
            }
            Value::Float(number) => {
                let what = format!(
                    "{name} must be text, and this is the number {number:?}: put it in quotes, or \
                     1.10 becomes 1.1"
                );
                self.error(&node.place, what);
                return None;
            }
            _ => {
                self.wrong(node, name, "text");
                return None;
            }
        };
        if value.contains('\0') {
            self.error(&node.place, format!("{name} has a NUL character in it"));
            return None;
        }
        Some(Placed { value, place: node.place.clone() })
    }

    /// Warns of a number that is not the text that stands there. It may be a password, and is
    /// not shown.
    fn altered(&mut self, node: &Node, name: &str) {
        if node.altered {
            let what = format!(
                "YAML reads the number in {name} otherwise than it is written, as 0644 becomes \
                 420: put it in quotes"
            );
            self.warn(&node.place, what);
        }
    }

    /// Text of one line, with something on it: what goes into a line of a file.
    pub(in crate::firstboot) fn line(&mut self, node: &Node, name: &str) -> Option<Placed<String>> {
        let text = self.text(node, name)?;
        if text.value.trim_end().contains('\n') || text.value.trim().is_empty() {
            let what =
                if text.value.trim().is_empty() { "is empty" } else { "has line ends in it" };
            self.error(&node.place, format!("{name} {what}"));
            return None;
        }
        let trimmed = text.value.trim();
        if trimmed.len() == text.value.len() {
            return Some(text);
        }
        Some(Placed { value: trimmed.to_owned(), place: text.place })
    }

    /// One line of text or a list of such.
    pub(super) fn lines(&mut self, node: &Node, name: &str) -> Vec<Placed<String>> {
        match &node.value {
            Value::Seq(items) => items
                .iter()
                .filter(|item| !item.is_null())
                .filter_map(|item| self.line(item, name))
                .collect(),
            _ => self.line(node, name).into_iter().collect(),
        }
    }

    /// A list, or one text of parts with commas between.
    pub(super) fn comma_list(&mut self, node: &Node, name: &str) -> Vec<Placed<String>> {
        let lines = self.lines(node, name);
        let part = |line: &Placed<String>| {
            let parts = line.value.split(',').map(|part| part.trim().to_owned());
            let place = line.place.clone();
            parts
                .filter(|part| !part.is_empty())
                .map(move |value| Placed { value, place: place.clone() })
                .collect::<Vec<_>>()
        };
        lines.iter().flat_map(part).collect()
    }

    /// A boolean, or a word that cloud-init takes for one also in quotes.
    pub(in crate::firstboot) fn boolean(&mut self, node: &Node, name: &str) -> Option<bool> {
        let word = match &node.value {
            Value::Bool(it) => return Some(*it),
            Value::Int(number) => number.to_string(),
            Value::Str(text) => text.trim().to_lowercase(),
            _ => String::new(),
        };
        match word.as_str() {
            "true" | "1" | "on" | "yes" => Some(true),
            "false" | "0" | "off" | "no" => Some(false),
            _ => {
                self.wrong(node, name, "true or false");
                None
            }
        }
    }

    /// A whole number, also in quotes, within `range`.
    pub(in crate::firstboot) fn number(
        &mut self,
        node: &Node,
        name: &str,
        range: std::ops::RangeInclusive<i64>,
    ) -> Option<i64> {
        let number = match &node.value {
            Value::Int(number) => Some(*number),
            Value::Str(text) => text.trim().parse().ok(),
            _ => None,
        };
        let Some(number) = number.filter(|number| range.contains(number)) else {
            let expected = format!("a whole number from {} to {}", range.start(), range.end());
            self.wrong(node, name, &expected);
            return None;
        };
        Some(number)
    }

    /// A list of commands: a list is a program with its arguments, text a line for the shell.
    pub(super) fn commands(&mut self, node: &Node, name: &str) -> Vec<Command> {
        self.list(node, name).iter().filter_map(|item| self.command(item, name)).collect()
    }

    /// One of them; none, if it is `null`.
    pub(super) fn command(&mut self, node: &Node, name: &str) -> Option<Command> {
        match &node.value {
            Value::Null => None,
            Value::Seq(words) => {
                let words: Vec<_> = words.iter().filter_map(|it| self.argument(it, name)).collect();
                if words.is_empty() {
                    self.error(&node.place, format!("a command of {name} is empty"));
                    return None;
                }
                Some(Command::Exec(words))
            }
            Value::Str(_) | Value::Int(_) => {
                Some(Command::Shell(self.text(node, "a command")?.value))
            }
            Value::Map(_) => {
                let what = format!(
                    "a command of {name} is a mapping: a \": \" in it makes it one; put the whole \
                     line in quotes"
                );
                self.error(&node.place, what);
                None
            }
            _ => {
                self.wrong(node, &format!("a command of {name}"), "text or a list");
                None
            }
        }
    }

    /// An argument of a program, where a boolean is what Python prints.
    fn argument(&mut self, node: &Node, name: &str) -> Option<String> {
        if let Value::Bool(_) = node.value {
            let text = node.text().unwrap_or_default();
            let what = format!(
                "YAML takes this argument for a boolean, and the program gets {text:?}: put it in \
                 quotes if the word is meant"
            );
            self.warn(&node.place, what);
            return Some(text.into_owned());
        }
        self.altered(node, &format!("an argument of {name}"));
        let text = node.text();
        if text.is_none() {
            self.wrong(node, &format!("an argument in {name}"), "text");
        }
        text.map(Cow::into_owned)
    }
}

/// `; did you mean "…"?`, if one of these is near.
fn did_you_mean(written: &str, known: &[&str]) -> String {
    if written.len() > LONGEST_KEY {
        return String::new();
    }
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
    let (written, most) = (plain(written), 1 + written.len() / 5);
    let distance = |name: &&str| {
        let name = plain(name);
        let is_near = name.len().abs_diff(written.len()) <= most;
        is_near.then(|| strsim::damerau_levenshtein(&written, &name)).filter(|it| *it <= most)
    };
    let near = known.iter().filter_map(|name| Some((distance(name)?, name)));
    match near.min_by_key(|(distance, _)| *distance) {
        Some((_, name)) => format!("; did you mean {name:?}?"),
        None => String::new(),
    }
}
