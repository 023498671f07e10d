//! YAML as cloud-init reads it, which is YAML 1.1 as `PyYAML`'s safe loader has it: `yes` is a
//! boolean, `0644` is octal, `22:22` is 1342, of two equal keys the last wins, `<<` merges.
//! Every value knows its place.
//!
//! Read differently, `permissions: 0644` would give a file another mode, and `sudo: no`
//! somebody a rule.

mod emit;
mod index;
mod load;
mod mapping;
mod printable;
mod resolve;
mod scalar;
#[cfg(test)]
mod tests;

pub use emit::emit;
pub(super) use index::Index;
pub use load::{Document, MOST_VALUES, load, load_at};

use std::borrow::Cow;

use super::problem::Place;

/// A value, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its first character.
    pub place: Place,
    /// What it is.
    pub value: Value,
    /// A number that is written otherwise than [`Node::text`] writes it: `0644`, `0x1f`, `1.10`.
    /// Taken for text unseen, it is another text than the one that was meant.
    pub altered: bool,
}

/// What `PyYAML` would make of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`, `~`, or nothing.
    Null,
    /// `yes`, `on`, `true`, and their opposites.
    Bool(bool),
    /// A whole number. One that 64 bits do not hold is a string here, as it is written.
    Int(i64),
    /// A number with a point.
    Float(f64),
    /// Text; dates as well, as they are written.
    Str(String),
    /// `!!binary`.
    Bytes(Vec<u8>),
    /// A list.
    Seq(Vec<Node>),
    /// A mapping, in the order of its first mentions. Keys are neither lists nor mappings.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// One whose value is as it was written.
    pub fn new(place: Place, value: Value) -> Self {
        Self { place, value, altered: false }
    }

    /// The value at a key that is a string.
    pub fn get(&self, key: &str) -> Option<&Node> {
        let Value::Map(pairs) = &self.value else { return None };
        pairs.iter().find(|(it, _)| it.as_str() == Some(key)).map(|(_, value)| value)
    }

    /// Its text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// Whether nothing is there.
    pub fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Int(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Str(_) => "text",
            Value::Bytes(_) => "binary data",
            Value::Seq(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// As Python's `str()` writes it: what cloud-init makes of a number where it wants text.
    /// `None` for what is not a single value.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        match &self.value {
            Value::Str(text) => Some(text.into()),
            Value::Int(number) => Some(number.to_string().into()),
            Value::Float(number) => Some(format!("{number:?}").into()),
            Value::Bool(true) => Some("True".into()),
            Value::Bool(false) => Some("False".into()),
            Value::Null | Value::Bytes(_) | Value::Seq(_) | Value::Map(_) => None,
        }
    }
}
