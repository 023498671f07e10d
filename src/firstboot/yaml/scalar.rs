//! Scalars and their tags (<https://yaml.org/type/>).

use yaml_events::{ScalarStyle, Tag};

use super::{Value, resolve};
use crate::firstboot::problem::{Place, Problem};

/// What a scalar is, by its tag if it has one.
///
/// # Errors
/// It is not what its tag says, or nobody knows the tag.
pub(super) fn scalar(
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
    place: &Place,
) -> Result<Value, Problem> {
    let Some(tag) = tag else {
        return Ok(match style {
            ScalarStyle::Plain => resolve::plain(text),
            _ => Value::Str(text.to_owned()),
        });
    };
    let wrong = |what: &str| Problem::error(place, format!("{text:?} is no {what}"));
    Ok(match &*name(tag) {
        // `!` alone says nothing in PyYAML, not even of what is in quotes.
        "" => resolve::plain(text),
        // Dates stay as they are written.
        "str" | "timestamp" => Value::Str(text.to_owned()),
        "null" => Value::Null,
        "bool" => Value::Bool(resolve::bool(&text.to_lowercase()).ok_or_else(|| wrong("boolean"))?),
        "int" => Value::Int(resolve::int(text).ok_or_else(|| wrong("whole number"))?),
        "float" => {
            // A leading zero makes no octal number here.
            let decimal = || text.replace('_', "").parse().ok();
            Value::Float(resolve::float(text).or_else(decimal).ok_or_else(|| wrong("number"))?)
        }
        "binary" => {
            use base64::Engine;
            let joined: String = text.split_ascii_whitespace().collect();
            let engine = base64::engine::general_purpose::STANDARD;
            Value::Bytes(engine.decode(joined).map_err(|e| {
                Problem::error(place, format!("!!binary is base64, and this is not: {e}"))
            })?)
        }
        other => return Err(unknown(other, place)),
    })
}

/// Makes sure that a list or a mapping is tagged as nothing else.
///
/// # Errors
/// It is.
pub(super) fn collection(tag: Option<&Tag>, expected: &str, place: &Place) -> Result<(), Problem> {
    match tag.map(name) {
        Some(tag) if tag != expected && !tag.is_empty() => Err(unknown(&tag, place)),
        _ => Ok(()),
    }
}

/// A tag's name: of YAML's own types the part after the namespace.
fn name(tag: &Tag) -> String {
    match tag.suffix_in_namespace("tag:yaml.org,2002:") {
        Some(suffix) => suffix.into_owned(),
        None if tag.handle().is_empty() && tag.suffix() == "!" => String::new(),
        None if tag.handle().is_empty() => format!("!<{}>", tag.suffix()),
        None => format!("{}{}", tag.handle(), tag.suffix()),
    }
}

fn unknown(tag: &str, place: &Place) -> Problem {
    Problem::error(place, format!("cloud-init knows no tag {tag:?}: remove the word with !"))
}
